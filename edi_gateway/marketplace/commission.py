"""The marketplace's commission on what a vendor invoiced in a cycle, as an invoice to the vendor.

The document is a 380 (a commission note, 382, has no place in the French e-invoicing formats). There is one
line for each goods invoice, so that every cent can be recomputed; each line is rounded, VAT is worked out on
the sum. VAT follows the vendor's place: the rate at home, reverse charge within the Union, none outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from edi_gateway.marketplace.invoice import (
    BankAccount,
    Invoice,
    InvoiceLine,
    InvoiceTotals,
    VatSubtotal,
)
from edi_gateway.marketplace.money import ZERO, percentage, plain, rounded
from edi_gateway.marketplace.parties import ItemIdentity, Note, Party, PartyRole, Period, Reference, VatRate

COMMISSION_ARTICLE = "COMMISSION"
SERVICE_UNIT = "PCE"
EU_COUNTRIES = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905 - a table
)

# What French law wants on an invoice (Code de commerce, L441-9): recovery fee, late payment, discount.
LEGAL_NOTES = (
    Note(subject="PMT", text=("INDEMNITE FORFAITAIRE DE RECOUVREMENT 40 EUR",)),
    Note(subject="PMD", text=("PENALITES DE RETARD 3 FOIS LE TAUX LEGAL",)),
    Note(subject="AAB", text=("PAS D'ESCOMPTE",)),
)
REVERSE_CHARGE_NOTE = Note(subject="AAI", text=("AUTOLIQUIDATION",))


@dataclass(frozen=True, slots=True)
class InvoicedGoods:
    """One goods invoice of the cycle: its number, its day and its net amount (negative for a credit note)."""

    invoice_number: str
    issued: date
    net_amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionTerms:
    """What is taken: `rate` as a fraction (0.12), `vat_rate` in percent, `due` is the day of payment."""

    rate: Decimal
    vat_rate: Decimal
    currency: str
    due: date | None = None
    account: BankAccount | None = None


def commission_vat(vat_rate: Decimal, operator_country: str, vendor_country: str) -> VatRate:
    """The VAT on a commission: at home the rate, in the Union reverse charge (AE), elsewhere out of scope (O)."""
    if vendor_country == operator_country:
        return VatRate(rate=vat_rate, category="S" if vat_rate else "Z")
    return VatRate(rate=ZERO, category="AE" if vendor_country in EU_COUNTRIES else "O")


def commission_invoice(
    number: str,
    goods: Sequence[InvoicedGoods],
    terms: CommissionTerms,
    *,
    operator: Party,
    vendor: Party,
    period: tuple[date, date],
    issued: date,
) -> Invoice:
    """The invoice of a cycle. `goods` must not be empty; parties carry name, address and VAT number.

    Raises ValueError where there is nothing to invoice.
    """
    if not goods:
        raise ValueError("no goods were invoiced in this cycle: there is no commission to invoice")
    vat = commission_vat(terms.vat_rate, operator.country, vendor.country)
    lines = tuple(_line(index, entry, terms, vat) for index, entry in enumerate(goods, 1))
    net = sum((line.net_amount or ZERO for line in lines), ZERO)
    vat_amount = percentage(net, vat.rate, terms.currency)
    return Invoice(
        number=number,
        issued=issued,
        period=Period(start=period[0], end=period[1]),
        due=terms.due,
        currency=terms.currency,
        parties=_parties(operator, vendor),
        notes=(*LEGAL_NOTES, REVERSE_CHARGE_NOTE) if vat.category == "AE" else LEGAL_NOTES,
        account=terms.account,
        lines=lines,
        vat_breakdown=(VatSubtotal(vat=vat, base=net, amount=vat_amount),),
        totals=InvoiceTotals(lines=net, taxable=net, vat=vat_amount, total=net + vat_amount, due=net + vat_amount),
    )


def _line(index: int, goods: InvoicedGoods, terms: CommissionTerms, vat: VatRate) -> InvoiceLine:
    amount = rounded(goods.net_amount * terms.rate, terms.currency)
    return InvoiceLine(
        number=index,
        item=ItemIdentity(supplier_article=COMMISSION_ARTICLE),
        description=f"COMMISSION {plain(terms.rate * 100)} % {goods.invoice_number}",
        quantity=Decimal(1),
        unit=SERVICE_UNIT,
        unit_price=amount,
        net_amount=amount,
        vat=vat,
        references=(Reference(qualifier="IV", number=goods.invoice_number),),
    )


def _parties(operator: Party, vendor: Party) -> tuple[Party, ...]:
    return (
        _as(operator, PartyRole.SUPPLIER),
        _as(vendor, PartyRole.BUYER),
        _as(vendor, PartyRole.INVOICEE),
    )


def _as(party: Party, role: PartyRole) -> Party:
    return Party(
        role=role,
        identifier=party.identifier,
        agency=party.agency,
        name=party.name,
        street=party.street,
        city=party.city,
        postcode=party.postcode,
        country=party.country,
        vat_id=party.vat_id,
        registration=party.registration,
    )
