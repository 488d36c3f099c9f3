"""What an order makes us expect of the vendor, and by when: derived from the order as it stands.

A deadline opens when the order comes to expect something and closes when it no longer does, whatever the reason. So a
message that comes twice, late or out of order needs no case of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from edi_gateway.marketplace.calendars import BusinessCalendar, due
from edi_gateway.marketplace.fulfilment import CLOSED_STATES, LineProgress, OrderMessageState, OrderProgress
from edi_gateway.marketplace.order import ResponseRequired
from edi_gateway.marketplace.parties import Moment
from edi_gateway.partnership import DeadlineKind, Deadlines, Direction, Partnership


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """When the clocks of an order began to run; None where that has not happened."""

    emitted: datetime | None = None  # ORDERS was queued
    answered: datetime | None = None  # the newest answer
    delivered: datetime | None = None  # the oldest shipment that is not wholly invoiced
    changed: datetime | None = None  # a change that we asked for and that is not answered


@dataclass(frozen=True, slots=True)
class Agreed:
    """What the expectations are measured by."""

    deadlines: Deadlines
    calendar: BusinessCalendar
    sends: frozenset[str]  # the message types that the vendor sends


def agreed(partnership: Partnership, calendar: BusinessCalendar) -> Agreed:
    sends = frozenset(each.type for each in partnership.messages if each.direction is Direction.IN)
    return Agreed(partnership.deadlines, calendar, sends)


def expected(order: OrderProgress, clocks: Clocks, terms: Agreed) -> Mapping[DeadlineKind, datetime]:
    """What is expected of the vendor now, each with the moment (UTC) after which it is overdue."""
    if clocks.emitted is None or order.state in CLOSED_STATES:
        return {}
    return dict(_expected(order, clocks, clocks.emitted, terms))


def _expected(
    order: OrderProgress, clocks: Clocks, emitted: datetime, terms: Agreed
) -> Iterator[tuple[DeadlineKind, datetime]]:
    def by(kind: DeadlineKind, since: datetime) -> tuple[DeadlineKind, datetime]:
        return kind, due(terms.calendar, terms.deadlines.terms(kind), since)

    if "ORDRSP" in terms.sends and is_answer_expected(order):
        yield by(DeadlineKind.ORDRSP, emitted)
    if clocks.changed is not None:
        yield by(DeadlineKind.ORDCHG, clocks.changed)
    if order.order.cancel_after is not None and any(line.quantities.is_open for line in order.lines):
        yield DeadlineKind.CANCEL_AFTER, terms.calendar.end_of(order.order.cancel_after)
    if ships := [
        ship for line in order.lines if (ship := _ship_by(order, line, clocks.answered or emitted, terms)) is not None
    ]:
        yield DeadlineKind.SHIP, min(ships)
    promises = [line.promised_ship for line in order.lines if line.promised_ship and line.quantities.to_ship > 0]
    if promises and "DESADV" in terms.sends:
        yield by(DeadlineKind.DESADV, min(map(terms.calendar.end_of, promises)))
    if clocks.delivered is not None and "INVOIC" in terms.sends:
        yield by(DeadlineKind.INVOIC, clocks.delivered)


def is_answer_expected(order: OrderProgress) -> bool:
    """Whether a line waits for its ORDRSP. One that says "not processed yet" (12) answers nothing."""
    if order.order.response_required is ResponseRequired.NONE or order.message is OrderMessageState.REFUSED:
        return False
    return any(line.quantities.is_unanswered for line in order.lines)


def _ship_by(order: OrderProgress, line: LineProgress, since: datetime, terms: Agreed) -> datetime | None:
    """The end of the window for what was confirmed; a back order has until its promise, if that is later."""
    to_ship, backordered = line.quantities.to_ship > 0, line.quantities.backordered > 0
    if not to_ship and not backordered:
        return None
    promised = line.promised_ship or line.promised_delivery
    window = _window_end(order, line)
    ends = [terms.calendar.end_of(end) for end in (window, promised) if end is not None]
    if not ends:
        return due(terms.calendar, terms.deadlines.ship, since)
    return ends[0] if to_ship else max(ends)


def _window_end(order: OrderProgress, line: LineProgress) -> Moment | None:
    window = line.line.delivery_window or order.order.delivery_window
    if window is not None and window.end is not None:
        return window.end
    return order.order.requested_delivery
