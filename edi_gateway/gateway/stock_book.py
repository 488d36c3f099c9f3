"""Stock in the store: reports replace levels, confirmations reserve, shipments draw down.

A reservation hangs on one level (the one with the most to sell); an order line confirmed before any stock was reported
keeps a reservation without a level, and the first report of the article takes it over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from edi_gateway.edifact.findings import Finding
from edi_gateway.marketplace.articles import article_key
from edi_gateway.marketplace.inventory import InventoryItem, InventoryReport
from edi_gateway.marketplace.stock import StockKey, StockLevel, read_report
from edi_gateway.store.business import (
    OrderLineRow,
    ReservationRow,
    ShipmentLineRow,
    StockLevelRow,
    levels_of,
)
from edi_gateway.store.database import UnitOfWork

_ZERO = Decimal(0)
_KEYS_A_QUERY = 500


def level_of(row: StockLevelRow) -> StockLevel:
    """The row as the value that knows what can be sold."""
    return StockLevel(
        actual=row.actual,
        committed=row.committed,
        reserved=row.reserved,
        despatched=row.despatched,
        as_of=row.as_of,
    )


def book_report(
    uow: UnitOfWork, partnership: str, message_id: str, report: InventoryReport, now: datetime
) -> list[Finding]:
    """Replace the levels that the report is newer than. What is wrong with an item is a finding, the others count."""
    levels = _levels(uow.session, partnership, report)
    read = read_report(report, {key: row.as_of for key, row in levels.items()}, now)
    fresh = []
    for key, (item, as_of) in read.items.items():
        row = levels.get(key)
        if row is None:
            row = levels[key] = StockLevelRow(partnership=partnership, article=key.article, location=key.location)
            fresh.append(row)
        _write_level(row, item, as_of, message_id)
    uow.session.add_all(fresh)
    uow.session.flush()
    _adopt(uow.session, partnership, fresh)
    _count_despatched(uow.session, [levels[key] for key in read.items])
    return list(read.findings)


def _levels(session: Session, partnership: str, report: InventoryReport) -> dict[StockKey, StockLevelRow]:
    articles = sorted({article_key(item.item) for item in report.items})
    found: dict[StockKey, StockLevelRow] = {}
    for start in range(0, len(articles), _KEYS_A_QUERY):
        rows = session.scalars(
            select(StockLevelRow)
            .where(
                StockLevelRow.partnership == partnership,
                StockLevelRow.article.in_(articles[start : start + _KEYS_A_QUERY]),
            )
            .with_for_update()
        )
        found |= {StockKey(row.article, row.location): row for row in rows}
    return found


def _write_level(row: StockLevelRow, item: InventoryItem, as_of: datetime, message_id: str) -> None:
    row.gtin = item.item.gtin
    row.supplier_article = item.item.supplier_article
    row.unit = item.unit
    row.actual = item.actual or _ZERO
    row.committed = item.committed or _ZERO
    row.in_transit = item.in_transit or _ZERO
    row.discontinued = item.discontinued
    row.as_of = as_of
    row.message_id = message_id


def _count_despatched(session: Session, levels: Sequence[StockLevelRow]) -> None:
    """What left each level for us after its report was made, so that the report cannot know it."""
    for some in _in_parts(levels):
        by_id: dict[int | None, StockLevelRow] = {level.id: level for level in some}
        left = session.execute(
            select(ReservationRow.level_id, ShipmentLineRow.quantity, ShipmentLineRow.despatched_at)
            .join(ReservationRow, ReservationRow.order_line_id == ShipmentLineRow.order_line_id)
            .where(
                ReservationRow.level_id.in_(by_id),
                ShipmentLineRow.article == ReservationRow.article,
                ShipmentLineRow.despatched_at > min(level.as_of for level in some),
            )
        )
        despatched = dict.fromkeys(by_id, _ZERO)
        for level_id, quantity, at in left:
            if at > by_id[level_id].as_of:
                despatched[level_id] += quantity
        for level in some:
            level.despatched = despatched[level.id]


def _adopt(session: Session, partnership: str, levels: Sequence[StockLevelRow]) -> None:
    """A new level takes over the reservations of its article that had none."""
    for some in _in_parts(levels):
        by_article = {level.article: level for level in reversed(some)}
        homeless = session.scalars(
            select(ReservationRow).where(
                ReservationRow.partnership == partnership,
                ReservationRow.article.in_(by_article),
                ReservationRow.level_id.is_(None),
            )
        )
        for reservation in homeless:
            level = by_article[reservation.article]
            reservation.level_id = level.id
            level.reserved = (level.reserved or _ZERO) + reservation.quantity
        session.flush()


def _in_parts(levels: Sequence[StockLevelRow]) -> Iterator[Sequence[StockLevelRow]]:
    for start in range(0, len(levels), _KEYS_A_QUERY):
        yield levels[start : start + _KEYS_A_QUERY]


def reserve(session: Session, partnership: str, line: OrderLineRow) -> Decimal:
    """Set aside what the line has confirmed and not shipped. Gives the change: above zero reserved, below released."""
    target = line.confirmed - line.shipped
    reservation = session.get(ReservationRow, line.id)
    if reservation is None:
        if not target:
            return _ZERO
        reservation = ReservationRow(
            order_line_id=line.id, partnership=partnership, article=line.article, quantity=_ZERO
        )
        level = _fullest(levels_of(session, partnership, line.article))
        reservation.level_id = level.id if level is not None else None
        session.add(reservation)
    change = target - reservation.quantity
    reservation.quantity = target
    if reservation.level_id is not None and change:
        level = session.get_one(StockLevelRow, reservation.level_id, with_for_update=True)
        level.reserved += change
    return change


def draw_down(session: Session, line: OrderLineRow, quantity: Decimal, despatched_at: datetime) -> None:
    """What was shipped is gone from the level that it was reserved on, unless a later report already says so."""
    reservation = session.get(ReservationRow, line.id)
    if reservation is None or reservation.level_id is None:
        return
    level = session.get_one(StockLevelRow, reservation.level_id, with_for_update=True)
    if level.as_of < despatched_at:
        level.despatched += quantity


def give_back(session: Session, line: OrderLineRow, quantity: Decimal, despatched_at: datetime) -> None:
    """What was drawn down has not left after all."""
    reservation = session.get(ReservationRow, line.id)
    if reservation is None or reservation.level_id is None:
        return
    level = session.get_one(StockLevelRow, reservation.level_id, with_for_update=True)
    if level.as_of < despatched_at:
        level.despatched -= min(quantity, level.despatched)


def _fullest(levels: Sequence[StockLevelRow]) -> StockLevelRow | None:
    return max(levels, key=lambda row: level_of(row).available, default=None)
