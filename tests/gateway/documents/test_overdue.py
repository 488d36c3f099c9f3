"""What we sent and asked a CONTRL for, and none came: somebody hears of it, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from edi_gateway.gateway.states import OUTBOUND, OutboundEvent, advance
from edi_gateway.gateway.sweep import sweep
from edi_gateway.marketplace.order import Order
from edi_gateway.partnership import Direction
from edi_gateway.store.documents import Interchange, InterchangeState, recent_messages
from edi_gateway.store.events import Event
from edi_gateway.store.transmissions import Transmission, TransmissionState
from tests.core.marketplace.documents import BUYER, SUPPLIER, an_order
from tests.gateway.documents.desk import Desk, a_partnership, contrl, ordrsp, other_vendor

SENT = "000000001"


def deliver(desk: Desk, *events: OutboundEvent) -> None:
    """What waits to leave reaches the partners."""
    with desk.gateway.database.write() as uow:
        for row in uow.session.query(Transmission).filter_by(state=TransmissionState.QUEUED):
            for event in events or (OutboundEvent.TAKE, OutboundEvent.ACKNOWLEDGE):
                row.state = advance(OUTBOUND, row.state, event)
            row.changed_at, row.reason = desk.now, "as the test has it"
        uow.commit()


def overdue(desk: Desk) -> list[str]:
    with desk.gateway.database.read() as reading:
        return [row.type for row in recent_messages(reading.session, limit=10, overdue=True)]


def swept(desk: Desk, **later: float) -> list[str]:
    """The alerts after so much time, and a sweep."""
    desk.later(**later)
    sweep(desk.gateway)
    return [alert.kind for alert in desk.alerts()]


@pytest.fixture
def delivered(desk: Desk) -> Desk:
    desk.place()
    desk.later(minutes=5)
    deliver(desk)
    return desk


def test_after_a_quarter_of_an_hour_an_alert_once(delivered: Desk) -> None:
    """Counted from the delivery: 15 minutes are not too late, a moment more is."""
    assert swept(delivered, minutes=15) == []
    assert overdue(delivered) == []
    assert swept(delivered, microseconds=1) == ["alert.acknowledgement-overdue"]
    assert swept(delivered, hours=3) == ["alert.acknowledgement-overdue"]
    (alert,) = delivered.alerts()
    assert alert.subject == delivered.interchanges(Direction.OUT)[0].subject
    assert alert.reason == f"no CONTRL for interchange {SENT} 15 min after it was delivered"
    assert overdue(delivered) == ["ORDERS"]


@pytest.mark.parametrize("action", ["7", "4+12+UNB+3"])
def test_a_contrl_that_comes_late_clears_it(delivered: Desk, action: str) -> None:
    swept(delivered, minutes=16)
    delivered.arrive(contrl("V1", SENT, action))
    assert overdue(delivered) == []
    (late,) = delivered.rows(Event, Event.kind == "acknowledgement.late")
    assert late.reason == f"the CONTRL for interchange {SENT} came, overdue since 2026-11-22 12:21Z"
    assert delivered.interchanges(Direction.OUT)[0].overdue_at is None
    assert swept(delivered, hours=1).count("alert.acknowledgement-overdue") == 1


def test_a_receipt_is_not_what_was_asked_for(delivered: Desk) -> None:
    """UCI 8 says that it came; 0031 = 1 asks for an acknowledgement or a rejection (CONTRL, 0083)."""
    delivered.arrive(contrl("V1", SENT, "8"))
    assert swept(delivered, minutes=16) == ["alert.acknowledgement-overdue"]


def test_in_time_there_is_nothing_to_say(delivered: Desk) -> None:
    delivered.arrive(contrl("V1", SENT))
    assert swept(delivered, hours=1) == []
    assert delivered.rows(Event, Event.kind == "acknowledgement.late") == []


@pytest.mark.parametrize(
    "events",
    [
        (OutboundEvent.TAKE, OutboundEvent.RETRY),
        (OutboundEvent.TAKE, OutboundEvent.REFUSE),
        (OutboundEvent.TAKE, OutboundEvent.PARK),
    ],
)
def test_what_was_not_delivered_is_not_waited_for(desk: Desk, events: tuple[OutboundEvent, ...]) -> None:
    desk.place()
    deliver(desk, *events)
    assert "alert.acknowledgement-overdue" not in swept(desk, hours=1)


def test_a_contrl_of_ours_asks_for_none(desk: Desk) -> None:
    desk.arrive(ordrsp("29", order="NOBODYS"))
    deliver(desk)
    assert swept(desk, hours=1) == ["alert.exception"]


def test_the_wait_is_agreed_with_each_partner_and_may_be_none_at_all(desk: Desk) -> None:
    patient, silent = other_vendor(), a_partnership(request_acknowledgement=False)
    patient = replace(patient, edifact=replace(patient.edifact, contrl_wait=timedelta(hours=2)))
    desk.agree(silent, patient)
    for partner in ("vendor", "other"):
        order = _order_of(partner)
        desk.place(order, partner=partner)
    deliver(desk)
    assert swept(desk, hours=2) == []
    assert swept(desk, seconds=1) == ["alert.acknowledgement-overdue"]
    (row,) = desk.rows(Interchange, Interchange.overdue_at.is_not(None))
    assert row.partnership == "other"


def _order_of(partner: str) -> Order:
    order = an_order()
    if partner == "vendor":
        return order
    gln = {SUPPLIER: "3760000001021", BUYER: BUYER}
    parties = tuple(replace(party, identifier=gln.get(party.identifier, party.identifier)) for party in order.parties)
    return replace(order, parties=parties)


def test_the_state_of_the_interchange_follows_the_contrl(delivered: Desk) -> None:
    delivered.arrive(contrl("V1", SENT))
    assert delivered.interchanges(Direction.OUT)[0].state is InterchangeState.ACKNOWLEDGED
