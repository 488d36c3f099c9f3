"""The vendor's answer to an order (ORDRSP)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from edi_gateway.marketplace.parties import ItemIdentity, Moment, Note, Party, QualifiedDate, Reference


class ResponseCode(StrEnum):
    """BGM 1225 of an ORDRSP; 28 and 34 exist outside EANCOM only."""

    CHANGED = "4"
    NOT_PROCESSED = "12"
    REFUSED = "27"
    ACCEPTED_HEADER_AMENDED = "28"
    ACCEPTED = "29"
    ACCEPTED_AMENDED = "34"


class LineAction(StrEnum):
    """LIN 1229 of an ORDRSP."""

    ADDED = "1"
    CHANGED = "3"
    NO_ACTION = "4"
    ACCEPTED = "5"
    REFUSED = "7"


class Remainder(StrEnum):
    """QVR 4221: what happens to the quantity that is short."""

    BACK_ORDER = "BP"
    CANCELLED = "CP"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationLine:
    """One answered line. `order_line` is the order's line number (RFF ON 1156, else LIN 1082)."""

    number: int  # LIN 1082
    action: LineAction | None  # LIN 1229
    item: ItemIdentity
    order_line: int
    quantity: Decimal | None = None  # QTY 21 or 12: confirmed
    backordered: Decimal | None = None  # QTY 83
    cancelled: Decimal | None = None  # QTY 182
    rejected: Decimal | None = None  # QTY 185
    difference: Decimal | None = None  # QVR 6064, signed
    remainder: Remainder | None = None  # QVR 4221
    reason: str = ""  # QVR 4295
    unit: str = "PCE"
    promised_delivery: Moment | None = None  # DTM 69
    promised_ship: Moment | None = None  # DTM 11
    unit_price: Decimal | None = None  # PRI AAA
    retail_price: Decimal | None = None  # PRI AAE
    price_basis: Decimal = Decimal(1)
    notes: tuple[Note, ...] = ()
    references: tuple[Reference, ...] = ()
    order_number: str = ""  # RFF ON of the line, where it is not that of the header
    description: str = ""  # IMD F
    despatched: Decimal | None = None  # QTY 12 beside a QTY 21
    ordered: Decimal | None = None  # QTY 21, of partners who confirm by QTY 12
    dates: tuple[QualifiedDate, ...] = ()  # any other DTM
    other_quantities: tuple[tuple[str, Decimal], ...] = ()  # (6063, quantity) of any other
    other_prices: tuple[tuple[str, Decimal], ...] = ()  # (5125, price) of any other
    other_amounts: tuple[tuple[str, Decimal], ...] = ()  # (5025, amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderConfirmation:
    """One ORDRSP."""

    number: str  # BGM 1004
    response: ResponseCode
    issued: Moment  # DTM 137
    promised_delivery: Moment | None = None  # DTM 69
    promised_ship: Moment | None = None  # DTM 11
    order_number: str  # RFF ON
    currency: str = ""
    parties: tuple[Party, ...] = ()
    references: tuple[Reference, ...] = ()  # all but ON
    notes: tuple[Note, ...] = ()
    lines: tuple[ConfirmationLine, ...] = ()
    order_date: Moment | None = None  # DTM 171 of RFF ON
    dates: tuple[QualifiedDate, ...] = ()  # any other DTM
    other_amounts: tuple[tuple[str, Decimal], ...] = ()  # (5025, amount) of the summary
