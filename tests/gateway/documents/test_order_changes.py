"""An order that has left is changed, or cancelled, only with the vendor's yes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from edi_gateway.gateway.compose import ComposeRefused
from edi_gateway.gateway.order_changes import ChangeConflict, ChangeRefused, request_change
from edi_gateway.gateway.sweep import sweep
from edi_gateway.marketplace.changing import ChangeRequest, LineRequest
from edi_gateway.marketplace.fulfilment import OrderState, PaymentState
from edi_gateway.marketplace.parties import Period
from edi_gateway.partnership import Deadlines, DeadlineTerms, Direction, MessageAgreement, OverduePolicy
from edi_gateway.store.business import ChangeState, OrderChangeRow
from edi_gateway.store.documents import Message
from tests.gateway.documents.desk import Desk, a_partnership, contrl, desadv, ordrsp, partial

NUMBER, CHANGE = "MP4K7QX1", "MP4K7QX1-01"
CANCEL = ChangeRequest(cancel=True, reason="the customer has changed their mind")
D = Decimal


@pytest.fixture(autouse=True)
def agreed(desk: Desk) -> None:
    agree(desk)


def agree(desk: Desk, **deadlines: Any) -> None:
    partnership = a_partnership()
    ordchg = MessageAgreement(type="ORDCHG", direction=Direction.OUT)
    desk.agree(replace(partnership, messages=(*partnership.messages, ordchg), deadlines=Deadlines(**deadlines)))


def line(number: int, **asked: Any) -> ChangeRequest:
    return ChangeRequest(lines=(LineRequest(number=number, **asked),))


def ask(desk: Desk, request: ChangeRequest = CANCEL) -> ChangeState:
    return request_change(desk.gateway, "vendor", NUMBER, request).state


def changes(desk: Desk) -> list[ChangeState]:
    return [row.state for row in desk.rows(OrderChangeRow)]


def answer(code: str, *lines: str, reference: str = "VEN0050", change: str = CHANGE) -> str:
    """An ORDRSP that names the change."""
    text = ordrsp(code, *lines, reference=reference, number="OR-2001")
    named = text.replace(f"RFF+ON:{NUMBER}'", f"RFF+ON:{NUMBER}'RFF+POR:{change}'", 1)
    count = named.split("UNT+")[1].split("+")[0]
    return named.replace(f"UNT+{count}+", f"UNT+{int(count) + 1}+")


def test_a_cancellation_waits_for_the_vendor(desk: Desk) -> None:
    desk.place()
    assert ask(desk) is ChangeState.REQUESTED
    (text,) = desk.sent("ORDCHG")
    assert f"BGM+230+{CHANGE}+1'" in text
    assert f"RFF+ON:{NUMBER}::1'" in text
    assert "LIN+3+2'" in text or "LIN+3+2+" in text
    assert desk.order().state is OrderState.CANCEL_REQUESTED
    assert desk.shop_events("payment.") == []
    desk.arrive(answer("29"))
    assert (desk.order().state, changes(desk)) == (OrderState.CANCELLED, [ChangeState.ACCEPTED])
    (back,) = desk.shop_events("payment.")
    assert (back.kind, back.body["total"]) == ("payment.cancel_requested", "366.00")
    assert [event.kind for event in desk.shop_events("order.change")] == [
        "order.change_requested",
        "order.change_accepted",
    ]


def test_the_vendor_may_refuse(desk: Desk) -> None:
    desk.place()
    desk.arrive(ordrsp("29"))
    desk.later(minutes=1)
    ask(desk)
    desk.arrive(answer("27"))
    assert (desk.order().state, changes(desk)) == (OrderState.CONFIRMED, [ChangeState.REFUSED])
    assert desk.shop_events("payment.") == []


def test_who_refuses_an_order_that_we_cancel_agrees(desk: Desk) -> None:
    desk.place()
    ask(desk)
    desk.arrive(ordrsp("27"))
    assert (desk.order().state, changes(desk)) == (OrderState.CANCELLED, [ChangeState.ACCEPTED])
    assert [event.kind for event in desk.shop_events("payment.")] == ["payment.cancel_requested"]


def test_an_answer_that_crosses_ours_is_no_answer_to_it(desk: Desk) -> None:
    desk.place()
    ask(desk)
    desk.arrive(ordrsp("29"))
    assert (desk.order().state, changes(desk)) == (OrderState.CANCEL_REQUESTED, [ChangeState.REQUESTED])
    assert desk.order().lines[0].confirmed == 10


def test_goods_that_left_before_refuse_it(desk: Desk) -> None:
    desk.place()
    desk.arrive(partial())
    ask(desk)
    desk.arrive(desadv())
    assert (desk.order().state, changes(desk)) == (OrderState.PARTIALLY_SHIPPED, [ChangeState.REFUSED])
    assert "B665" in desk.findings(desk.received("DESADV")[0])


def test_what_was_shipped_is_not_cancelled(desk: Desk) -> None:
    desk.place()
    desk.arrive(partial())
    desk.arrive(desadv())
    with pytest.raises(ChangeRefused) as refusal:
        ask(desk)
    assert [finding.code for finding in refusal.value.findings] == ["B661", "B661"]
    assert desk.sent("ORDCHG") == []
    assert ask(desk, line(2, quantity=D(6))) is ChangeState.REQUESTED  # the back order may be


@pytest.mark.parametrize(
    ("request_", "codes"),
    [
        (line(1, quantity=D(10)), ["B662"]),
        (line(1, quantity=D(11)), ["B662"]),
        (line(1, quantity=D(-1)), ["Q710"]),
        (line(9, quantity=D(1)), ["B603"]),
        (line(1, unit_price=D(0)), ["B611"]),
        (line(1, unit_price=D("12.50")), []),
        (ChangeRequest(), ["B664"]),
        (ChangeRequest(delivery_window=Period(end=date(2026, 11, 1))), ["B632"]),
        (
            ChangeRequest(lines=(LineRequest(number=1, quantity=D(5)), LineRequest(number=1, quantity=D(4)))),
            ["B638"] * 2,
        ),
    ],
)
def test_what_cannot_be_asked(desk: Desk, request_: ChangeRequest, codes: list[str]) -> None:
    desk.place()
    if not codes:
        assert ask(desk, request_) is ChangeState.REQUESTED
        return
    with pytest.raises(ChangeRefused) as refusal:
        ask(desk, request_)
    assert [finding.code for finding in refusal.value.findings] == codes
    assert desk.rows(OrderChangeRow) == []


def test_a_lower_quantity_stays_lower_whatever_is_answered_later(desk: Desk) -> None:
    desk.place()
    ask(desk, line(1, quantity=D(6)))
    desk.arrive(answer("29"))
    first = desk.order().lines[0]
    assert (first.cancelled, first.withdrawn, desk.order().state) == (4, 4, OrderState.EMITTED)
    desk.arrive(ordrsp("29", reference="VEN0060", number="OR-3"))
    first = desk.order().lines[0]
    assert (first.confirmed, first.cancelled, desk.order().state) == (6, 4, OrderState.CONFIRMED)
    assert [(event.kind, event.body["total"]) for event in desk.shop_events("payment.")] == [
        ("payment.refund_requested", "60.00")
    ]


def test_price_and_window_are_agreed_anew(desk: Desk) -> None:
    desk.place()
    window = Period(start=date(2026, 12, 1), end=date(2026, 12, 4))
    request = ChangeRequest(lines=(LineRequest(number=1, unit_price=D("11.00")),), delivery_window=window)
    ask(desk, request)
    (text,) = desk.sent("ORDCHG")
    assert "DTM+63:20261204:102'" in text
    assert "PRI+AAA:11" in text
    desk.arrive(answer("29"))
    order = desk.order()
    assert order.lines[0].confirmed_price == 11
    assert order.record["delivery_window"]["end"] == "2026-12-04"
    assert desk.shop_events("payment.") == []
    desk.place()  # the order as it was placed is still known


def test_the_same_request_is_one_change(desk: Desk) -> None:
    desk.place()
    ask(desk)
    again = request_change(desk.gateway, "vendor", NUMBER, CANCEL)
    assert (again.created, again.version) == (False, 1)
    with pytest.raises(ChangeConflict):
        ask(desk, line(1, quantity=D(6)))


def test_before_it_has_left_it_is_cancelled_at_once(desk: Desk) -> None:
    desk.place(payment=PaymentState.PENDING)
    assert ask(desk) is ChangeState.ACCEPTED
    assert (desk.order().state, desk.sent()) == (OrderState.CANCELLED, [])


def test_without_an_agreement_nothing_is_asked(desk: Desk) -> None:
    desk.agree(a_partnership())
    desk.place()
    with pytest.raises(ComposeRefused):
        ask(desk)
    assert (desk.order().state, desk.rows(OrderChangeRow)) == (OrderState.EMITTED, [])


def test_an_ordchg_that_is_refused_refuses_the_change(desk: Desk) -> None:
    desk.place()
    ask(desk)
    sent = desk.rows(Message, Message.type == "ORDCHG")[0]
    desk.arrive(contrl("VEN0070", "000000002", "4+12+UNB+3"))
    assert sent.state.value == "sent"
    assert (desk.order().state, changes(desk)) == (OrderState.EMITTED, [ChangeState.REFUSED])


@pytest.mark.parametrize(
    ("policy", "state"),
    [
        (OverduePolicy.REMIND, OrderState.CANCEL_REQUESTED),
        (OverduePolicy.HOLD, OrderState.CANCEL_REQUESTED),
        (OverduePolicy.ACCEPT, OrderState.CANCELLED),
    ],
)
def test_what_silence_means_is_agreed(desk: Desk, policy: OverduePolicy, state: OrderState) -> None:
    agree(desk, ordchg=DeadlineTerms(within=timedelta(hours=24), working=True, then=policy))
    desk.place()
    desk.arrive(ordrsp("29"))
    ask(desk)
    desk.now = datetime(2026, 11, 23, 23, 1, tzinfo=UTC)
    sweep(desk.gateway)
    assert "ordchg" in [event.body["deadline"] for event in desk.shop_events("deadline.overdue")]
    assert desk.order().state is state
