"""What the vendor has in stock (INVRPT)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from edi_gateway.marketplace.parties import ItemIdentity, Moment, Party, QualifiedDate, Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryItem:
    """One article at one place: quantities by their qualifier's meaning, each None where not reported."""

    number: int  # LIN 1082
    item: ItemIdentity
    description: str = ""
    unit: str = "PCE"
    actual: Decimal | None = None  # QTY 145
    committed: Decimal | None = None  # QTY 66
    in_transit: Decimal | None = None  # QTY 198
    damaged: Decimal | None = None  # QTY 124
    quality_held: Decimal | None = None  # QTY 89
    minimum: Decimal | None = None  # QTY 97
    maximum: Decimal | None = None  # QTY 98
    reorder_level: Decimal | None = None  # QTY 197
    others: tuple[tuple[str, Decimal], ...] = ()  # (6063, quantity) of any other
    location: str = ""  # LOC
    as_of: Moment | None = None  # line DTM, else the report's
    discontinued: bool = False  # ALI 4183 130
    unit_price: Decimal | None = None  # PRI
    references: tuple[Reference, ...] = ()
    location_agency: str = ""  # LOC 3055
    no_reorder: bool = False  # ALI 4183 X15
    suspended: bool = False  # ALI 4183 X14
    dates: tuple[QualifiedDate, ...] = ()  # any other DTM

    @property
    def available(self) -> Decimal | None:
        """Actual less committed; None where no actual stock was reported."""
        return None if self.actual is None else self.actual - (self.committed or Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryReport:
    """One INVRPT. The latest `as_of` wins for each article and location; reports never add up."""

    number: str  # BGM 1004
    type: str = "35"  # BGM 1001: 35 snapshot, 78 movements
    function: str = "9"
    issued: Moment  # DTM 137
    reported: Moment | None = None  # DTM 366
    parties: tuple[Party, ...] = ()
    references: tuple[Reference, ...] = ()
    currency: str = ""
    items: tuple[InventoryItem, ...] = ()
    dates: tuple[QualifiedDate, ...] = ()  # any other DTM

    @property
    def as_of(self) -> Moment:
        return self.reported if self.reported is not None else self.issued
