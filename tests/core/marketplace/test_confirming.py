"""What an answer (ORDRSP) does to an order; the scenarios G1 to G6 among it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from edi_gateway.marketplace.confirmation import LineAction, Remainder, ResponseCode
from edi_gateway.marketplace.confirming import apply_confirmation
from edi_gateway.marketplace.fulfilment import OrderState
from edi_gateway.marketplace.order import ResponseRequired
from edi_gateway.marketplace.parties import ItemIdentity
from edi_gateway.marketplace.quantities import LineState
from edi_gateway.partnership import Tolerances

from .documents import GTINS, NOW, a_confirmation, a_line, an_order, sent

D = Decimal
STRICT = Tolerances()


def codes(applied):
    return [finding.code for finding in applied.findings]


def states(applied):
    return [line.state for line in applied.order.lines]


def answer(order, confirmation, tolerances=STRICT, received=NOW):
    return apply_confirmation(order, confirmation, tolerances, received)


def test_29_without_lines_accepts_the_whole_order():
    applied = answer(sent(), a_confirmation(ResponseCode.ACCEPTED))
    assert states(applied) == [LineState.CONFIRMED] * 3
    assert applied.order.state is OrderState.CONFIRMED
    assert codes(applied) == []


def test_27_without_lines_refuses_the_whole_order():
    applied = answer(sent(), a_confirmation(ResponseCode.REFUSED))
    assert states(applied) == [LineState.REJECTED] * 3
    assert applied.order.state is OrderState.REJECTED


def test_12_leaves_the_order_waiting_and_29_confirms_it_later():
    waiting = answer(sent(), a_confirmation(ResponseCode.NOT_PROCESSED))
    assert waiting.order.state is OrderState.ACK_PENDING
    assert answer(waiting.order, a_confirmation(ResponseCode.ACCEPTED)).order.state is OrderState.CONFIRMED


def test_accepted_short_with_back_order_and_refused():
    applied = answer(
        sent(),
        a_confirmation(
            ResponseCode.CHANGED,
            a_line(1, LineAction.ACCEPTED, 10),
            a_line(2, LineAction.CHANGED, 6, difference=D(-2), remainder=Remainder.BACK_ORDER),
            a_line(3, LineAction.REFUSED),
        ),
    )
    one, two, three = (line.quantities for line in applied.order.lines)
    assert (one.confirmed, two.confirmed, two.backordered, three.rejected) == (10, 6, 2, 4)
    assert applied.order.state is OrderState.PARTIALLY_CONFIRMED
    assert codes(applied) == []


def test_header_29_with_cancelled_lines_the_lines_win_with_a_warning():
    """G1: the header says accepted, lines 2 and 3 carry QTY+182."""
    applied = answer(
        sent(),
        a_confirmation(
            ResponseCode.ACCEPTED,
            a_line(1, LineAction.ACCEPTED, 10),
            a_line(2, LineAction.CHANGED, cancelled=D(8)),
            a_line(3, LineAction.CHANGED, 0, cancelled=D(4)),
        ),
    )
    assert states(applied) == [LineState.CONFIRMED, LineState.CANCELLED, LineState.CANCELLED]
    assert codes(applied) == ["B605"]


def test_header_27_with_an_accepted_line_the_line_wins():
    applied = answer(sent(), a_confirmation(ResponseCode.REFUSED, a_line(1, LineAction.ACCEPTED, 10)))
    assert states(applied) == [LineState.CONFIRMED, LineState.REJECTED, LineState.REJECTED]
    assert codes(applied) == ["B605"]


def test_the_header_wins_where_that_was_agreed():
    confirmation = a_confirmation(ResponseCode.REFUSED, a_line(1, LineAction.ACCEPTED, 10))
    applied = answer(sent(), confirmation, Tolerances(response_code="header"))
    assert states(applied) == [LineState.REJECTED] * 3
    assert codes(applied) == ["B605"]


@pytest.mark.parametrize(
    ("required", "absent", "state", "finding"),
    [
        (ResponseRequired.ALL_LINES, "accepted", LineState.OPEN, ["B606", "B606"]),
        (ResponseRequired.CHANGES_ONLY, "unanswered", LineState.CONFIRMED, []),
        (None, "accepted", LineState.CONFIRMED, []),
        (None, "unanswered", LineState.OPEN, []),
        (ResponseRequired.NONE, "accepted", LineState.CONFIRMED, []),
        (None, "refused", LineState.REJECTED, []),
        (ResponseRequired.CHANGES_ONLY, "refused", LineState.CONFIRMED, []),
    ],
)
def test_what_silence_about_a_line_means(required, absent, state, finding):
    """G3: BGM 4343 AC, AI and the agreement decide."""
    order = sent(an_order(response_required=required))
    change = a_line(1, LineAction.CHANGED, 8, remainder=Remainder.CANCELLED)
    applied = answer(order, a_confirmation(ResponseCode.CHANGED, change), Tolerances(absent_line=absent))
    assert states(applied) == [LineState.PARTIAL, state, state]
    assert codes(applied) == finding


def test_no_action_leaves_a_line_as_it_was():
    applied = answer(sent(), a_confirmation(ResponseCode.CHANGED, a_line(1, LineAction.NO_ACTION)))
    assert states(applied) == [LineState.OPEN] * 3


def test_a_split_line_is_added_up():
    """G6: the order line comes twice, the second time with 1229 = 1."""
    applied = answer(
        sent(),
        a_confirmation(
            ResponseCode.CHANGED,
            a_line(1, LineAction.CHANGED, 6, promised_delivery=date(2026, 11, 25)),
            a_line(1, LineAction.ADDED, 4, promised_delivery=date(2026, 11, 27)),
        ),
    )
    assert applied.order.lines[0].quantities.confirmed == 10


def test_a_split_between_accepted_and_refused():
    applied = answer(
        sent(),
        a_confirmation(ResponseCode.CHANGED, a_line(1, LineAction.CHANGED, 6), a_line(1, LineAction.REFUSED)),
    )
    assert (applied.order.lines[0].quantities.confirmed, applied.order.lines[0].quantities.rejected) == (6, 4)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({"difference": D(-4), "remainder": Remainder.CANCELLED}, {"confirmed": 6, "cancelled": 4}),
        ({"quantity": 6, "remainder": Remainder.CANCELLED}, {"confirmed": 6, "cancelled": 4}),
        ({"quantity": 6, "backordered": D(4)}, {"confirmed": 6, "backordered": 4}),
        ({"backordered": D(4)}, {"confirmed": 6, "backordered": 4}),
        ({"rejected": D(3), "cancelled": D(2)}, {"confirmed": 5, "rejected": 3, "cancelled": 2}),
        ({}, {"confirmed": 10}),
    ],
)
def test_how_a_changed_line_may_say_it(line, expected):
    applied = answer(sent(), a_confirmation(ResponseCode.CHANGED, a_line(1, LineAction.CHANGED, **line)))
    quantities = applied.order.lines[0].quantities
    assert {name: getattr(quantities, name) for name in expected} == expected
    assert codes(applied) == []


def test_a_rest_that_nobody_explains_stays_unanswered_with_a_warning():
    applied = answer(sent(), a_confirmation(ResponseCode.CHANGED, a_line(1, LineAction.CHANGED, 6)))
    assert applied.order.lines[0].quantities.unanswered == 4
    assert codes(applied) == ["B607"]


def test_more_than_ordered_changes_nothing():
    applied = answer(sent(), a_confirmation(ResponseCode.CHANGED, a_line(1, LineAction.CHANGED, 11)))
    assert applied.order.lines[0].state is LineState.OPEN
    assert codes(applied) == ["B608"]


def test_a_quantity_below_zero_changes_nothing():
    applied = answer(sent(), a_confirmation(ResponseCode.CHANGED, a_line(1, LineAction.CHANGED, -1)))
    assert applied.order.lines[0].state is LineState.OPEN
    assert codes(applied) == ["Q710"]


def test_an_unknown_line_is_a_finding_and_the_others_count():
    stray = replace(a_line(1, LineAction.ACCEPTED, 1), order_line=9, item=ItemIdentity(gtin="96385074"))
    applied = answer(sent(), a_confirmation(ResponseCode.CHANGED, a_line(2, LineAction.ACCEPTED, 8), stray))
    assert states(applied)[1] is LineState.CONFIRMED
    assert codes(applied) == ["B603"]


def test_a_vendor_who_numbers_lines_in_his_own_way_is_understood_by_the_article():
    line = replace(a_line(3, LineAction.ACCEPTED, 4), order_line=1)
    applied = answer(sent(), a_confirmation(ResponseCode.CHANGED, line))
    assert states(applied) == [LineState.OPEN, LineState.OPEN, LineState.CONFIRMED]


def test_another_article_on_the_line_is_a_warning():
    line = replace(a_line(1, LineAction.ACCEPTED, 10), item=ItemIdentity(gtin="96385074"))
    applied = answer(sent(), a_confirmation(ResponseCode.CHANGED, line))
    assert states(applied)[0] is LineState.CONFIRMED
    assert codes(applied) == ["B604"]


def test_a_gtin_of_14_digits_is_the_same_article():
    line = replace(a_line(1, LineAction.ACCEPTED, 10), item=ItemIdentity(gtin="0" + GTINS[0]))
    assert codes(answer(sent(), a_confirmation(ResponseCode.CHANGED, line))) == []


def test_a_newer_answer_replaces_the_one_before():
    first = answer(sent(), a_confirmation(ResponseCode.CHANGED, a_line(1, LineAction.CHANGED, 6, cancelled=D(4))))
    second = answer(first.order, a_confirmation(ResponseCode.CHANGED, a_line(1, LineAction.ACCEPTED, 10)))
    assert second.order.lines[0].quantities.confirmed == 10


def test_an_answer_after_the_line_was_shipped_changes_nothing():
    order = answer(sent(), a_confirmation(ResponseCode.ACCEPTED)).order
    line = order.lines[0]
    shipped = order.with_lines([line.moved(line.quantities.with_shipment(D(4)))])
    applied = answer(shipped, a_confirmation(ResponseCode.CHANGED, a_line(1, LineAction.REFUSED)))
    assert applied.order == shipped
    assert codes(applied) == ["B609"]


def test_an_answer_to_a_refused_order_is_refused():
    refused = answer(sent(), a_confirmation(ResponseCode.REFUSED)).order
    applied = answer(refused, a_confirmation(ResponseCode.ACCEPTED))
    assert applied.order == refused
    assert codes(applied) == ["B614"]


def test_an_answer_after_the_cancel_date_is_refused():
    order = sent(an_order(cancel_after=NOW.date()))
    assert codes(answer(order, a_confirmation(ResponseCode.ACCEPTED))) == []
    late = answer(order, a_confirmation(ResponseCode.ACCEPTED), received=NOW + timedelta(days=1))
    assert late.order == order
    assert codes(late) == ["B613"]


def test_a_promise_after_the_window_is_a_warning():
    on_time = a_line(1, LineAction.ACCEPTED, 10, promised_delivery=date(2026, 11, 27))
    late = replace(on_time, promised_delivery=date(2026, 11, 28))
    assert codes(answer(sent(), a_confirmation(ResponseCode.CHANGED, on_time))) == []
    assert codes(answer(sent(), a_confirmation(ResponseCode.CHANGED, late))) == ["B612"]


@pytest.mark.parametrize(
    ("price", "tolerances", "agreed", "proposed", "finding"),
    [
        ("12.50", STRICT, "12.50", None, []),
        ("12.51", STRICT, "12.50", "12.51", ["B610"]),
        ("12.51", Tolerances(price_absolute=D("0.01")), "12.51", None, []),
        ("12.62", Tolerances(price_percent=D(1)), "12.62", None, []),
        ("12.63", Tolerances(price_percent=D(1)), "12.50", "12.63", ["B610"]),
        ("0", STRICT, "12.50", None, ["B611"]),
        ("-1", STRICT, "12.50", None, ["B611"]),
    ],
)
def test_a_changed_price_is_proposed_and_never_accepted_by_itself(price, tolerances, agreed, proposed, finding):
    line = a_line(1, LineAction.CHANGED, 10, unit_price=D(price))
    applied = answer(sent(), a_confirmation(ResponseCode.CHANGED, line), tolerances)
    assert applied.order.lines[0].agreed_price == D(agreed)
    assert applied.order.lines[0].proposed_price == (None if proposed is None else D(proposed))
    assert codes(applied) == finding


def test_a_price_per_hundred_is_compared_on_the_basis_of_the_order():
    line = a_line(1, LineAction.ACCEPTED, 10, unit_price=D("1250"), price_basis=D(100))
    applied = answer(sent(), a_confirmation(ResponseCode.CHANGED, line))
    assert applied.order.lines[0].agreed_price == D("12.50")
    assert codes(applied) == []
