"""INVOIC: invoices and credit notes, for goods and for commission, both ways, as an `Invoice`.

After UNS come the totals (MOA) and the sums of each rate of VAT (TAX). The due date is DTM 13 of the first
payment terms (PAT); the account to pay to is FII+BF under the party that is paid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any, TypeVar

from edi_gateway.edifact.segment import Segment
from edi_gateway.marketplace.confirmation import Remainder
from edi_gateway.marketplace.invoice import (
    BankAccount,
    Invoice,
    InvoiceLine,
    InvoiceTotals,
    PaymentTerms,
    VatSubtotal,
)
from edi_gateway.marketplace.parties import Party, PartyRole
from edi_gateway.messages.tree import Group
from edi_gateway.partnership import Sign
from edi_gateway.translators._machinery import (
    Claimed,
    FinishingRow,
    Nested,
    Reading,
    RecordMapping,
    Row,
    Section,
    Values,
    Writing,
    drop_bad,
)
from edi_gateway.translators.rows.allowances import ALLOWANCE
from edi_gateway.translators.rows.articles import Articles, Line
from edi_gateway.translators.rows.cells import INTEGER, Cell, CodeCodec, Components, Service
from edi_gateway.translators.rows.dates import Dates, Spans, write_dtm
from edi_gateway.translators.rows.figures import (
    Amounts,
    ControlTotals,
    Currency,
    Prices,
    Quantities,
    Share,
    Variance,
)
from edi_gateway.translators.rows.parties import CONTACT, PARTY_REFERENCES, NameAndAddress, Parties
from edi_gateway.translators.rows.pieces import join_pieces, split_text
from edi_gateway.translators.rows.references import OrderReference, Ref, References
from edi_gateway.translators.rows.taxes import Vat, is_vat
from edi_gateway.translators.rows.texts import Description, Notes
from edi_gateway.translators.translator import Translator

REMAINDERS = CodeCodec({remainder.value: remainder for remainder in Remainder})
INVOICING_CURRENCY = "4"

# The account


_FII: Claimed = frozenset({(1, 1), (2, 1), (2, 2), (2, 3), (3, 1)})
_ACCOUNT_PARTS = (("iban", 2, 1), ("holder", 2, 2), ("holder", 2, 3), ("bic", 3, 1))
BENEFICIARY = "BF"
PAID_ROLES = (PartyRole.PAYEE, PartyRole.SUPPLIER, PartyRole.SELLER)
HOLDER_CHARACTERS = 35


class Account(Row):
    """FII+BF under a party: the account to pay to, a value of the invoice. A second one has no field."""

    tags = ("FII",)

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        invoice = reading.root
        if segment.get(1) != BENEFICIARY or not segment.get(2, 1) or "account" in invoice:
            reading.leave(segment)
            return
        holder = join_pieces([segment.get(2, 2), segment.get(2, 3)])
        invoice["account"] = BankAccount(iban=segment.get(2, 1), holder=holder, bic=segment.get(3, 1))
        if reading.lineage is not None:
            with reading.within("account/"):
                for name, element, component in _ACCOUNT_PARTS:
                    if segment.get(element, component):
                        reading.trace_part(name, segment, element, component)
        reading.leave_beyond(segment, _FII)

    def write(self, record: Party, writing: Writing) -> None:
        account: BankAccount | None = writing.root.account
        if account is None or record is not _paid_party(writing.root):
            return
        holder = split_text(account.holder, HOLDER_CHARACTERS)
        if len(holder) > 2:
            raise writing.refuse("account/holder", f"at most {2 * HOLDER_CHARACTERS} characters can be sent")
        writing.add("FII", BENEFICIARY, (account.iban, *holder), account.bic)


def _paid_party(invoice: Invoice) -> Party | None:
    """The party under which the account stands."""
    found = (party for role in PAID_ROLES for party in invoice.parties if party.role is role)
    return next(found, next(iter(invoice.parties), None))


PARTY = RecordMapping(
    Party,
    (NameAndAddress(), Account(), References(PARTY_REFERENCES), Nested("CTA", "contacts", CONTACT)),
)


class InvoiceParties(Parties):
    """NAD and its group, the account included."""

    def write(self, record: Invoice, writing: Writing) -> None:
        if record.account is not None and not record.parties:
            raise writing.refuse("account", "an account stands under a party; the invoice names none")
        super().write(record, writing)


# Payment terms


NET_DUE = "13"  # 2005
DISCOUNT = "12"  # 5245


class TermDates(Dates):
    """DTM of payment terms; the first net due date is that of the invoice."""

    def __init__(self) -> None:
        super().__init__({"12": "discount_until"}, others="dates")
        self._due = Dates({NET_DUE: "due"})

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        if segment.get(1, 1) != NET_DUE or "due" in reading.root:
            super().read(segment, values, reading)
            return
        with reading.within(""):
            self._due.read(segment, reading.root, reading)

    def write(self, record: PaymentTerms, writing: Writing) -> None:
        if writing.path == "terms[0]/" and writing.root.due is not None:
            write_dtm(NET_DUE, writing.root.due, writing)
        super().write(record, writing)


TERMS = RecordMapping(
    PaymentTerms,
    (
        Components(
            "PAT",
            Cell(1, 1, "type"),
            Cell(3, 1, "reference"),
            Cell(3, 2, "relation"),
            Cell(3, 3, "period_type"),
            Cell(3, 4, "periods", INTEGER),
        ),
        TermDates(),
        Share("PCD", "percent", lambda terms: DISCOUNT, frozenset({DISCOUNT})),
        Amounts({"52": "amount"}),
    ),
)
_NO_TERMS = PaymentTerms()


class Terms(Nested):
    """PAT and its group; one that says no more than the due date is no terms."""

    def read_group(self, group: Group, values: Values, reading: Reading) -> None:
        super().read_group(group, values, reading)
        if values[self.name][-1] == _NO_TERMS:
            values[self.name].pop()

    def write(self, record: Invoice, writing: Writing) -> None:
        if record.due is not None and not record.terms:
            writing.add("PAT", _NO_TERMS.type)
            write_dtm(NET_DUE, record.due, writing)
        super().write(record, writing)


# Lines and totals


LINE = RecordMapping(
    InvoiceLine,
    (
        Line(parent="parent"),
        Articles(),
        Description(),
        Quantities({"47": "quantity", "46": "delivered", "192": "free_quantity"}, main="47"),
        Dates({}, others="dates"),
        Variance(REMAINDERS),
        Notes(),
        Amounts({"203": "net_amount"}, others="other_amounts"),
        Prices({"AAA": "unit_price", "AAB": "list_price"}),
        OrderReference({"AAK": Ref("despatch_number")}),
        Vat(amounts={"124": "vat_amount"}),
        Nested("ALC", "allowances", ALLOWANCE),
    ),
)


TOTALS: Mapping[str, str] = {
    "79": "lines",
    "131": "allowances",
    "125": "taxable",
    "176": "vat",
    "86": "total",
    "77": "total_alternative",
    "113": "prepaid",
    "9": "due",
}


def _totals(grand_total: str) -> Amounts:
    """The totals of a partner whose grand total has this qualifier (5025): it changes places with the usual one."""
    return Amounts({**TOTALS, "86": TOTALS[grand_total], grand_total: "total"}, others="others")


class Totals(FinishingRow):
    """MOA of the summary: the totals, which are a record of their own in the invoice."""

    tags = ("MOA",)
    places = {"totals": "MOA+86"}  # noqa: RUF012 - the base declares it a mapping, nobody changes it
    by_grand_total: Mapping[str, Amounts] = {code: _totals(code) for code in ("86", "77", "9")}

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        with reading.within("totals/"):
            amounts = self.by_grand_total[reading.habits.grand_total]
            amounts.read(segment, values.setdefault("totals", {}), reading)

    def finish(self, values: Values, reading: Reading) -> None:
        totals: Values | None = values.get("totals")
        if totals is not None:
            drop_bad(totals)
            totals["others"] = tuple(totals.get("others", ()))
            values["totals"] = InvoiceTotals(**totals)

    def write(self, record: Invoice, writing: Writing) -> None:
        if record.totals == InvoiceTotals():
            raise writing.refuse("totals", "an invoice has at least one total, such as `total`")
        totals = record.totals
        if writing.habits.only_grand_total:
            totals = InvoiceTotals(total=totals.grand_total)
        self.by_grand_total[writing.habits.grand_total].write(totals, writing)


SUBTOTAL = RecordMapping(VatSubtotal, (Vat(), Amounts({"125": "base", "124": "amount"})))


class Subtotals(Nested):
    """TAX of the summary and its amounts; a tax other than VAT has no field."""

    def read_group(self, group: Group, values: Values, reading: Reading) -> None:
        children: list[Any] = group.children
        if is_vat(children[0]):
            super().read_group(group, values, reading)
        else:
            reading.leave_all(children)


CREDIT_NOTES = frozenset({"381", "83", "261", "262", "308", "396", "503"})  # 1001


class InvoiceMapping(RecordMapping[Invoice]):
    """Amounts of a credit note are positive in the record, however the partner signs them."""

    def read(self, group: Group, reading: Reading, values: Values | None = None) -> Invoice | None:
        invoice = super().read(group, reading, values)
        is_signed = reading.habits.credit_note_sign is Sign.NEGATIVE
        return negated(invoice) if invoice and is_signed and _is_credit_below_zero(invoice) else invoice

    def write(self, record: Invoice, writing: Writing) -> None:
        if writing.habits.credit_note_sign is Sign.NEGATIVE and record.type_code in CREDIT_NOTES:
            record = negated(record)
            writing.root = record
        super().write(record, writing)


def _is_credit_below_zero(invoice: Invoice) -> bool:
    return invoice.type_code in CREDIT_NOTES and (invoice.totals.grand_total or Decimal(0)) < 0


def negated(invoice: Invoice) -> Invoice:
    """The invoice with every quantity and amount of the other sign; prices and rates as they are."""
    return replace(
        invoice,
        lines=tuple(_negated(line, "allowances") for line in invoice.lines),
        allowances=tuple(map(_negated, invoice.allowances)),
        terms=tuple(map(_negated, invoice.terms)),
        vat_breakdown=tuple(map(_negated, invoice.vat_breakdown)),
        totals=_negated(invoice.totals),
    )


_LEFT_AS_THEY_ARE = frozenset(
    {"unit_price", "list_price", "price_basis", "percent", "rate", "other_prices", "other_quantities", "difference"}
)
D = TypeVar("D")


def _negated(part: D, nested: str = "") -> D:
    changes: dict[str, Any] = {}
    for each in fields(part):  # type: ignore[arg-type]  # D is a dataclass
        value = getattr(part, each.name)
        if each.name == nested:
            changes[nested] = tuple(_negated(item) for item in value)
        elif isinstance(value, Decimal) and each.name not in _LEFT_AS_THEY_ARE:
            changes[each.name] = -value
        elif each.name in ("others", "other_amounts"):
            changes[each.name] = tuple((code, -amount) for code, amount in value)
    return replace(part, **changes)  # type: ignore[type-var]  # as above


INVOICE = InvoiceMapping(
    Invoice,
    (
        Service("UNH", "UNT"),
        Components("BGM", Cell(1, 1, "type_code"), Cell(2, 1, "number", place="BGM 1004"), Cell(3, 1, "function")),
        Dates({"137": "issued", "35": "delivered", "11": "despatched", "263": Spans("period")}, others="dates"),
        Notes(),
        References(
            {
                "ON": Ref("order_number", date="order_date"),
                "AAK": Ref("despatch_number", date="despatch_date"),
                "IV": Ref("corrected_invoice", whole=True),
            }
        ),
        InvoiceParties("parties", PARTY),
        Currency(INVOICING_CURRENCY, is_needed=True),
        Terms("PAT", "terms", TERMS),
        Nested("ALC", "allowances", ALLOWANCE),
        Nested("LIN", "lines", LINE),
    ),
    Section(
        "UNS",
        "S",
        (
            Service("UNT"),
            ControlTotals(),
            Totals(),
            Subtotals("TAX", "vat_breakdown", SUBTOTAL),
        ),
    ),
)

TRANSLATOR = Translator("INVOIC", INVOICE)
