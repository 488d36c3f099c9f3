"""The prices and offers of a vendor (PRICAT)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from edi_gateway.edifact.findings import Finding
from edi_gateway.marketplace import document_rules as rules
from edi_gateway.marketplace.articles import article_key
from edi_gateway.marketplace.invoice import Allowance
from edi_gateway.marketplace.parties import (
    ItemIdentity,
    Moment,
    Note,
    Party,
    PartyRole,
    Period,
    QualifiedDate,
    Reference,
    VatRate,
)

NET, GROSS, RETAIL = "AAA", "AAB", "AAE"
"""PRI 5125: net of all allowances; before allowances; information, tax included."""


class OfferAction(StrEnum):
    """LIN 1229 of a PRICAT: what becomes of the offer."""

    ADDED = "1"
    DELETED = "2"
    CHANGED = "3"
    NO_ACTION = "4"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferPrice:
    """PRI and its group: one price, for a range of quantities and a time."""

    qualifier: str = NET  # 5125
    amount: Decimal  # 5118
    type: str = ""  # 5375: CA catalogue, CT contract
    specification: str = ""  # 5387: NTP net, RTP retail, SRP suggested retail
    basis: Decimal = Decimal(1)  # 5284
    unit: str = ""  # 6411
    currency: str = ""  # CUX of the price, where it is not the catalogue's
    minimum: Decimal | None = None  # RNG 6162: from which quantity
    maximum: Decimal | None = None  # RNG 6152
    range_unit: str = "PCE"  # RNG 6411
    validity: Period | None = None  # DTM 194, 206
    dates: tuple[QualifiedDate, ...] = ()  # any other DTM


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One LIN: an article, and what it costs."""

    number: int  # LIN 1082
    action: OfferAction | None = None  # LIN 1229
    item: ItemIdentity
    description: str = ""  # IMD F
    minimum_order: Decimal | None = None  # QTY 53
    maximum_order: Decimal | None = None  # QTY 54
    pack_size: Decimal | None = None  # QTY 59
    unit: str = "PCE"
    discontinued: bool = False  # ALI 4183 130
    suspended: bool = False  # ALI 4183 X14
    no_reorder: bool = False  # ALI 4183 X15
    validity: Period | None = None  # DTM 194, 206
    dates: tuple[QualifiedDate, ...] = ()  # any other DTM
    references: tuple[Reference, ...] = ()
    notes: tuple[Note, ...] = ()
    vat: VatRate | None = None
    prices: tuple[OfferPrice, ...] = ()
    allowances: tuple[Allowance, ...] = ()
    other_quantities: tuple[tuple[str, Decimal], ...] = ()  # (6063, quantity) of any other

    @property
    def article(self) -> str:
        return article_key(self.item)

    def price(self, qualifier: str = NET, quantity: Decimal = Decimal(1)) -> OfferPrice | None:
        """The price of that kind for so many, the narrowest range first."""
        fits = [each for each in self.prices if each.qualifier == qualifier and _covers(each, quantity)]
        return max(fits, key=lambda each: each.minimum or Decimal(0), default=None)


def _covers(price: OfferPrice, quantity: Decimal) -> bool:
    above = price.minimum is None or quantity >= price.minimum
    return above and (price.maximum is None or quantity <= price.maximum)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceGroup:
    """PGI and its group: the offers of one group of articles."""

    type: str = "11"  # PGI 5379: 11 no price group used
    code: str = ""  # 5389
    agency: str = ""  # 3055
    name: str = ""  # 5388
    lines: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceCatalogue:
    """One PRICAT."""

    number: str  # BGM 1004
    type: str = "9"  # BGM 1001
    function: str = "9"  # BGM 1225
    issued: Moment  # DTM 137
    validity: Period | None = None  # DTM 194, 206
    dates: tuple[QualifiedDate, ...] = ()  # any other DTM
    notes: tuple[Note, ...] = ()
    references: tuple[Reference, ...] = ()
    parties: tuple[Party, ...] = ()
    currency: str = ""  # CUX 2
    groups: tuple[PriceGroup, ...] = ()

    def offers(self) -> Iterator[Offer]:
        for group in self.groups:
            yield from group.lines

    def party(self, role: PartyRole) -> Party | None:
        return next((party for party in self.parties if party.role is role), None)

    def faults(self) -> list[Finding]:
        """Every offer names its article, prices are not below zero and have a currency, periods and ranges hold."""
        findings = []
        if rules.ends_too_early(self.validity):
            findings.append(Finding(rules.PERIOD_REVERSED, path="validity"))
        for outer, group in enumerate(self.groups):
            for index, offer in enumerate(group.lines):
                findings += _faults_of_offer(offer, self.currency, f"groups[{outer}]/lines[{index}]")
        return findings


def _faults_of_offer(offer: Offer, currency: str, path: str) -> Iterator[Finding]:
    if not offer.article:
        yield Finding(rules.ARTICLE_UNNAMED, value=str(offer.number), path=f"{path}/item")
    if rules.ends_too_early(offer.validity):
        yield Finding(rules.PERIOD_REVERSED, path=f"{path}/validity")
    for index, price in enumerate(offer.prices):
        place = f"{path}/prices[{index}]"
        if price.amount < 0:
            yield Finding(rules.PRICE_BELOW_ZERO, value=str(price.amount), path=f"{place}/amount")
        if not (price.currency or currency):
            yield Finding(rules.CURRENCY_MISSING, path=f"{place}/currency")
        if rules.ends_too_early(price.validity):
            yield Finding(rules.PERIOD_REVERSED, path=f"{place}/validity")
        if price.minimum is not None and price.maximum is not None and price.minimum > price.maximum:
            yield Finding(
                rules.RANGE_REVERSED, value=str(price.minimum), expected=str(price.maximum), path=f"{place}/minimum"
            )
