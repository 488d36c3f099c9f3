"""The order as the marketplace places it (ORDERS)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

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


class OrderType(StrEnum):
    """What kind of order (BGM 1001: 220, 224, 227, 221)."""

    STANDARD = "standard"
    RUSH = "rush"
    CONSIGNMENT = "consignment"
    BLANKET = "blanket"


class ResponseRequired(StrEnum):
    """Which lines the vendor must answer (BGM 4343)."""

    ALL_LINES = "AC"
    CHANGES_ONLY = "AI"
    NONE = "NA"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """One line: LIN and its group. Quantities in `unit`; prices per `price_basis` units, in the order's currency."""

    number: int
    item: ItemIdentity
    quantity: Decimal  # QTY 21
    unit: str = "PCE"  # 6411; PCE is implied and not sent
    free_quantity: Decimal | None = None  # QTY 192
    pack_size: Decimal | None = None  # QTY 59
    description: str = ""  # IMD F
    unit_price: Decimal | None = None  # PRI AAA, net
    list_price: Decimal | None = None  # PRI AAB, gross
    retail_price: Decimal | None = None  # PRI AAE
    price_basis: Decimal = Decimal(1)  # 5284
    net_amount: Decimal | None = None  # MOA 203
    vat: VatRate | None = None
    delivery_window: Period | None = None  # line DTM 64, 63
    notes: tuple[Note, ...] = ()
    references: tuple[Reference, ...] = ()
    parent: int | None = None  # LIN C829: the line that this one is a part of
    dates: tuple[QualifiedDate, ...] = ()  # any other DTM
    other_quantities: tuple[tuple[str, Decimal], ...] = ()  # (6063, quantity) of any other
    other_prices: tuple[tuple[str, Decimal], ...] = ()  # (5125, price) of any other
    other_amounts: tuple[tuple[str, Decimal], ...] = ()  # (5025, amount) of any other


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order: one ORDERS message."""

    number: str  # BGM 1004
    type: OrderType = OrderType.STANDARD
    function: str = "9"  # BGM 1225
    response_required: ResponseRequired | None = None
    issued: Moment  # DTM 137
    requested_delivery: Moment | None = None  # DTM 2
    delivery_window: Period | None = None  # DTM 64, 63
    cancel_after: Moment | None = None  # DTM 61
    currency: str  # CUX 2
    parties: tuple[Party, ...]
    references: tuple[Reference, ...] = ()
    notes: tuple[Note, ...] = ()
    lines: tuple[OrderLine, ...]
    total_net: Decimal | None = None  # MOA 79
    total: Decimal | None = None  # MOA 86
    dates: tuple[QualifiedDate, ...] = ()  # any other DTM

    def party(self, role: PartyRole) -> Party | None:
        return next((party for party in self.parties if party.role is role), None)
