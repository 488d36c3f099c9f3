"""Orders in the store: read as `OrderProgress`, written back with everything that follows from the change.

`save` is the one place where an order changes. From the difference it derives the reservation of stock and the events
that the shop must hear (`docs/events.md`) and the deadlines that it opens and closes. The difference is what speaks,
so a document that comes twice says nothing the second time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from edi_gateway.gateway import deadline_book
from edi_gateway.gateway.fingerprints import of_record
from edi_gateway.gateway.stock_book import reserve
from edi_gateway.marketplace.articles import article_key
from edi_gateway.marketplace.fulfilment import LineProgress, OrderMessageState, OrderProgress
from edi_gateway.marketplace.money import plain
from edi_gateway.marketplace.order import Order
from edi_gateway.marketplace.payments import PaymentMove, given_up, payment_moves
from edi_gateway.marketplace.quantities import LineQuantities
from edi_gateway.partnership import Partnership
from edi_gateway.store.business import OrderLineRow, OrderRow, find_order, put_into_feed
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
            received=line.received,
        )
        for line in row.lines
    )
    return OrderProgress(
        order=order, lines=lines, payment=row.payment, message=row.message, held=row.held, asked=row.asked
    )


def load(uow: UnitOfWork, partnership: str, number: str) -> Booked | None:
    """One order of this partner, held until the transaction ends."""
    uow.hold_business(partnership)
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


def save(
    uow: UnitOfWork,
    partnership: Partnership,
    booked: Booked,
    progress: OrderProgress,
    *,
    cause: str,
    reason: str,
    now: datetime,
) -> None:
    """Write the order as it stands after `cause` (such as ``message:018f…``), and what follows from the change."""
    row, before = booked.row, booked.progress
    state_before = row.state
    row.payment, row.message, row.state = progress.payment, progress.message, progress.state
    row.held, row.asked = progress.held, progress.asked
    if progress.order is not before.order:
        row.record = to_json(progress.order)  # other windows; its fingerprint stays that of the order as it was placed
    if row.emitted_at is None and progress.message is not OrderMessageState.NOT_SENT:
        row.emitted_at = now
    row.changed_at = now
    row.revision += 1
    rows = {line.number: line for line in row.lines}
    for line in progress.lines:
        _write_line(rows[line.number], line)
    uow.session.flush()
    reserved = {line.number: reserve(uow.session, row.partnership, line) for line in row.lines}
    if row.state is not state_before:
        uow.record_event("order.state", row.subject, state_before, row.state, reason, {"cause": cause}, now)
    for kind, body in _follows(before, progress, reserved):
        tell(uow, row, kind, {**body, "cause": cause}, now)
    deadline_book.follow(uow, partnership, row, progress, now)


def _write_line(row: OrderLineRow, line: LineProgress) -> None:
    for name in _QUANTITIES:
        setattr(row, name, getattr(line.quantities, name))
    row.state = line.state
    row.confirmed_price, row.proposed_price = line.confirmed_price, line.proposed_price
    row.promised_ship, row.promised_delivery = line.promised_ship, line.promised_delivery
    row.reason, row.received = line.reason, line.received


def _follows(
    before: OrderProgress, after: OrderProgress, reserved: Mapping[int, Decimal]
) -> list[tuple[str, dict[str, Any]]]:
    """What the shop must hear: (kind, body)."""
    moves = payment_moves(before, after)
    events = [(move.event.value, _worth(move, after.order.currency)) for move in moves]
    if before.state is not after.state:
        states = {"from": before.state.value, "to": after.state.value}
        events.insert(0, ("order.state", states))
    if kept := {number: change for number, change in reserved.items() if change > 0}:
        events.append(("stock.reserved", _quantities(kept)))
    if released := _released(before, after):
        events.append(("stock.released", _quantities(released)))
    return events


def _released(before: OrderProgress, after: OrderProgress) -> dict[int, Decimal]:
    """What will not be taken after all, so that it can be offered again."""
    earlier = {line.number: given_up(line.quantities) for line in before.lines}
    grown = {line.number: given_up(line.quantities) - earlier[line.number] for line in after.lines}
    return {number: quantity for number, quantity in grown.items() if quantity > 0}


def _worth(move: PaymentMove, currency: str) -> dict[str, Any]:
    amounts = {"net": move.worth.net, "vat": move.worth.vat, "total": move.worth.total}
    return {"currency": currency, **{name: str(amount) for name, amount in amounts.items()}, **_quantities(move.lines)}


def _quantities(changes: Mapping[int, Decimal]) -> dict[str, Any]:
    return {"lines": [{"line": number, "quantity": plain(quantity)} for number, quantity in changes.items()]}


def tell(uow: UnitOfWork, row: OrderRow, kind: str, body: Mapping[str, Any], now: datetime) -> None:
    """Put an event of the order into the feed. Its key holds the order's revision, so that it is told once."""
    put_into_feed(
        uow,
        {
            "key": f"{kind}/{row.partnership}/{row.number}/{row.revision}",
            "kind": kind,
            "partnership": row.partnership,
            "order_number": row.number,
            "at": now,
            "body": dict(body),
        },
    )
