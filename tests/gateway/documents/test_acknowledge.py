"""The partner's CONTRL settles what we sent."""

from __future__ import annotations

import pytest

from edi_gateway.marketplace.fulfilment import OrderState
from edi_gateway.partnership import Direction
from edi_gateway.store.documents import InterchangeState, MessageState
from tests.gateway.documents.desk import Desk, contrl, partial

SENT = "000000001"
UCM = "UCM+1+ORDERS:D:96A:UN:EAN008+4'"


def orders_message(desk: Desk):
    return next(message for message in desk.messages() if message.type == "ORDERS")


def test_accepted(desk: Desk) -> None:
    """UCI 7 alone accepts all that is below (CONTRL, 0083)."""
    desk.place()
    desk.arrive(contrl("V1", SENT))
    assert orders_message(desk).state is MessageState.ACKNOWLEDGED
    (interchange,) = desk.interchanges(Direction.OUT)
    assert interchange.state is InterchangeState.ACKNOWLEDGED
    assert desk.order().state is OrderState.ACKNOWLEDGED
    assert desk.alerts() == []
    (message,) = desk.received("CONTRL")
    assert (message.state, message.business_key) == (MessageState.APPLIED, "MP4K7QX1")


def test_a_contrl_is_never_answered(desk: Desk) -> None:
    desk.place()
    desk.arrive(contrl("V1", SENT))
    assert desk.sent("CONTRL") == []


@pytest.mark.parametrize(
    ("action", "messages", "code"),
    [
        ("4+12+UNB+3", "", "12"),
        ("4", "", "18"),
        ("7", "UCM+1+ORDERS:D:96A:UN:EAN008+4+17+UNH+3'", "17"),
        ("7", UCM + "UCS+10'UCD+37+2:2'", "37"),
        ("7", UCM + "UCS+3+13'", "13"),
    ],
)
def test_refused(desk: Desk, action: str, messages: str, code: str) -> None:
    desk.place()
    desk.arrive(contrl("V1", SENT, action, messages))
    assert orders_message(desk).state is MessageState.REJECTED
    assert orders_message(desk).reason.endswith(f"error {code}")
    (interchange,) = desk.interchanges(Direction.OUT)
    assert interchange.state is InterchangeState.REJECTED
    assert desk.order().state is OrderState.INCIDENT
    assert [alert.kind for alert in desk.alerts()] == ["alert.refused"]
    assert desk.findings() == ["T113"]


def test_a_receipt_settles_nothing(desk: Desk) -> None:
    """UCI 8: it arrived; the acknowledgement or rejection follows."""
    desk.place()
    desk.arrive(contrl("V1", SENT, "8"))
    assert orders_message(desk).state is MessageState.SENT
    desk.arrive(contrl("V2", SENT, "7"))
    assert orders_message(desk).state is MessageState.ACKNOWLEDGED


def test_the_first_settlement_counts_and_a_contradiction_alerts(desk: Desk) -> None:
    desk.place()
    desk.arrive(contrl("V1", SENT))
    desk.arrive(contrl("V2", SENT, "4"))
    assert orders_message(desk).state is MessageState.ACKNOWLEDGED
    assert [alert.kind for alert in desk.alerts()] == ["alert.contradiction"]
    desk.arrive(contrl("V3", SENT))
    assert len(desk.alerts()) == 1


def test_an_unknown_subject_is_an_exception(desk: Desk) -> None:
    desk.arrive(contrl("V1", "999"))
    (message,) = desk.received("CONTRL")
    assert (message.state, desk.findings()) == (MessageState.EXCEPTION, ["T112"])


def test_an_answer_that_overtook_the_acknowledgement_stands(desk: Desk) -> None:
    desk.place()
    desk.arrive(partial())
    desk.arrive(contrl("V2", SENT))
    assert orders_message(desk).state is MessageState.ACKNOWLEDGED
    assert desk.order().state is OrderState.PARTIALLY_CONFIRMED


def test_an_answer_after_the_acknowledgement(desk: Desk) -> None:
    desk.place()
    desk.arrive(contrl("V1", SENT))
    desk.arrive(partial())
    assert desk.order().state is OrderState.PARTIALLY_CONFIRMED


def test_our_contrl_goes_back_to_the_sender_in_the_senders_syntax(desk: Desk) -> None:
    desk.place()
    desk.arrive(partial().replace("UNB+UNOC:3", "UNB+UNOA:2"))
    (text,) = desk.sent("CONTRL")
    assert "UNB+UNOA:2+3760000000017:14+3760000001014:14+" in text
    assert "UNH+1+CONTRL:2:2:UN:EAN002'" in text
