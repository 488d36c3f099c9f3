"""Invoices and credit notes, goods and commission, both ways (INVOIC)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from edi_gateway.marketplace.confirmation import Remainder
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """ALC and its group: a discount or a charge, of a line or of the invoice."""

    is_charge: bool  # ALC 5463: C charge, A allowance
    service: str = ""  # ALC 7161
    description: str = ""  # ALC 7160
    settlement: str = ""  # ALC 4471
    sequence: str = ""  # ALC 1227
    percent: Decimal | None = None  # PCD
    amount: Decimal | None = None  # MOA 8, 23 or 204
    vat: VatRate | None = None
    quantity: Decimal | None = None  # QTY 1
    unit: str = "PCE"
    rate: Decimal | None = None  # RTE 5420, per `quantity`
    base: Decimal | None = None  # MOA 25: what the percentage is taken of


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLine:
    """One invoiced line. Prices per `price_basis` units, in the invoice's currency."""

    number: int
    item: ItemIdentity
    description: str = ""
    quantity: Decimal  # QTY 47
    unit: str = "PCE"
    delivered: Decimal | None = None  # QTY 46
    free_quantity: Decimal | None = None  # QTY 192
    unit_price: Decimal | None = None  # PRI AAA
    list_price: Decimal | None = None  # PRI AAB
    price_basis: Decimal = Decimal(1)
    net_amount: Decimal | None = None  # MOA 203
    vat: VatRate | None = None
    order_number: str = ""  # RFF ON
    order_line: int | None = None  # RFF ON 1156
    despatch_number: str = ""  # RFF AAK
    references: tuple[Reference, ...] = ()
    notes: tuple[Note, ...] = ()
    allowances: tuple[Allowance, ...] = ()
    vat_amount: Decimal | None = None  # MOA 124 of the line's TAX
    parent: int | None = None  # LIN C829: the line that this one is a part of
    difference: Decimal | None = None  # QVR 6064
    remainder: Remainder | None = None  # QVR 4221
    reason: str = ""  # QVR 4295
    dates: tuple[QualifiedDate, ...] = ()  # any DTM
    other_quantities: tuple[tuple[str, Decimal], ...] = ()  # (6063, quantity) of any other
    other_prices: tuple[tuple[str, Decimal], ...] = ()  # (5125, price) of any other
    other_amounts: tuple[tuple[str, Decimal], ...] = ()  # (5025, amount) of any other


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentTerms:
    """PAT and its group, where it says more than the due date: a period of payment, a discount."""

    type: str = "1"  # 4279: 1 basic, 22 discount
    reference: str = ""  # 2475: from when, 5 the invoice's date
    relation: str = ""  # 2009
    period_type: str = ""  # 2151: D days, M months
    periods: int | None = None  # 2152
    discount_until: Moment | None = None  # DTM 12
    percent: Decimal | None = None  # PCD
    amount: Decimal | None = None  # MOA 52
    dates: tuple[QualifiedDate, ...] = ()  # any other DTM


@dataclass(frozen=True, slots=True, kw_only=True)
class VatSubtotal:
    """One TAX group of the totals: what is due at one rate."""

    vat: VatRate
    base: Decimal | None = None  # MOA 125
    amount: Decimal | None = None  # MOA 124


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceTotals:
    """The MOA of the summary, each None where not sent."""

    lines: Decimal | None = None  # 79
    allowances: Decimal | None = None  # 131
    taxable: Decimal | None = None  # 125
    vat: Decimal | None = None  # 176
    total: Decimal | None = None  # 86
    total_alternative: Decimal | None = None  # 77, as some partners send the grand total
    prepaid: Decimal | None = None  # 113
    due: Decimal | None = None  # 9
    others: tuple[tuple[str, Decimal], ...] = ()  # (5025, amount) of any other

    @property
    def grand_total(self) -> Decimal | None:
        for amount in (self.total, self.total_alternative, self.due):
            if amount is not None:
                return amount
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class BankAccount:
    """FII BF: the account to pay to."""

    iban: str
    holder: str = ""
    bic: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """One INVOIC; `type_code` is BGM 1001: 380 invoice, 381 credit note, 384 corrected, 389 self-billed."""

    number: str
    type_code: str = "380"
    function: str = "9"
    issued: Moment  # DTM 137
    delivered: Moment | None = None  # DTM 35
    despatched: Moment | None = None  # DTM 11
    period: Period | None = None  # DTM 263
    due: Moment | None = None  # PAT, DTM 13
    currency: str
    parties: tuple[Party, ...]
    order_number: str = ""  # RFF ON
    despatch_number: str = ""  # RFF AAK
    corrected_invoice: Reference | None = None  # RFF IV
    references: tuple[Reference, ...] = ()
    notes: tuple[Note, ...] = ()
    account: BankAccount | None = None
    lines: tuple[InvoiceLine, ...]
    allowances: tuple[Allowance, ...] = ()
    terms: tuple[PaymentTerms, ...] = ()
    order_date: Moment | None = None  # DTM 171 of RFF ON
    despatch_date: Moment | None = None  # DTM 171 of RFF AAK
    dates: tuple[QualifiedDate, ...] = ()  # any other DTM
    vat_breakdown: tuple[VatSubtotal, ...] = ()
    totals: InvoiceTotals

    def party(self, role: PartyRole) -> Party | None:
        return next((party for party in self.parties if party.role is role), None)
