"""What a despatch advice (DESADV) does to the orders it names: one shipment may serve several."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from edi_gateway.edifact.findings import Finding
from edi_gateway.marketplace import rules
from edi_gateway.marketplace.articles import find_line, same_article
from edi_gateway.marketplace.confirmation import Remainder
from edi_gateway.marketplace.fulfilment import CLOSED_STATES, LineProgress, OrderProgress
from edi_gateway.marketplace.identifiers import is_sscc
from edi_gateway.marketplace.money import ZERO, plain
from edi_gateway.marketplace.order import ResponseRequired
from edi_gateway.marketplace.shipment import Shipment, ShipmentLine
from edi_gateway.partnership import Tolerances

ORIGINAL = "9"
APPLIED = frozenset({ORIGINAL, "4", "7"})
"""BGM 1225 of a shipment that is applied (7: a duplicate, if the original did not come); 4 is applied in place of the
one that it names (RFF+AAK), and 1 takes that one back."""

CANCELLATION, REPLACEMENT = "1", "4"


@dataclass(frozen=True, slots=True)
class ShippedLine:
    """What one shipment brought of one order line."""

    order_number: str
    line: LineProgress  # after the shipment
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class ShipmentApplied:
    """The orders after the shipment (only those that changed), what each line got, and the findings."""

    orders: Mapping[str, OrderProgress]
    shipped: tuple[ShippedLine, ...]
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class _Share:
    """All that one shipment says of one order line."""

    quantity: Decimal = ZERO
    remainders: tuple[Remainder, ...] = ()


def order_numbers(shipment: Shipment) -> tuple[str, ...]:
    """The orders that the shipment names, each once, in order of appearance."""
    named = [shipment.order_number, *(line.order_number for line in shipment.lines())]
    return tuple(dict.fromkeys(number for number in named if number))


def awaited_orders(orders: Mapping[str, OrderProgress], shipment: Shipment) -> tuple[str, ...]:
    """The orders that the shipment touches at a line which the vendor has not answered at all.

    Such a shipment came before its ORDRSP and waits for it.
    """
    awaited = []
    for entry in shipment.lines():
        order = orders.get(entry.order_number or shipment.order_number)
        if order is None or order.state in CLOSED_STATES or not _answer_expected(order):
            continue
        line = _line_of(order, entry)
        if line is not None and line.quantities.is_unanswered:
            awaited.append(order.order.number)
    return tuple(dict.fromkeys(awaited))


def _answer_expected(order: OrderProgress) -> bool:
    return order.order.response_required is not ResponseRequired.NONE


def apply_shipment(
    orders: Mapping[str, OrderProgress],
    shipment: Shipment,
    tolerances: Tolerances,
    done: Collection[tuple[str, int]] = (),
) -> ShipmentApplied:
    """The orders after this shipment. `orders` holds those of this vendor, by number.

    `done` are the order lines (number, line) that this very shipment was applied to before. A line that names
    no order, an unknown order or an unknown line is a finding, and the rest applies.
    """
    if shipment.function not in APPLIED:
        refusal = Finding(rules.FUNCTION_NOT_SUPPORTED, value=shipment.function, expected=ORIGINAL, path="function")
        return ShipmentApplied({}, (), (refusal,))
    findings = [*package_findings(shipment)]
    shares = {place: share for place, share in _shares(orders, shipment, findings).items() if place not in done}
    changed: dict[str, OrderProgress] = {}
    shipped = []
    for (order_number, line_number), share in shares.items():
        order = changed.get(order_number, orders[order_number])
        line = order.line(line_number)
        assert line is not None  # noqa: S101 - _shares took the number from this order
        if not _answer_expected(order) and line.quantities.is_unanswered:
            line = line.moved(line.quantities.answered(confirmed=line.quantities.wanted))
        line = _ship(line, share, tolerances, order_number, findings)
        changed[order_number] = order.with_lines([line])
        shipped.append(ShippedLine(order_number, line, share.quantity))
    return ShipmentApplied(changed, tuple(shipped), tuple(findings))


def findings_of_its_own(shipment: Shipment) -> list[Finding]:
    """What is wrong with a shipment whatever was ordered: packages within themselves, less than nothing sent."""
    negative = [
        Finding(rules.QUANTITY_NOT_POSITIVE, value=plain(line.quantity), path=f"lines[{line.number}]")
        for line in shipment.lines()
        if line.quantity < 0
    ]
    return [*package_findings(shipment), *negative]


def take_back(line: LineProgress, quantity: Decimal) -> LineProgress | None:
    """The line after a shipment of `quantity` turned out not to have left; None where that has been invoiced."""
    over = min(line.quantities.overshipped, quantity)
    left = line.quantities.shipped + line.quantities.overshipped - quantity
    if left < line.quantities.invoiced:
        return None
    return line.moved(line.quantities.without_shipment(quantity, over))


def package_findings(shipment: Shipment) -> list[Finding]:
    """Whether the packages nest within packages that exist, without a circle (CPS 7164, 7166)."""
    parents = {package.number: package.parent for package in shipment.packages}
    findings = []
    for package in shipment.packages:
        if package.parent and not _rooted(package.number, parents):
            findings.append(Finding(rules.PACKAGE_TREE, value=package.number, expected=package.parent, path="packages"))
    return findings


def _rooted(number: str, parents: Mapping[str, str]) -> bool:
    seen = {number}
    while parent := parents.get(number, ""):
        if parent in seen or parent not in parents:
            return False
        seen.add(parent)
        number = parent
    return True


def _shares(
    orders: Mapping[str, OrderProgress], shipment: Shipment, findings: list[Finding]
) -> dict[tuple[str, int], _Share]:
    shares: dict[tuple[str, int], _Share] = defaultdict(_Share)
    for entry in shipment.lines():
        path = f"lines[{entry.number}]"
        place = _place(orders, shipment, entry, path, findings)
        if place is None:
            continue
        if entry.quantity <= 0 and entry.remainder is None:
            findings.append(Finding(rules.QUANTITY_NOT_POSITIVE, value=plain(entry.quantity), path=path + "/quantity"))
            continue
        share = shares[place]
        share.quantity += max(ZERO, entry.quantity)
        if entry.remainder is not None:
            share.remainders += (entry.remainder,)
    return shares


def _place(
    orders: Mapping[str, OrderProgress],
    shipment: Shipment,
    entry: ShipmentLine,
    path: str,
    findings: list[Finding],
) -> tuple[str, int] | None:
    """Which order line the entry ships, or None with a finding that says why not."""
    number = entry.order_number or shipment.order_number
    order = orders.get(number)
    if not number:
        findings.append(Finding(rules.MISSING_ORDER_REFERENCE, path=path))
    elif order is None:
        findings.append(Finding(rules.UNKNOWN_ORDER, value=number, path=path))
    elif order.state in CLOSED_STATES:
        findings.append(Finding(rules.ORDER_CLOSED, value=number, expected=order.state.value, path=path))
    else:
        line = _line_of(order, entry)
        if line is not None:
            if same_article(line.item, entry.item) is False:
                findings.append(
                    Finding(rules.ARTICLE_DIFFERS, value=entry.item.gtin, expected=line.item.gtin, path=path)
                )
            return number, line.number
        findings.append(Finding(rules.UNKNOWN_LINE, value=str(entry.order_line or entry.number), path=path))
    return None


def _line_of(order: OrderProgress, entry: ShipmentLine) -> LineProgress | None:
    # A despatch advice numbers its own lines, so LIN 1082 says nothing of the order's lines.
    found = find_line([line.line for line in order.lines], entry.order_line, entry.item)
    return order.line(found.number) if found is not None else None


def _ship(
    line: LineProgress, share: _Share, tolerances: Tolerances, order_number: str, findings: list[Finding]
) -> LineProgress:
    agreed = line.quantities.confirmed + line.quantities.backordered
    quantities = line.quantities.with_shipment(share.quantity)
    excess = quantities.overshipped - line.quantities.overshipped
    if excess > agreed * tolerances.quantity_percent / 100:
        findings.append(
            Finding(
                rules.OVER_SHIPPED,
                value=plain(excess),
                expected=plain(agreed),
                path=f"orders[{order_number}]/lines[{line.number}]",
            )
        )
    if quantities.to_ship > 0:
        cancelled = _rest_is_cancelled(share, tolerances)
        quantities = quantities.with_rest_cancelled() if cancelled else quantities.with_rest_backordered()
    elif share.remainders and set(share.remainders) == {Remainder.CANCELLED}:
        quantities = quantities.with_rest_cancelled()
    return line.moved(quantities)


def _rest_is_cancelled(share: _Share, tolerances: Tolerances) -> bool:
    """CP ends the line, BP keeps it open, silence is for the agreement to read."""
    if share.remainders:
        return set(share.remainders) == {Remainder.CANCELLED}
    return tolerances.short_shipment == "cancel"


def sscc_list(shipment: Shipment) -> tuple[str, ...]:
    """Every SSCC of the shipment that is one, in order."""
    return tuple(sscc for package in shipment.packages for sscc in package.ssccs if is_sscc(sscc))
