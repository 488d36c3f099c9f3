"""What a stock report (INVRPT) says, and what can be sold of it.

Reports never add up: for each article and place the newest `as_of` counts, an older one is kept as a
document and changes nothing. What can be sold is actual, less what the vendor has committed elsewhere,
less what we reserved for confirmed orders, less what has left since the report was made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from edi_gateway.edifact.findings import Finding
from edi_gateway.marketplace import rules
from edi_gateway.marketplace.articles import article_key
from edi_gateway.marketplace.inventory import InventoryItem, InventoryReport
from edi_gateway.marketplace.moments import instant
from edi_gateway.marketplace.money import ZERO, plain

SNAPSHOT = "35"
"""BGM 1001 of a stock snapshot; 78 (movements) is not agreed with anybody."""

FUTURE_TOLERANCE = timedelta(minutes=5)
"""How far a report may lie in the future: clocks differ."""


@dataclass(frozen=True, slots=True)
class StockKey:
    """An article at a place of one vendor."""

    article: str
    location: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StockLevel:
    """What is known of the stock of an article at a place, and what we did since."""

    actual: Decimal
    committed: Decimal = ZERO
    reserved: Decimal = ZERO
    despatched: Decimal = ZERO  # shipped to us since `as_of`
    as_of: datetime

    @property
    def available(self) -> Decimal:
        """What can be sold; never below zero, whatever the report left out."""
        return max(ZERO, self.actual - self.committed - self.reserved - self.despatched)


@dataclass(frozen=True, slots=True)
class ReportRead:
    """The items of a report that count, by article and place, and what was wrong with the others."""

    items: Mapping[StockKey, tuple[InventoryItem, datetime]]
    findings: tuple[Finding, ...]


def read_report(report: InventoryReport, known: Mapping[StockKey, datetime], now: datetime) -> ReportRead:
    """Which items of the report replace what is known. `known` holds the `as_of` of each level.

    A bad item is a finding and the other items count.
    """
    if report.type != SNAPSHOT:
        refusal = Finding(rules.MOVEMENTS_NOT_AGREED, value=report.type, expected=SNAPSHOT, path="type")
        return ReportRead({}, (refusal,))
    items: dict[StockKey, tuple[InventoryItem, datetime]] = {}
    findings: list[Finding] = []
    for item in report.items:
        key = StockKey(article_key(item.item), item.location)
        as_of = instant(item.as_of or report.as_of)
        finding = _fault(item, key, as_of, now) or _older(item, known.get(key), as_of)
        if finding is not None:
            findings.append(finding)
        elif item.actual is not None and (key not in items or items[key][1] <= as_of):
            items[key] = (item, as_of)
    return ReportRead(items, tuple(findings))


def findings_of_its_own(report: InventoryReport) -> list[Finding]:
    """What is wrong with a report whenever it was read: articles without a name, stock below zero."""
    long_after = datetime.max.replace(tzinfo=UTC) - FUTURE_TOLERANCE
    faults = (
        _fault(item, StockKey(article_key(item.item), item.location), instant(report.as_of), long_after)
        for item in report.items
    )
    return [fault for fault in faults if fault is not None]


def _fault(item: InventoryItem, key: StockKey, as_of: datetime, now: datetime) -> Finding | None:
    path = f"items[{item.number}]"
    if not key.article:
        return Finding(rules.ARTICLE_NOT_NAMED, value=str(item.number), path=path)
    least = min(item.actual or ZERO, item.committed or ZERO)
    if least < 0:
        return Finding(rules.NEGATIVE_STOCK, value=plain(least), path=path)
    if as_of > now + FUTURE_TOLERANCE:
        return Finding(rules.REPORT_FROM_THE_FUTURE, value=_stamp(as_of), expected=_stamp(now), path=path)
    return None


def _older(item: InventoryItem, known: datetime | None, as_of: datetime) -> Finding | None:
    if known is None or as_of >= known:
        return None
    return Finding(rules.OLDER_REPORT, value=_stamp(as_of), expected=_stamp(known), path=f"items[{item.number}]")


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")
