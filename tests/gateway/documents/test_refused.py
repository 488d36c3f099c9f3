"""The partner's APERAK says what its application makes of what we sent."""

from __future__ import annotations

import pytest

from edi_gateway.gateway import overview
from edi_gateway.gateway.compose import compose
from edi_gateway.marketplace.fulfilment import OrderState
from edi_gateway.partnership import Direction
from edi_gateway.store.documents import InterchangeState, Message, MessageState, StoredFinding
from edi_gateway.store.events import Event
from tests.core.marketplace.documents import SUPPLIER, an_invoice, an_invoice_line
from tests.gateway.documents.desk import VENDOR, Desk, contrl, interchange, ordrsp

SENT = "000000001"
REFUSAL = "ERC+E17:ZZZ:91'FTX+AAO+++Article inconnu'RFF+LI:2'ERC+E18:ZZZ:91'"


def aperak(
    reference: str = "V1",
    named: str = "RFF+ON:MP4K7QX1'",
    errors: str = REFUSAL,
    kind: str = "313",
    number: str = "A-1",
) -> str:
    body = f"APERAK:D:96A:UN:EAN001'BGM+{kind}+{number}'DTM+137:20261122:102'{named}NAD+SU+{SUPPLIER}::9'{errors}"
    return interchange(reference, body)


def orders(desk: Desk) -> Message:
    (message,) = desk.messages(Message.type == "ORDERS")
    return message


@pytest.fixture
def placed(desk: Desk) -> Desk:
    desk.place()
    return desk


@pytest.mark.parametrize("acknowledged", [True, False])
def test_a_refusal_rejects_what_we_sent_and_raises_an_alert(placed: Desk, acknowledged: bool) -> None:
    if acknowledged:
        placed.arrive(contrl("V0", SENT))
    placed.arrive(aperak())
    ours = orders(placed)
    assert ours.state is MessageState.REJECTED
    assert ours.reason == "refused by the partner's APERAK A-1: E17 Article inconnu; E18"
    assert [(alert.kind, alert.subject) for alert in placed.alerts()] == [("alert.refused", ours.subject)]
    assert placed.order().state is OrderState.INCIDENT
    (theirs,) = placed.received("APERAK")
    assert (theirs.state, theirs.answers_id, theirs.business_key) == (MessageState.APPLIED, ours.id, "MP4K7QX1")


def test_what_is_said_is_seen_with_our_message(placed: Desk) -> None:
    placed.arrive(aperak())
    with placed.gateway.database.read() as reading:
        ours = overview.message_json(reading.session, reading.session.get_one(Message, orders(placed).id), "fr")
    assert [(each["code"], each["path"], each["text"]) for each in ours["findings"]] == [
        ("T115", "RFF+LI:2", "L'application du partenaire refuse ORDERS MP4K7QX1 : E17 Article inconnu"),
        ("T115", None, "L'application du partenaire refuse ORDERS MP4K7QX1 : E18"),
    ]
    (answer,) = ours["acknowledgements"]
    assert (answer["direction"], answer["document_number"]) == ("in", "A-1")
    assert answer["record"]["errors"][0]["code"] == "E17"


@pytest.mark.parametrize(
    "named",
    [
        "RFF+ON:MP4K7QX1'",
        "RFF+CT:X'RFF+ON:MP4K7QX1'",
        f"RFF+ACW:{SENT}'",
        "RFF+ACE:MP4K7QX1'",
        f"RFF+ON:NOBODYS'RFF+ACW:{SENT}'",
    ],
)
def test_how_the_message_may_be_named(placed: Desk, named: str) -> None:
    placed.arrive(aperak(named=named))
    assert orders(placed).state is MessageState.REJECTED


def test_in_d01b_doc_names_the_document(placed: Desk) -> None:
    text = aperak(named="DOC+220+MP4K7QX1'").replace("D:96A", "D:01B")
    placed.arrive(text)
    assert orders(placed).state is MessageState.REJECTED


def test_an_invoice_is_told_from_the_order_that_is_named_beside_it(placed: Desk) -> None:
    with placed.gateway.database.write() as uow:
        partnership = placed.gateway.partnerships.by_name(VENDOR)
        assert partnership is not None
        compose(
            uow,
            placed.gateway,
            partnership,
            "INVOIC",
            an_invoice(an_invoice_line(1, 10, "12.50"), number="MKT-1"),
            business_key="MP4K7QX1",
        )
        uow.commit()
    placed.arrive(aperak(named="RFF+ON:MP4K7QX1'RFF+IV:MKT-1'"))
    states = {message.type: message.state for message in placed.messages(Message.direction == Direction.OUT)}
    assert states["INVOIC"] is MessageState.REJECTED
    assert states["ORDERS"] is MessageState.SENT


@pytest.mark.parametrize("named", ["RFF+ON:NOBODYS'", "RFF+ACW:000000099'", ""])
def test_what_was_not_sent_is_an_exception(placed: Desk, named: str) -> None:
    placed.arrive(aperak(named=named))
    (theirs,) = placed.received("APERAK")
    assert theirs.state is MessageState.EXCEPTION
    assert placed.findings(theirs) == ["T114"]
    assert orders(placed).state is MessageState.SENT


def test_taken_in(placed: Desk) -> None:
    """312 without errors: nothing is decided by it, and the CONTRL is still waited for."""
    placed.arrive(aperak(kind="312", errors=""))
    assert orders(placed).state is MessageState.SENT
    assert placed.alerts() == []
    assert placed.findings(orders(placed)) == ["T117"]
    assert len(placed.rows(Event, Event.kind == "message.taken-in")) == 1


def test_taken_in_with_a_remark(placed: Desk) -> None:
    placed.arrive(aperak(kind="312"))
    assert orders(placed).state is MessageState.SENT
    assert placed.findings(orders(placed)) == ["T116", "T116"]
    assert placed.alerts() == []


@pytest.mark.parametrize(
    ("action", "state"), [("7", InterchangeState.ACKNOWLEDGED), ("4+12", InterchangeState.REJECTED)]
)
def test_a_contrl_after_the_aperak_speaks_of_the_syntax_alone(
    placed: Desk, action: str, state: InterchangeState
) -> None:
    placed.arrive(aperak())
    placed.arrive(contrl("V2", SENT, action))
    (out,) = [each for each in placed.interchanges(Direction.OUT) if each.control_reference == SENT]
    assert out.state is state
    assert orders(placed).state is MessageState.REJECTED
    assert "alert.contradiction" not in [alert.kind for alert in placed.alerts()]


def test_an_answered_order_is_not_touched(placed: Desk) -> None:
    placed.arrive(ordrsp("29"))
    placed.arrive(aperak("V2"))
    assert orders(placed).state is MessageState.REJECTED
    assert placed.order().state is OrderState.CONFIRMED


def test_the_same_refusal_twice_is_noted_once(placed: Desk) -> None:
    placed.arrive(aperak())
    placed.arrive(aperak("V2"))
    assert [message.state for message in placed.received("APERAK")] == [MessageState.APPLIED, MessageState.REPEATED]
    assert len(placed.alerts()) == 1


def test_an_aperak_gets_a_contrl_and_no_aperak(placed: Desk) -> None:
    placed.arrive(aperak())
    assert len(placed.sent("CONTRL")) == 1
    assert placed.sent("APERAK") == []


def test_an_aperak_of_many_errors_keeps_a_hundred_findings(placed: Desk) -> None:
    placed.arrive(aperak(errors="".join(f"ERC+E{number}'" for number in range(101))))
    assert len(placed.rows(StoredFinding, StoredFinding.message_id == orders(placed).id)) == 100
    assert len(placed.received("APERAK")[0].record["errors"]) == 101


def test_acknowledgements_are_understood_in_every_role(placed: Desk) -> None:
    object.__setattr__(placed.gateway, "handlers", {})
    placed.arrive(aperak())
    assert orders(placed).state is MessageState.REJECTED
