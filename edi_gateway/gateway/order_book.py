"""Orders in the store: read as `OrderProgress`, written back with everything that follows from the change.

`save` is the one place where an order changes. From the difference it derives the reservation of stock and the events
that the shop must hear (`payment.cancel_requested`, `payment.refund_requested`, `payment.capturable`,
`stock.reserved`, `stock.released`); each event has a key made from its cause, so that no cause speaks twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from edi_gateway.gateway.fingerprints import of_record
from edi_gateway.gateway.stock_book import reserve
from edi_gateway.marketplace.articles import article_key
from edi_gateway.marketplace.fulfilment import CLOSED_STATES, LineProgress, OrderProgress, PaymentState
from edi_gateway.marketplace.money import ZERO, percentage, plain
from edi_gateway.marketplace.order import Order
from edi_gateway.marketplace.quantities import LineQuantities
from edi_gateway.store.business import BusinessEvent, OrderLineRow, OrderRow, find_order
from edi_gateway.store.database import UnitOfWork
from edi_gateway.translators.json_form import from_json, to_json

_QUANTITIES = tuple(LineQuantities.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Booked:
    """An order's row and its value."""

    row: OrderRow
    progress: OrderProgress


def progress_of(row: OrderRow) -> OrderProgress:
    """The order as the rules of the marketplace know it."""
    order = from_json(Order, row.record)
    ordered = {line.number: line for line in order.lines}
    lines = tuple(
        LineProgress(
            line=ordered[line.number],
            quantities=LineQuantities(**{name: getattr(line, name) for name in _QUANTITIES}),
            confirmed_price=line.confirmed_price,
            proposed_price=line.proposed_price,
            promised_ship=line.promised_ship,
            promised_delivery=line.promised_delivery,
            reason=line.reason,
        )
        for line in row.lines
    )
    return OrderProgress(order=order, lines=lines, payment=row.payment, message=row.message)


def load(uow: UnitOfWork, partnership: str, number: str) -> Booked | None:
    """One order of this partner, held until the transaction ends."""
    row = find_order(uow.session, partnership, number, lock=True)
    return None if row is None else Booked(row, progress_of(row))


def load_all(uow: UnitOfWork, partnership: str, numbers: Sequence[str]) -> dict[str, Booked]:
    """This partner's orders of these numbers, locked in the order of the numbers, so that none waits in a ring."""
    found = {number: load(uow, partnership, number) for number in sorted(set(numbers))}
    return {number: booked for number, booked in found.items() if booked is not None}


def enter(
    uow: UnitOfWork, partnership: str, progress: OrderProgress, idempotency_key: str | None, now: datetime
) -> OrderRow | None:
    """Put a new order into the store; None where another request has just used its number or its key."""
    record = to_json(progress.order)
    values = {
        "partnership": partnership,
        "number": progress.order.number,
        "currency": progress.order.currency,
        "state": progress.state,
        "payment": progress.payment,
        "message": progress.message,
        "record": record,
        "record_sha256": of_record(record),
        "idempotency_key": idempotency_key,
        "created_at": now,
        "changed_at": now,
    }
    if not uow.insert_once(OrderRow, values):
        return None
    row = find_order(uow.session, partnership, progress.order.number, lock=True)
    assert row is not None  # noqa: S101 - inserted a moment ago
    row.lines = [_new_line(line) for line in progress.lines]
    uow.session.flush()
    uow.record_event("order.state", row.subject, None, row.state, "order taken in", {}, now)
    return row


def _new_line(line: LineProgress) -> OrderLineRow:
    return OrderLineRow(
        number=line.number, article=article_key(line.item), state=line.state, ordered=line.quantities.ordered
    )


def save(uow: UnitOfWork, booked: Booked, progress: OrderProgress, *, cause: str, reason: str, now: datetime) -> None:
    """Write the order as it stands after `cause` (such as ``message:018f…``), and what follows from the change."""
    row, before = booked.row, booked.progress
    state_before = row.state
    row.payment, row.message, row.state = progress.payment, progress.message, progress.state
    row.changed_at = now
    rows = {line.number: line for line in row.lines}
    for line in progress.lines:
        _write_line(rows[line.number], line)
    uow.session.flush()
    reserved = {line.number: reserve(uow.session, row.partnership, line) for line in row.lines}
    if row.state is not state_before:
        uow.record_event("order.state", row.subject, state_before, row.state, reason, {"cause": cause}, now)
    for kind, body in _follows(before, progress, reserved):
        _tell(uow, row, kind, body, cause, now)


def _write_line(row: OrderLineRow, line: LineProgress) -> None:
    for name in _QUANTITIES:
        setattr(row, name, getattr(line.quantities, name))
    row.state = line.state
    row.confirmed_price, row.proposed_price = line.confirmed_price, line.proposed_price
    row.promised_ship, row.promised_delivery = line.promised_ship, line.promised_delivery
    row.reason = line.reason


_Quantity = Callable[[LineQuantities], Decimal]


def _given_up(quantities: LineQuantities) -> Decimal:
    return quantities.rejected + quantities.cancelled


def _shipped(quantities: LineQuantities) -> Decimal:
    return quantities.shipped


def _follows(
    before: OrderProgress, after: OrderProgress, reserved: Mapping[int, Decimal]
) -> list[tuple[str, dict[str, Any]]]:
    """What the shop must hear: (kind, body)."""
    events: list[tuple[str, dict[str, Any]]] = []
    if after.payment is PaymentState.REFUSED:
        pass  # there is no payment to give back
    elif after.state in CLOSED_STATES and before.state not in CLOSED_STATES:
        events.append(("payment.cancel_requested", _worth(before, after, _given_up)))
    elif grown := _worth(before, after, _given_up):
        events.append(("payment.refund_requested", grown))
    if grown := _worth(before, after, _shipped):
        events.append(("payment.capturable", grown))
    if kept := {number: change for number, change in reserved.items() if change > 0}:
        events.append(("stock.reserved", _quantities(kept)))
    released = {
        line.number: _growth(before, line, _given_up) for line in after.lines if _growth(before, line, _given_up) > 0
    }
    if released:
        events.append(("stock.released", _quantities(released)))
    return events


def _growth(before: OrderProgress, line: LineProgress, quantity: _Quantity) -> Decimal:
    earlier = before.line(line.number)
    return quantity(line.quantities) - (quantity(earlier.quantities) if earlier is not None else ZERO)


def _worth(before: OrderProgress, after: OrderProgress, quantity: _Quantity) -> dict[str, Any]:
    """The lines on which a quantity grew, and what that is worth; empty where it grew nowhere."""
    currency = after.order.currency
    net, vat, lines = ZERO, ZERO, []
    for line in after.lines:
        grown = _growth(before, line, quantity)
        if grown > 0:
            amount = line.amount(grown, currency)
            net += amount
            vat += percentage(amount, line.line.vat.rate, currency) if line.line.vat is not None else ZERO
            lines.append({"line": line.number, "quantity": plain(grown)})
    if not lines:
        return {}
    return {"currency": currency, "net": str(net), "vat": str(vat), "total": str(net + vat), "lines": lines}


def _quantities(changes: Mapping[int, Decimal]) -> dict[str, Any]:
    return {"lines": [{"line": number, "quantity": plain(quantity)} for number, quantity in changes.items()]}


def _tell(uow: UnitOfWork, row: OrderRow, kind: str, body: dict[str, Any], cause: str, now: datetime) -> None:
    uow.insert_once(
        BusinessEvent,
        {
            "key": f"{kind}/{row.partnership}/{row.number}/{cause}",
            "kind": kind,
            "partnership": row.partnership,
            "order_number": row.number,
            "at": now,
            "body": body,
        },
    )
