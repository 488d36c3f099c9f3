"""What is expected of the vendor, by when, and what happens when it does not come."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from edi_gateway.gateway.overdue_list import overdue_json
from edi_gateway.gateway.sweep import sweep
from edi_gateway.marketplace.fulfilment import OrderState, PaymentState
from edi_gateway.partnership import DeadlineKind, Deadlines, DeadlineTerms, OverduePolicy
from edi_gateway.store.deadlines import DeadlineRow
from edi_gateway.store.documents import MessageState
from edi_gateway.store.events import Event
from tests.core.marketplace.documents import an_order
from tests.gateway.documents.desk import Desk, a_partnership, desadv, invoic, invrpt, ordrsp, partial
from tests.gateway.documents.test_overdue import deliver

# The desk opens on Sunday, 22 November 2026, 12:00 UTC: working time begins on Monday, 0:00 in Paris.
MONDAY_0 = datetime(2026, 11, 22, 23, tzinfo=UTC)
TUESDAY_0 = MONDAY_0 + timedelta(days=1)


def agree(desk: Desk, **deadlines: Any) -> None:
    desk.agree(replace(a_partnership(), deadlines=Deadlines(**deadlines)))


def then(policy: OverduePolicy, hours: float = 24) -> DeadlineTerms:
    return DeadlineTerms(within=timedelta(hours=hours), working=True, then=policy)


def open_deadlines(desk: Desk) -> dict[str, datetime]:
    return {row.kind.value: row.due_at for row in desk.rows(DeadlineRow, DeadlineRow.closed_at.is_(None))}


def listed(desk: Desk, **which: Any) -> list[str]:
    with desk.gateway.database.read() as reading:
        found = overdue_json(reading.session, desk.now, limit=100, **which)
    return [item["kind"] for item in found]


def sweep_at(desk: Desk, now: datetime) -> None:
    desk.now = now
    sweep(desk.gateway)


def told(desk: Desk, *but: str) -> list[str]:
    """What was told, but for these; nothing that the desk sends is ever delivered by itself."""
    kinds = [event.body["deadline"] for event in desk.shop_events("deadline.overdue")]
    return [kind for kind in kinds if kind not in (but or ("mdn",))]


def test_an_order_that_left_expects_its_answer(desk: Desk) -> None:
    desk.place(payment=PaymentState.PENDING)
    assert open_deadlines(desk) == {}
    desk.place(an_order("MP2"))
    assert open_deadlines(desk) == {"ordrsp": TUESDAY_0}


def test_each_document_closes_one_deadline_and_opens_the_next(desk: Desk) -> None:
    desk.place()
    desk.arrive(ordrsp("29"))
    assert open_deadlines(desk) == {"ship": datetime(2026, 11, 27, 23, tzinfo=UTC)}  # the end of DTM 63, in Paris
    desk.arrive(partial("VEN0009", number="OR-1002"))
    desk.arrive(desadv())
    assert open_deadlines(desk)["invoic"] == datetime(2026, 12, 3, 0, tzinfo=UTC)  # 5 working days from the 26th
    desk.arrive(invoic())
    assert set(open_deadlines(desk)) == {"ship"}  # of the back order


def test_no_answer_in_time_is_told_once(desk: Desk) -> None:
    desk.place()
    sweep_at(desk, TUESDAY_0)
    assert (listed(desk, kind=DeadlineKind.ORDRSP), told(desk)) == ([], [])
    sweep_at(desk, TUESDAY_0 + timedelta(seconds=1))
    sweep_at(desk, TUESDAY_0 + timedelta(hours=3))
    assert listed(desk, kind=DeadlineKind.ORDRSP) == ["ordrsp"]
    assert told(desk).count("ordrsp") == 1
    alerts = [alert.subject for alert in desk.alerts() if alert.kind == "alert.deadline-overdue"]
    assert alerts.count("order:vendor/MP4K7QX1") == 1


def test_what_comes_late_is_cleared(desk: Desk) -> None:
    desk.place()
    sweep_at(desk, TUESDAY_0 + timedelta(hours=1))
    assert desk.order().state is OrderState.EXPIRED_NO_RESPONSE
    desk.arrive(ordrsp("29"))
    assert desk.order().state is OrderState.CONFIRMED
    assert listed(desk, kind=DeadlineKind.ORDRSP) == []
    (cleared,) = desk.rows(Event, Event.kind == "deadline.cleared")
    assert cleared.subject == "order:vendor/MP4K7QX1"


@pytest.mark.parametrize(
    ("policy", "states", "events"),
    [
        (OverduePolicy.REMIND, ["emitted"], set()),
        (OverduePolicy.HOLD, ["emitted", "expired_no_response"], set()),
        (
            OverduePolicy.CANCEL,
            ["emitted", "expired_no_response", "cancelled"],
            {"payment.cancel_requested", "stock.released"},
        ),
        (OverduePolicy.ACCEPT, ["emitted", "expired_no_response", "confirmed"], {"stock.reserved"}),
    ],
)
def test_what_silence_means_is_agreed(desk: Desk, policy: OverduePolicy, states: list[str], events: set[str]) -> None:
    """G5."""
    agree(desk, ordrsp=then(policy))
    desk.place()
    sweep_at(desk, TUESDAY_0 + timedelta(seconds=1))
    assert [event.body["to"] for event in desk.shop_events("order.state")] == states
    assert {event.kind for event in desk.shop_events()} == events
    sweep_at(desk, TUESDAY_0 + timedelta(days=1))
    assert {event.kind for event in desk.shop_events()} == events


def test_not_processed_yet_neither_answers_nor_alarms(desk: Desk) -> None:
    """G4: the clock still runs from the start; 29 after 20 h is in time."""
    desk.place()
    desk.arrive(ordrsp("12"))
    assert desk.order().state is OrderState.ACK_PENDING
    assert open_deadlines(desk)["ordrsp"] == TUESDAY_0
    sweep_at(desk, MONDAY_0 + timedelta(hours=20))
    desk.arrive(ordrsp("29", reference="VEN0002", number="OR-1002"))
    assert desk.order().state is OrderState.CONFIRMED
    assert told(desk) == []


@pytest.mark.parametrize(
    ("policy", "state"),
    [
        (OverduePolicy.REMIND, OrderState.CONFIRMED),
        (OverduePolicy.HOLD, OrderState.INCIDENT),
        (OverduePolicy.CANCEL, OrderState.CANCELLED),
    ],
)
def test_nothing_shipped_within_the_window(desk: Desk, policy: OverduePolicy, state: OrderState) -> None:
    agree(desk, ship=then(policy))
    desk.place()
    desk.arrive(ordrsp("29"))
    sweep_at(desk, datetime(2026, 11, 27, 23, 1, tzinfo=UTC))
    assert "ship" in told(desk)
    assert desk.order().state is state


def test_an_order_lapses_with_its_cancel_date(desk: Desk) -> None:
    """A back order that never ships: what is open is cancelled, the customer is refunded."""
    desk.place(an_order(cancel_after=date(2026, 11, 30)))
    desk.arrive(partial())
    desk.arrive(desadv())
    sweep_at(desk, datetime(2026, 11, 30, 23, 1, tzinfo=UTC))
    assert desk.order().state is OrderState.SHIPPED
    refunds = [event.body["total"] for event in desk.shop_events("payment.refund_requested")]
    assert refunds == ["24.00", "48.00"]  # 4 x 5.00 refused, 2 x 20.00 never shipped, with 20 %


def test_a_promised_despatch_wants_its_advice(desk: Desk) -> None:
    desk.place()
    promise = "LIN+{0}+5+{1}:EN'QTY+21:{2}'DTM+11:202611241500:203'"
    lines = [(1, "3760123450010", 10), (2, "3760123450027", 8), (3, "3760123450034", 4)]
    desk.arrive(ordrsp("29", *(promise.format(*line) for line in lines)))
    assert open_deadlines(desk)["desadv"] == datetime(2026, 11, 24, 14, 30, tzinfo=UTC)


def test_stock_reports_are_due_every_working_day(desk: Desk) -> None:
    sweep(desk.gateway)
    assert open_deadlines(desk) == {"invrpt": TUESDAY_0}
    desk.now = datetime(2026, 11, 27, 6, tzinfo=UTC)
    desk.arrive(invrpt())
    assert open_deadlines(desk) == {"invrpt": datetime(2026, 11, 30, 6, tzinfo=UTC)}
    sweep_at(desk, datetime(2026, 11, 30, 7, tzinfo=UTC))
    assert (listed(desk, kind=DeadlineKind.INVRPT), told(desk)) == (["invrpt"], ["invrpt"])
    desk.arrive(invrpt("VEN0005", at="202611300600", number="INV-2"))
    assert listed(desk, kind=DeadlineKind.INVRPT) == []
    sweep_at(desk, datetime(2026, 12, 2, 7, tzinfo=UTC))
    assert told(desk) == ["invrpt", "invrpt"]


def test_a_document_that_waits_too_long_shows(desk: Desk) -> None:
    desk.place()
    desk.arrive(desadv())
    assert open_deadlines(desk)["waiting"] == desk.now + timedelta(days=1)
    sweep_at(desk, desk.now + timedelta(days=1, minutes=1))
    assert listed(desk, kind=DeadlineKind.WAITING) == ["waiting"]
    desk.arrive(partial())
    (advice,) = desk.received("DESADV")
    assert advice.state is MessageState.APPLIED
    assert listed(desk, kind=DeadlineKind.WAITING) == []


def test_an_invoice_before_its_goods_waits_too(desk: Desk) -> None:
    desk.place()
    desk.arrive(partial())
    desk.arrive(invoic())
    assert "waiting" in open_deadlines(desk)
    desk.arrive(desadv("VEN0009"))
    assert "waiting" not in open_deadlines(desk)


def test_what_is_not_delivered_is_overdue_once(desk: Desk) -> None:
    desk.place()
    desk.later(minutes=30)
    sweep(desk.gateway)
    assert listed(desk) == []
    desk.later(seconds=1)
    sweep(desk.gateway)
    desk.later(hours=1)
    sweep(desk.gateway)
    assert (listed(desk), told(desk, "ordrsp")) == (["mdn"], ["mdn"])
    deliver(desk)
    sweep(desk.gateway)
    assert listed(desk) == []


def test_the_list_says_what_where_since_when_and_what_to_do(desk: Desk) -> None:
    desk.place()
    desk.now = TUESDAY_0 + timedelta(hours=26)
    with desk.gateway.database.read() as reading:
        (item,) = overdue_json(reading.session, desk.now, limit=10, language="fr", kind=DeadlineKind.ORDRSP)
    assert (item["order_number"], item["subject"], item["late"]) == ("MP4K7QX1", "order:vendor/MP4K7QX1", "1d 2h")
    assert item["text"] == "MP4K7QX1 est sans réponse"
    assert item["hint"].startswith("Réclamez")
    assert item["told_at"] is None


def test_what_has_been_met_costs_the_question_nothing(desk: Desk) -> None:
    """The list, and the sweep, look only at what is open: an index of those rows alone."""
    if desk.gateway.database.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL chooses by what it knows of the rows")
    with desk.gateway.database.read() as reading:
        for question in (
            "SELECT id FROM deadline WHERE closed_at IS NULL AND due_at < '2027' ORDER BY due_at, id LIMIT 9",
            "SELECT id FROM deadline WHERE closed_at IS NULL AND overdue_at IS NULL AND due_at < '2027'"
            " ORDER BY due_at, id LIMIT 9",
            "SELECT id FROM deadline WHERE closed_at IS NULL AND partnership = 'vendor' AND order_number = '1'",
        ):
            plan = [row[3] for row in reading.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {question}")]
            assert all("USING INDEX ix_deadline_" in step or "COVERING INDEX ix_deadline_" in step for step in plan), (
                plan
            )
