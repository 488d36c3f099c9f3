"""Whether a vendor's invoice agrees with what was ordered, confirmed and shipped, and with itself.

Three legs per order line: confirmed, shipped, invoiced. Every disagreement is a `Discrepancy` of a closed
list of classes, each with the one who has to settle it. An invoice that agrees is counted on the order
lines; one that does not is held and counts for nothing until it is settled.

Totals: whatever subset of totals an invoice carries must be consistent, and there must be a grand total
(MOA 86, 77 or 9) and a VAT breakdown (TAX with MOA 124/125).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from edi_gateway.edifact.findings import Finding, Severity
from edi_gateway.marketplace import rules
from edi_gateway.marketplace.articles import find_line
from edi_gateway.marketplace.confirming import price_allowance
from edi_gateway.marketplace.fulfilment import LineProgress, OrderProgress
from edi_gateway.marketplace.invoice import Allowance, Invoice, InvoiceLine
from edi_gateway.marketplace.moments import day
from edi_gateway.marketplace.money import CENT, ZERO, line_amount, percentage, plain
from edi_gateway.marketplace.parties import PartyRole
from edi_gateway.partnership import Tolerances

CREDIT_NOTES = frozenset({"381", "261", "262", "83"})
"""BGM 1001 of documents that give back; their quantities and amounts are positive, the type gives the sign."""

CORRECTIVE = CREDIT_NOTES | {"384"}
"""Documents that must name the invoice that they correct (RFF+IV)."""

REFERENCE_REQUIRED = frozenset({"FR"})
"""Countries whose law has a credit note without that reference refused (France: BR-FR-CO-05)."""


class Owner(StrEnum):
    """Who has to settle a discrepancy."""

    FINANCE = "finance"
    LOGISTICS = "logistics"
    VENDOR = "vendor"


class DiscrepancyClass(StrEnum):
    """The closed list of what can be wrong with an invoice."""

    PRICE_HIGHER = "price_higher"
    PRICE_LOWER = "price_lower"
    QTY_OVER = "qty_over"
    QTY_UNDER = "qty_under"
    SHORT_SHIPPED = "short_shipped"
    OVER_SHIPPED = "over_shipped"
    DAMAGED_RETURNED = "damaged_returned"
    MISSING_ORDER_REF = "missing_order_ref"
    UNKNOWN_LINE = "unknown_line"
    DUPLICATE_INVOICE = "duplicate_invoice"
    VAT_RATE = "vat_rate"
    VAT_MATH = "vat_math"
    TOTALS = "totals"
    CURRENCY = "currency"
    TAX_ID = "tax_id"
    DUE_DATE = "due_date"
    ALLOWANCE_MISSING = "allowance_missing"
    CHARGE_UNEXPECTED = "charge_unexpected"
    CREDIT_NOTE_NO_REF = "credit_note_no_ref"
    LATE_INVOICE = "late_invoice"
    SELF_BILL_CONTESTED = "self_bill_contested"


_FINANCE, _LOGISTICS, _VENDOR = Owner.FINANCE, Owner.LOGISTICS, Owner.VENDOR

OWNERS: Mapping[DiscrepancyClass, Owner] = {
    DiscrepancyClass.PRICE_HIGHER: _FINANCE,
    DiscrepancyClass.PRICE_LOWER: _FINANCE,
    DiscrepancyClass.QTY_OVER: _LOGISTICS,
    DiscrepancyClass.QTY_UNDER: _LOGISTICS,
    DiscrepancyClass.SHORT_SHIPPED: _LOGISTICS,
    DiscrepancyClass.OVER_SHIPPED: _LOGISTICS,
    DiscrepancyClass.DAMAGED_RETURNED: _LOGISTICS,
    DiscrepancyClass.MISSING_ORDER_REF: _VENDOR,
    DiscrepancyClass.UNKNOWN_LINE: _VENDOR,
    DiscrepancyClass.DUPLICATE_INVOICE: _VENDOR,
    DiscrepancyClass.VAT_RATE: _FINANCE,
    DiscrepancyClass.VAT_MATH: _VENDOR,
    DiscrepancyClass.TOTALS: _VENDOR,
    DiscrepancyClass.CURRENCY: _VENDOR,
    DiscrepancyClass.TAX_ID: _VENDOR,
    DiscrepancyClass.DUE_DATE: _FINANCE,
    DiscrepancyClass.ALLOWANCE_MISSING: _FINANCE,
    DiscrepancyClass.CHARGE_UNEXPECTED: _FINANCE,
    DiscrepancyClass.CREDIT_NOTE_NO_REF: _VENDOR,
    DiscrepancyClass.LATE_INVOICE: _VENDOR,
    DiscrepancyClass.SELF_BILL_CONTESTED: _FINANCE,
}


class MatchStatus(StrEnum):
    """What the comparison came to."""

    MATCHED = "matched"
    MATCHED_WITHIN_TOLERANCE = "matched_within_tolerance"
    MISMATCH_HELD = "mismatch_held"


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One disagreement: its class, where (``lines[2]/unit_price``), what was found and what was expected."""

    kind: DiscrepancyClass
    path: str
    found: str
    expected: str
    within_tolerance: bool = False

    @property
    def owner(self) -> Owner:
        return OWNERS[self.kind]

    @property
    def holds(self) -> bool:
        """Whether the invoice waits for somebody because of this."""
        return not self.within_tolerance

    def as_finding(self) -> Finding:
        where = f"{self.kind.value} at {self.path}: {self.found}"
        return Finding(rules.INVOICE_HELD, value=where, expected=self.expected, path=self.path)


@dataclass(frozen=True, slots=True)
class InvoicedLine:
    """How much of which order line the invoice bills."""

    order_number: str
    line: int
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class MatchResult:
    """The comparison: its status, every disagreement, and the order lines billed."""

    status: MatchStatus
    discrepancies: tuple[Discrepancy, ...]
    billed: tuple[InvoicedLine, ...]

    @property
    def agrees(self) -> bool:
        return self.status is not MatchStatus.MISMATCH_HELD

    @property
    def only_too_early(self) -> bool:
        """Whether it would agree had the goods been shipped: matched again when they are."""
        holding = [discrepancy for discrepancy in self.discrepancies if discrepancy.holds]
        return bool(holding) and all(d.kind is DiscrepancyClass.SHORT_SHIPPED for d in holding)


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchContext:
    """What the invoice is compared with: the vendor's orders by number, its VAT number, what was agreed."""

    orders: Mapping[str, OrderProgress]
    tolerances: Tolerances
    vendor_vat_number: str = ""
    vendor_country: str = "FR"


def reference_findings(invoice: Invoice, vendor_country: str) -> list[Finding]:
    """Whether a corrective document names what it corrects: an error where the law wants it, else a warning."""
    if invoice.type_code not in CORRECTIVE or invoice.corrected_invoice is not None:
        return []
    found = Finding(rules.CREDIT_NOTE_UNREFERENCED, value=invoice.number, path="corrected_invoice")
    return [found if vendor_country in REFERENCE_REQUIRED else found.with_severity(Severity.WARNING)]


def match_invoice(invoice: Invoice, context: MatchContext) -> MatchResult:
    """Compare an invoice with its orders and with itself."""
    billed = _billed(invoice, context)
    discrepancies = (
        *_header(invoice, context),
        *_lines(invoice, context),
        *_quantities(invoice, context, billed),
        *_totals(invoice),
        *_vat(invoice),
        *_surprises(invoice),
    )
    status = MatchStatus.MATCHED
    if discrepancies:
        status = MatchStatus.MATCHED_WITHIN_TOLERANCE
    if any(discrepancy.holds for discrepancy in discrepancies):
        status = MatchStatus.MISMATCH_HELD
    return MatchResult(status, discrepancies, billed)


def findings_of_its_own(invoice: Invoice) -> list[Finding]:
    """What is wrong with an invoice whatever was ordered and shipped: dates, references, amounts, totals, VAT."""
    discrepancies = (
        *_header_of_its_own(invoice),
        *(each for line in invoice.lines for each in _line_math(invoice, line, f"lines[{line.number}]")),
        *_totals(invoice),
        *_vat(invoice),
    )
    return [discrepancy.as_finding() for discrepancy in discrepancies if discrepancy.holds]


def order_numbers(invoice: Invoice) -> tuple[str, ...]:
    """The orders that the invoice names, each once."""
    named = [invoice.order_number, *(line.order_number for line in invoice.lines)]
    return tuple(dict.fromkeys(number for number in named if number))


def is_credit(invoice: Invoice) -> bool:
    return invoice.type_code in CREDIT_NOTES


def net_amount(invoice: Invoice) -> Decimal:
    """What the invoice bills without VAT: the stated taxable amount, else that of its lines."""
    totals = invoice.totals
    if totals.taxable is not None:
        return totals.taxable
    return totals.lines if totals.lines is not None else _sum_of_lines(invoice)


# The lines against the orders.


def _order_line(invoice: Invoice, line: InvoiceLine, context: MatchContext) -> tuple[str, LineProgress] | None:
    number = line.order_number or invoice.order_number
    order = context.orders.get(number)
    if order is None:
        return None
    # An invoice numbers its own lines; only RFF+ON 1156 or the article says which order line is meant.
    found = find_line([progress.line for progress in order.lines], line.order_line, line.item)
    progress = order.line(found.number) if found is not None else None
    return None if progress is None else (number, progress)


def _billed(invoice: Invoice, context: MatchContext) -> tuple[InvoicedLine, ...]:
    sums: dict[tuple[str, int], Decimal] = defaultdict(Decimal)
    for line in invoice.lines:
        place = _order_line(invoice, line, context)
        if place is not None:
            sums[place[0], place[1].number] += line.quantity
    return tuple(InvoicedLine(number, line, quantity) for (number, line), quantity in sums.items())


def _header(invoice: Invoice, context: MatchContext) -> Iterator[Discrepancy]:
    for number in order_numbers(invoice):
        order = context.orders.get(number)
        if order is not None and order.order.currency != invoice.currency:
            yield Discrepancy(DiscrepancyClass.CURRENCY, "currency", invoice.currency, order.order.currency)
    supplier = invoice.party(PartyRole.SUPPLIER)
    stated = supplier.vat_id if supplier is not None else ""
    if stated and context.vendor_vat_number and stated != context.vendor_vat_number:
        yield Discrepancy(DiscrepancyClass.TAX_ID, "parties[SU]/vat_id", stated, context.vendor_vat_number)
    yield from _header_of_its_own(invoice, context.vendor_country)


def _header_of_its_own(invoice: Invoice, vendor_country: str = "FR") -> Iterator[Discrepancy]:
    if invoice.type_code in CORRECTIVE and invoice.corrected_invoice is None:
        yield Discrepancy(
            DiscrepancyClass.CREDIT_NOTE_NO_REF,
            "corrected_invoice",
            "none",
            "the corrected invoice (RFF+IV)",
            within_tolerance=vendor_country not in REFERENCE_REQUIRED,
        )
    if invoice.due is not None and day(invoice.due) < day(invoice.issued):
        yield Discrepancy(
            DiscrepancyClass.DUE_DATE, "due", day(invoice.due).isoformat(), f"{day(invoice.issued)} or later"
        )


def _lines(invoice: Invoice, context: MatchContext) -> Iterator[Discrepancy]:
    for line in invoice.lines:
        path = f"lines[{line.number}]"
        yield from _line_math(invoice, line, path)
        place = _order_line(invoice, line, context)
        if place is not None:
            yield from _price(invoice, line, place[1], context.tolerances, path)
            yield from _vat_rate(line, place[1], path)
            continue
        number = line.order_number or invoice.order_number
        if not number:
            yield Discrepancy(DiscrepancyClass.MISSING_ORDER_REF, path, "none", "an order number (RFF+ON)")
        elif number not in context.orders:
            yield Discrepancy(DiscrepancyClass.UNKNOWN_LINE, path, f"order {number}", "an order of ours")
        else:
            yield Discrepancy(DiscrepancyClass.UNKNOWN_LINE, path, str(line.order_line or line.number), "a line of it")


def _line_math(invoice: Invoice, line: InvoiceLine, path: str) -> Iterator[Discrepancy]:
    """quantity x price, less allowances and with charges, is the line's amount to the cent."""
    if line.quantity <= 0:
        yield Discrepancy(DiscrepancyClass.TOTALS, path + "/quantity", plain(line.quantity), "greater than 0")
        return
    if line.net_amount is None or line.unit_price is None or line.price_basis <= 0:
        return
    # PRI AAA already holds the allowances; partners who send it with ALC too may or may not count them again.
    gross = line_amount(line.quantity, line.unit_price, line.price_basis, invoice.currency)
    candidates = {gross, gross + _balance(line.allowances)}
    if all(abs(line.net_amount - candidate) > CENT for candidate in candidates):
        yield Discrepancy(DiscrepancyClass.TOTALS, path + "/net_amount", plain(line.net_amount), plain(gross))


def _price(
    invoice: Invoice, line: InvoiceLine, ordered: LineProgress, tolerances: Tolerances, path: str
) -> Iterator[Discrepancy]:
    agreed = ordered.agreed_price
    billed = _unit_price(line)
    if agreed is None or billed is None or line.quantity <= 0:
        return
    per_unit = agreed / ordered.line.price_basis
    difference = billed - per_unit
    # A price worked out from a rounded amount is only as exact as the rounding.
    exact = line.unit_price is not None
    if difference == 0 or (not exact and abs(difference * line.quantity) <= CENT):
        return
    kind = DiscrepancyClass.PRICE_HIGHER if difference > 0 else DiscrepancyClass.PRICE_LOWER
    tolerated = abs(difference) <= price_allowance(per_unit, tolerances)
    yield Discrepancy(kind, path + "/unit_price", plain(billed), plain(per_unit), within_tolerance=tolerated)


def _unit_price(line: InvoiceLine) -> Decimal | None:
    """The net price of one unit: PRI AAA, else the line's amount over its quantity."""
    if line.unit_price is not None and line.price_basis > 0:
        return line.unit_price / line.price_basis
    if line.net_amount is not None and line.quantity > 0:
        return line.net_amount / line.quantity
    return None


def _vat_rate(line: InvoiceLine, ordered: LineProgress, path: str) -> Iterator[Discrepancy]:
    expected = ordered.line.vat
    if line.vat is not None and expected is not None and line.vat.rate != expected.rate:
        yield Discrepancy(DiscrepancyClass.VAT_RATE, path + "/vat", plain(line.vat.rate), plain(expected.rate))


def _quantities(invoice: Invoice, context: MatchContext, billed: tuple[InvoicedLine, ...]) -> Iterator[Discrepancy]:
    for entry in billed:
        line = context.orders[entry.order_number].line(entry.line)
        assert line is not None  # noqa: S101 - _billed took it from this order
        path = f"orders[{entry.order_number}]/lines[{entry.line}]"
        yield from _credited(entry, line, path) if is_credit(invoice) else _invoiced(entry, line, context, path)


def _credited(entry: InvoicedLine, line: LineProgress, path: str) -> Iterator[Discrepancy]:
    limit = line.quantities.invoiced - line.quantities.credited
    if entry.quantity > limit:
        yield Discrepancy(DiscrepancyClass.QTY_OVER, path, plain(entry.quantity), f"at most {plain(limit)} to credit")


def _invoiced(entry: InvoicedLine, line: LineProgress, context: MatchContext, path: str) -> Iterator[Discrepancy]:
    """Nothing is invoiced twice, nor before it is shipped, nor beyond what was confirmed."""
    quantities = line.quantities
    total = quantities.invoiced + entry.quantity
    agreed = quantities.confirmed + quantities.backordered + quantities.unanswered
    allowed_excess = min(quantities.overshipped, quantities.confirmed * context.tolerances.quantity_percent / 100)
    if line.received is not None and quantities.shipped >= total > line.received:
        taken = f"{plain(line.received)} received and accepted"
        yield Discrepancy(DiscrepancyClass.DAMAGED_RETURNED, path, f"{plain(total)} invoiced in all", taken)
    if total <= quantities.shipped:
        return
    found = f"{plain(total)} invoiced in all"
    if total <= quantities.shipped + allowed_excess:
        yield Discrepancy(DiscrepancyClass.OVER_SHIPPED, path, found, plain(quantities.shipped), within_tolerance=True)
    elif quantities.shipped < total <= agreed:
        yield Discrepancy(DiscrepancyClass.SHORT_SHIPPED, path, found, f"{plain(quantities.shipped)} shipped")
    elif total <= quantities.shipped + quantities.overshipped:
        yield Discrepancy(DiscrepancyClass.OVER_SHIPPED, path, found, f"{plain(agreed)} confirmed")
    else:
        yield Discrepancy(DiscrepancyClass.QTY_OVER, path, found, f"{plain(quantities.shipped)} shipped")


# The invoice against itself.


def _totals(invoice: Invoice) -> Iterator[Discrepancy]:
    totals = invoice.totals
    tolerance = _tolerance(invoice)
    lines = _sum_of_lines(invoice)
    if totals.lines is not None:
        yield from _agree("totals/lines", totals.lines, lines, tolerance)
    taxable = _taxable(invoice)
    if totals.taxable is not None:
        yield from _agree_any("totals/taxable", totals.taxable, _expected_taxables(invoice), tolerance)
    grand = totals.grand_total
    if grand is None:
        yield Discrepancy(DiscrepancyClass.TOTALS, "totals", "no grand total", "MOA 86, 77 or 9")
        return
    gross = taxable + vat_amount(invoice)
    for path, stated in (("totals/total", totals.total), ("totals/total_alternative", totals.total_alternative)):
        if stated is not None:
            yield from _agree(path, stated, gross, tolerance)
    if totals.due is not None:
        yield from _agree("totals/due", totals.due, gross - (totals.prepaid or ZERO), tolerance)


def _vat(invoice: Invoice) -> Iterator[Discrepancy]:
    """Each rate's VAT is the rate on its base; the bases and the amounts add up; the lines' bases are theirs."""
    tolerance = _tolerance(invoice)
    if not invoice.vat_breakdown:
        yield Discrepancy(DiscrepancyClass.VAT_MATH, "vat_breakdown", "none", "one TAX group per rate")
        return
    for entry in invoice.vat_breakdown:
        if entry.base is not None and entry.amount is not None:
            due = percentage(entry.base, entry.vat.rate, invoice.currency)
            yield from _agree_vat(f"vat_breakdown[{plain(entry.vat.rate)}]", entry.amount, due, tolerance)
    amounts = [entry.amount for entry in invoice.vat_breakdown]
    if invoice.totals.vat is not None and all(amount is not None for amount in amounts):
        stated = sum((amount for amount in amounts if amount is not None), ZERO)
        yield from _agree_vat("totals/vat", invoice.totals.vat, stated, tolerance)
    yield from _bases(invoice, tolerance)


def _bases(invoice: Invoice, tolerance: Decimal) -> Iterator[Discrepancy]:
    """What is taxed at a rate is what the lines and the charges of that rate come to, where all of them say theirs."""
    if any(line.vat is None or line.net_amount is None for line in invoice.lines):
        return
    if any(allowance.vat is None for allowance in invoice.allowances):
        return
    bases: dict[Decimal, Decimal] = defaultdict(Decimal)
    for line in invoice.lines:
        if line.vat is not None and line.net_amount is not None:
            bases[line.vat.rate] += line.net_amount
    for allowance in invoice.allowances:
        if allowance.vat is not None:
            bases[allowance.vat.rate] += _balance((allowance,))
    for entry in invoice.vat_breakdown:
        if entry.base is not None:
            path = f"vat_breakdown[{plain(entry.vat.rate)}]/base"
            yield from _agree_vat(path, entry.base, bases.get(entry.vat.rate, ZERO), tolerance)


def _surprises(invoice: Invoice) -> Iterator[Discrepancy]:
    """Charges on the whole invoice that no order holds (freight, handling): never paid unseen."""
    for index, allowance in enumerate(invoice.allowances, 1):
        if allowance.is_charge and allowance.amount:
            service = allowance.description or allowance.service or "charge"
            found = f"{service} {plain(allowance.amount)}"
            yield Discrepancy(DiscrepancyClass.CHARGE_UNEXPECTED, f"allowances[{index}]", found, "no charge agreed")


def _sum_of_lines(invoice: Invoice) -> Decimal:
    return sum((_line_net(invoice, line) for line in invoice.lines), ZERO)


def _line_net(invoice: Invoice, line: InvoiceLine) -> Decimal:
    if line.net_amount is not None:
        return line.net_amount
    if line.unit_price is not None and line.price_basis > 0:
        return line_amount(line.quantity, line.unit_price, line.price_basis, invoice.currency)
    return ZERO


def _balance(allowances: tuple[Allowance, ...]) -> Decimal:
    """Charges less allowances."""
    return sum(
        ((entry.amount or ZERO) * (1 if entry.is_charge else -1) for entry in allowances),
        ZERO,
    )


def _expected_taxables(invoice: Invoice) -> tuple[Decimal, ...]:
    """Lines with charges less allowances: from the ALC groups, or from MOA 131, whose sign partners write both ways."""
    lines = _sum_of_lines(invoice)
    stated = invoice.totals.allowances
    if invoice.allowances or stated is None:
        return (lines + _balance(invoice.allowances),)
    return (lines + stated, lines - stated)


def _taxable(invoice: Invoice) -> Decimal:
    if invoice.totals.taxable is not None:
        return invoice.totals.taxable
    bases = [entry.base for entry in invoice.vat_breakdown]
    if bases and all(base is not None for base in bases):
        return sum((base for base in bases if base is not None), ZERO)
    return _expected_taxables(invoice)[0]


def vat_amount(invoice: Invoice) -> Decimal:
    """The VAT of the invoice: as stated (MOA 176), else the sum over the rates."""
    if invoice.totals.vat is not None:
        return invoice.totals.vat
    return sum((entry.amount or ZERO for entry in invoice.vat_breakdown), ZERO)


def _tolerance(invoice: Invoice) -> Decimal:
    """One cent a line: what rounding each line may add up to."""
    return CENT * max(1, len(invoice.lines))


def _agree(path: str, found: Decimal, expected: Decimal, tolerance: Decimal) -> Iterator[Discrepancy]:
    yield from _compare(DiscrepancyClass.TOTALS, path, found, (expected,), tolerance)


def _agree_any(path: str, found: Decimal, expected: tuple[Decimal, ...], tolerance: Decimal) -> Iterator[Discrepancy]:
    yield from _compare(DiscrepancyClass.TOTALS, path, found, expected, tolerance)


def _agree_vat(path: str, found: Decimal, expected: Decimal, tolerance: Decimal) -> Iterator[Discrepancy]:
    yield from _compare(DiscrepancyClass.VAT_MATH, path, found, (expected,), tolerance)


def _compare(
    kind: DiscrepancyClass, path: str, found: Decimal, expected: tuple[Decimal, ...], tolerance: Decimal
) -> Iterator[Discrepancy]:
    distance = min(abs(found - value) for value in expected)
    if distance == 0:
        return
    within = distance <= tolerance
    yield Discrepancy(kind, path, plain(found), plain(expected[0]), within_tolerance=within)
