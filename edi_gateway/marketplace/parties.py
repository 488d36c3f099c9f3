"""Parties, references and notes: what every record carries."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any


class _MomentText:
    """How pydantic reads a `Moment` from JSON: what holds a `T` is a time, which must name its zone."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema  # only where JSON is read; the records themselves do without

        return core_schema.no_info_before_validator_function(cls._parse, handler(source))

    @staticmethod
    def _parse(value: Any) -> Any:
        if isinstance(value, date):
            return value
        if not isinstance(value, str):
            raise ValueError("a date is text, such as 2026-11-22")
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError("no date, such as 2026-11-22, and no time with its zone") from None
        if "T" not in value:
            return moment.date()
        if moment.tzinfo is None:
            raise ValueError("a time needs its zone, such as 2026-11-22T09:15:00+01:00")
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            raise ValueError("a time outside of the years 1 to 9999 in UTC") from None


Moment = Annotated[date | datetime, _MomentText]
"""A date (DTM 102) or an aware UTC datetime to the minute or second (DTM 203, 204)."""


class PartyRole(StrEnum):
    """Party function (3035) of the parties that the gateway uses."""

    BUYER = "BY"
    SUPPLIER = "SU"
    DELIVERY_PARTY = "DP"
    SHIP_TO = "ST"
    INVOICEE = "IV"
    SHIP_FROM = "SF"
    CARRIER = "CA"
    WAREHOUSE = "WH"
    ULTIMATE_CONSIGNEE = "UC"
    ULTIMATE_CUSTOMER = "UD"
    STORE = "SN"
    PAYER = "PR"
    PAYEE = "PE"
    INVOICE_ISSUER = "II"
    SELLER = "SE"
    INVENTORY_REPORTER = "GY"
    CORPORATE_OFFICE = "CO"
    MANUFACTURER = "MF"
    REMITTANCE_TO = "RE"
    SUPPLIER_AGENT = "SR"
    BILL_AND_SHIP_TO = "BS"
    CONSIGNEE = "CN"
    BROKER = "BO"
    CONSOLIDATOR = "CS"
    VAT_RECOVERING = "LD"  # from D.01B on
    VAT_DECLARING = "LC"  # from D.01B on


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """CTA and COM under a party."""

    function: str = ""  # 3139, such as IC
    name: str = ""
    phone: str = ""  # COM TE
    email: str = ""  # COM EM


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """NAD and its group. `identifier` is a GLN when `agency` is "9"."""

    role: PartyRole
    identifier: str = ""  # C082/3039
    agency: str = ""  # 3055: 9 GS1, 91 seller's, 92 buyer's
    name: str = ""
    street: tuple[str, ...] = ()
    city: str = ""
    region: str = ""
    postcode: str = ""
    country: str = ""  # ISO 3166-1 alpha-2
    vat_id: str = ""  # RFF VA
    registration: str = ""  # RFF XA or GN: SIREN or register number
    contacts: tuple[Contact, ...] = ()
    references: tuple[Reference, ...] = ()  # any other RFF of the party

    @property
    def gln(self) -> str | None:
        return self.identifier if self.agency == "9" and self.identifier else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """RFF, and the DTM 171 of its group."""

    qualifier: str  # 1153
    number: str  # 1154
    line: str = ""  # 1156
    date: Moment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """FTX: text subject (4451) and free text; `text` keeps its parts (4440) as lines."""

    subject: str
    text: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From and to; either may be open."""

    start: Moment | None = None
    end: Moment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QualifiedDate:
    """DTM with a qualifier (2005) that has no field of its own; `until` where it is a period."""

    qualifier: str
    date: Moment
    until: Moment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemIdentity:
    """How an article is named: the LIN and PIA ladder of one line."""

    gtin: str = ""  # LIN EN, SRV or UP
    supplier_article: str = ""  # PIA SA
    buyer_article: str = ""  # PIA IN (Amazon: ASIN) or BP
    isbn: str = ""  # PIA IB
    others: tuple[tuple[str, str], ...] = field(default=())  # (7143, 7140) of any other


@dataclass(frozen=True, slots=True, kw_only=True)
class VatRate:
    """TAX+7+VAT: a rate in percent and its category (5305)."""

    rate: Decimal
    category: str = "S"
