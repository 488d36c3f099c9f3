"""What can be sold of many articles now: one query, answered from an index."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from edi_gateway.gateway.stock_book import level_of
from edi_gateway.marketplace.articles import article_key
from edi_gateway.marketplace.money import plain
from edi_gateway.marketplace.parties import ItemIdentity
from edi_gateway.store.business import StockLevelRow

_ZERO = Decimal(0)


def levels_statement(gtins: Sequence[str], partner: str | None) -> Select[StockLevelRow]:
    """The one query: the levels of these articles, of one partner or of all (index ix_stock_level_article)."""
    articles = sorted({article_key(ItemIdentity(gtin=gtin)) for gtin in gtins})
    statement = select(StockLevelRow).where(StockLevelRow.article.in_(articles))
    if partner is not None:
        statement = statement.where(StockLevelRow.partnership == partner)
    return statement.order_by(StockLevelRow.article, StockLevelRow.partnership, StockLevelRow.location)


def availability(session: Session, gtins: Sequence[str], partner: str | None) -> list[dict[str, Any]]:
    """An entry for each GTIN, in the order asked for; leading zeros make no difference (GS1 §3.3.2)."""
    levels: dict[str, list[StockLevelRow]] = {}
    for row in session.scalars(levels_statement(gtins, partner)):
        levels.setdefault(row.article, []).append(row)
    return [_entry(gtin, levels.get(article_key(ItemIdentity(gtin=gtin)), [])) for gtin in dict.fromkeys(gtins)]


def _entry(gtin: str, levels: Sequence[StockLevelRow]) -> dict[str, Any]:
    sold = [level_of(row).available for row in levels if not row.discontinued]
    return {
        "gtin": gtin,
        "known": bool(levels),
        "available": plain(sum(sold, _ZERO)),
        "offers": [
            {
                "partner": row.partnership,
                "location": row.location,
                "available": plain(level_of(row).available),
                "in_transit": plain(row.in_transit),
                "discontinued": row.discontinued,
                "as_of": row.as_of.isoformat(),
            }
            for row in levels
        ],
    }
