"""What was sold, by place and period (SLSRPT)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from edi_gateway.edifact.findings import Finding
from edi_gateway.marketplace import document_rules as rules
from edi_gateway.marketplace.parties import ItemIdentity, Moment, Party, PartyRole, Period, QualifiedDate, Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class SoldLine:
    """One LIN: what was sold of an article at a place."""

    number: int  # LIN 1082
    item: ItemIdentity
    quantity: Decimal | None = None  # QTY 153
    returned: Decimal | None = None  # QTY 61
    unit: str = "PCE"
    description: str = ""  # IMD F
    references: tuple[Reference, ...] = ()
    value: Decimal | None = None  # MOA 203
    unit_price: Decimal | None = None  # PRI AAA, net
    list_price: Decimal | None = None  # PRI AAB, gross
    retail_price: Decimal | None = None  # PRI AAE
    price_basis: Decimal = Decimal(1)  # 5284
    other_quantities: tuple[tuple[str, Decimal], ...] = ()  # (6063, quantity) of any other
    other_prices: tuple[tuple[str, Decimal], ...] = ()  # (5125, price) of any other
    other_amounts: tuple[tuple[str, Decimal], ...] = ()  # (5025, amount) of any other


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesPlace:
    """LOC and its group: a place of sale, and what was sold there in a period."""

    kind: str = "162"  # LOC 3227: place of sale
    location: str = ""  # LOC 3225
    location_agency: str = ""  # LOC 3055
    name: str = ""  # LOC 3224
    period: Period | None = None  # DTM 356
    dates: tuple[QualifiedDate, ...] = ()  # any other DTM
    references: tuple[Reference, ...] = ()
    lines: tuple[SoldLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesReport:
    """One SLSRPT."""

    number: str  # BGM 1004
    type: str = "73"  # BGM 1001
    function: str = "9"  # BGM 1225
    issued: Moment  # DTM 137
    period: Period | None = None  # DTM 90, 91
    dates: tuple[QualifiedDate, ...] = ()  # any other DTM
    parties: tuple[Party, ...]
    references: tuple[Reference, ...] = ()
    currency: str = ""  # CUX 2
    places: tuple[SalesPlace, ...] = ()

    def lines(self) -> Iterator[SoldLine]:
        for place in self.places:
            yield from place.lines

    def party(self, role: PartyRole) -> Party | None:
        return next((party for party in self.parties if party.role is role), None)

    def faults(self) -> list[Finding]:
        """Values have a currency, quantities are not below zero, periods do not end before they begin."""
        findings = []
        if not self.currency and any(line.value is not None for line in self.lines()):
            findings.append(Finding(rules.CURRENCY_MISSING, path="currency"))
        if rules.ends_too_early(self.period):
            findings.append(Finding(rules.PERIOD_REVERSED, path="period"))
        for outer, place in enumerate(self.places):
            if rules.ends_too_early(place.period):
                findings.append(Finding(rules.PERIOD_REVERSED, path=f"places[{outer}]/period"))
            for index, line in enumerate(place.lines):
                if line.quantity is not None and line.quantity < 0:
                    path = f"places[{outer}]/lines[{index}]/quantity"
                    findings.append(Finding(rules.QUANTITY_BELOW_ZERO, value=str(line.quantity), path=path))
        return findings
