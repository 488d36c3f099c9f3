"""What a vendor's answer (ORDRSP) does to an order.

The header's response code is a summary and the lines are authoritative: where they disagree the lines
count, and a warning says so. An answer replaces the one before it, line by line, until goods have shipped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from edi_gateway.edifact.findings import Finding, Rule
from edi_gateway.marketplace import rules
from edi_gateway.marketplace.articles import find_line, same_article
from edi_gateway.marketplace.confirmation import (
    ConfirmationLine,
    LineAction,
    OrderConfirmation,
    Remainder,
    ResponseCode,
)
from edi_gateway.marketplace.fulfilment import CLOSED_STATES, LineProgress, OrderMessageState, OrderProgress
from edi_gateway.marketplace.moments import day
from edi_gateway.marketplace.money import ZERO, plain
from edi_gateway.marketplace.order import ResponseRequired
from edi_gateway.partnership import Tolerances


@dataclass(frozen=True, slots=True)
class Applied:
    """An order after a document, and what was wrong with the document."""

    order: OrderProgress
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Sums:
    """What all entries for one order line state together."""

    confirmed: Decimal = ZERO
    backordered: Decimal = ZERO
    cancelled: Decimal = ZERO
    rejected: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        return self.confirmed + self.backordered + self.cancelled + self.rejected

    @property
    def least(self) -> Decimal:
        return min(self.confirmed, self.backordered, self.cancelled, self.rejected)

    def plus(self, other: _Sums) -> _Sums:
        return _Sums(
            self.confirmed + other.confirmed,
            self.backordered + other.backordered,
            self.cancelled + other.cancelled,
            self.rejected + other.rejected,
        )


# What the header says about a line that is not listed, where the header speaks for the whole order.
_WHOLE_ORDER: Mapping[ResponseCode, Callable[[Decimal], _Sums]] = {
    ResponseCode.ACCEPTED: lambda ordered: _Sums(confirmed=ordered),
    ResponseCode.REFUSED: lambda ordered: _Sums(rejected=ordered),
}


def apply_confirmation(
    order: OrderProgress, confirmation: OrderConfirmation, tolerances: Tolerances, received: datetime
) -> Applied:
    """The order after this answer. What the answer gets wrong is a finding, and changes nothing else."""
    refusal = _refusal(order, received)
    if refusal is not None:
        return Applied(order, (refusal,))
    if tolerances.response_code == "header" and confirmation.response in _WHOLE_ORDER and confirmation.lines:
        return _by_header(order, confirmation, tolerances, received)
    reading = _Reading(order, confirmation, tolerances, [])
    entries = reading.by_order_line()
    answered = [reading.answered(line, entries.get(line.number, ())) for line in order.lines]
    after = order.with_lines(answered)
    if confirmation.response is ResponseCode.NOT_PROCESSED and after == order:
        after = replace(order, message=OrderMessageState.NOT_PROCESSED_YET)
    return Applied(after, (*reading.findings, *_header_findings(confirmation, after)))


def _by_header(
    order: OrderProgress, confirmation: OrderConfirmation, tolerances: Tolerances, received: datetime
) -> Applied:
    """The order by the code of the header alone, and the warning if its lines say otherwise."""
    by_lines = apply_confirmation(order, confirmation, replace(tolerances, response_code="lines"), received)
    applied = apply_confirmation(order, replace(confirmation, lines=()), tolerances, received)
    disagreement = [finding for finding in by_lines.findings if finding.rule is rules.HEADER_DISAGREES]
    return replace(applied, findings=(*applied.findings, *disagreement))


def _refusal(order: OrderProgress, received: datetime) -> Finding | None:
    """Why nothing of the answer can be applied, or None."""
    cancel_after = order.order.cancel_after
    if cancel_after is not None and day(received) > day(cancel_after):
        return Finding(rules.AFTER_CANCEL_DATE, value=day(received).isoformat(), expected=day(cancel_after).isoformat())
    if order.state in CLOSED_STATES:
        return Finding(rules.ORDER_CLOSED, value=order.order.number, expected=order.state.value)
    return None


@dataclass(frozen=True, slots=True)
class _Reading:
    """One answer being read against its order; what is wrong with it is put into `findings`."""

    order: OrderProgress
    confirmation: OrderConfirmation
    tolerances: Tolerances
    findings: list[Finding]

    def report(self, rule: Rule, path: str, value: object, expected: object = None) -> None:
        shown = None if expected is None else str(expected)
        self.findings.append(Finding(rule, value=str(value), expected=shown, path=path))

    def by_order_line(self) -> dict[int, list[ConfirmationLine]]:
        """The entries of the answer under the order line that each speaks of; the strays are reported."""
        ordered = [line.line for line in self.order.lines]
        entries: dict[int, list[ConfirmationLine]] = defaultdict(list)
        for entry in self.confirmation.lines:
            line = find_line(ordered, entry.order_line, entry.item)
            path = f"lines[{entry.number}]"
            if line is None:
                self.report(rules.UNKNOWN_LINE, path, entry.order_line)
                continue
            if same_article(line.item, entry.item) is False:
                self.report(rules.ARTICLE_DIFFERS, path + "/item", entry.item.gtin, line.item.gtin)
            entries[line.number].append(entry)
        return entries

    def answered(self, line: LineProgress, entries: Sequence[ConfirmationLine]) -> LineProgress:
        """The line after its entries; the very same object where nothing changes."""
        entries = [entry for entry in entries if entry.action is not LineAction.NO_ACTION]
        path = f"lines[{entries[0].number}]" if entries else f"lines[{line.number}]"
        if entries:
            sums: _Sums | None = _sums(line.quantities.wanted, entries, self.confirmation.response)
        else:
            sums = self.silent(line)
        if sums is None:
            return line
        answered = self.with_sums(line, sums, path)
        return line if answered is line else self.with_terms(answered, entries)

    def silent(self, line: LineProgress) -> _Sums | None:
        """What silence about a line means: by the header where it speaks for all, else by BGM 4343 or the agreement."""
        whole = _WHOLE_ORDER.get(self.confirmation.response)
        if whole is not None:
            return whole(line.quantities.wanted)
        answered_before = not line.quantities.is_unanswered
        if self.confirmation.response is ResponseCode.NOT_PROCESSED or answered_before:
            return None
        required = self.order.order.response_required
        if required is ResponseRequired.ALL_LINES:
            self.report(rules.LINE_NOT_ANSWERED, f"lines[{line.number}]", line.number)
            return None
        if required is ResponseRequired.CHANGES_ONLY or self.tolerances.absent_line == "accepted":
            return _Sums(confirmed=line.quantities.wanted)
        return _Sums(rejected=line.quantities.wanted) if self.tolerances.absent_line == "refused" else None

    def with_sums(self, line: LineProgress, sums: _Sums, path: str) -> LineProgress:
        """The line with the stated quantities, or as it was where they cannot be."""
        quantities = line.quantities
        if sums.least < 0:
            self.report(rules.QUANTITY_NEGATIVE, path, plain(sums.least))
            return line
        if sums.total > quantities.wanted:
            self.report(rules.CONFIRMED_TOO_MUCH, path, plain(sums.total), plain(quantities.wanted))
            return line
        if quantities.shipped or quantities.overshipped:
            cancelled = quantities.cancelled - quantities.withdrawn
            if sums != _Sums(quantities.confirmed, quantities.backordered, cancelled, quantities.rejected):
                self.report(rules.ALREADY_SHIPPED, path, line.number)
            return line
        if sums.total < quantities.wanted:
            rest = plain(quantities.wanted - sums.total)
            self.report(rules.REMAINDER_UNEXPLAINED, path, rest, plain(quantities.wanted))
        return line.moved(
            quantities.answered(
                confirmed=sums.confirmed,
                backordered=sums.backordered,
                rejected=sums.rejected,
                cancelled=sums.cancelled,
            )
        )

    def with_terms(self, line: LineProgress, entries: Sequence[ConfirmationLine]) -> LineProgress:
        """The dates, the reason and the price of the answer."""
        delivery = next((entry.promised_delivery for entry in entries if entry.promised_delivery), None)
        ship = next((entry.promised_ship for entry in entries if entry.promised_ship), None)
        line = replace(
            line,
            promised_delivery=delivery or self.confirmation.promised_delivery,
            promised_ship=ship or self.confirmation.promised_ship,
            reason=next((entry.reason for entry in entries if entry.reason), ""),
            confirmed_price=None,
            proposed_price=None,
        )
        self.check_promise(line)
        for entry in entries:
            if entry.unit_price is not None and line.quantities.confirmed + line.quantities.backordered > 0:
                line = self.with_price(line, entry, entry.unit_price)
        return line

    def with_price(self, line: LineProgress, entry: ConfirmationLine, price: Decimal) -> LineProgress:
        """A price within the tolerance is taken over; another is proposed, and never accepted by itself."""
        path = f"lines[{entry.number}]/unit_price"
        if price <= 0 or entry.price_basis <= 0:
            self.report(rules.PRICE_NOT_POSITIVE, path, plain(price))
            return line
        price = price / entry.price_basis * line.line.price_basis
        ordered = line.line.unit_price
        if ordered is None or abs(price - ordered) <= price_allowance(ordered, self.tolerances):
            return replace(line, confirmed_price=price)
        self.report(rules.PRICE_PROPOSED, path, plain(price), plain(ordered))
        return replace(line, proposed_price=price)

    def check_promise(self, line: LineProgress) -> None:
        """A promise after the end of the delivery window is reported; it stands all the same."""
        window = line.line.delivery_window or self.order.order.delivery_window
        promised = line.promised_delivery
        if promised is None or window is None or window.end is None or day(promised) <= day(window.end):
            return
        path = f"lines[{line.number}]/promised_delivery"
        self.report(rules.LATE_PROMISE, path, day(promised).isoformat(), day(window.end).isoformat())


def _sums(ordered: Decimal, entries: Sequence[ConfirmationLine], response: ResponseCode) -> _Sums:
    """What the entries state together, the rest put where a QVR or the refusal says it belongs."""
    sums = _Sums()
    for entry in entries:
        sums = sums.plus(_entry_sums(entry, ordered, alone=len(entries) == 1, response=response))
    rest = ordered - sums.total
    if rest > 0:
        sums = sums.plus(_rest_sums(rest, entries))
    return sums


def _entry_sums(entry: ConfirmationLine, ordered: Decimal, *, alone: bool, response: ResponseCode) -> _Sums:
    if entry.action is LineAction.REFUSED or (
        entry.action is None and entry.quantity is None and response is ResponseCode.REFUSED
    ):
        if alone:
            return _Sums(rejected=ordered)
        return _Sums(rejected=entry.rejected or entry.quantity or ZERO)
    stated = _Sums(
        backordered=entry.backordered or ZERO, cancelled=entry.cancelled or ZERO, rejected=entry.rejected or ZERO
    )
    return replace(stated, confirmed=_confirmed(entry, ordered, stated, alone=alone))


def _confirmed(entry: ConfirmationLine, ordered: Decimal, stated: _Sums, *, alone: bool) -> Decimal:
    """The confirmed quantity of an entry: as sent, else what the difference or the other quantities leave."""
    if entry.quantity is not None:
        return entry.quantity
    if entry.difference is not None:
        return max(ZERO, ordered + entry.difference)
    return max(ZERO, ordered - stated.total) if alone else ZERO


def _rest_sums(rest: Decimal, entries: Sequence[ConfirmationLine]) -> _Sums:
    """Where the unstated rest of a line goes: back order, cancelled, refused, or nowhere (unanswered)."""
    if any(entry.action is LineAction.REFUSED for entry in entries):
        return _Sums(rejected=rest)
    remainders = {entry.remainder for entry in entries}
    if Remainder.BACK_ORDER in remainders:
        return _Sums(backordered=rest)
    if Remainder.CANCELLED in remainders:
        return _Sums(cancelled=rest)
    return _Sums()


def price_allowance(agreed: Decimal, tolerances: Tolerances) -> Decimal:
    """How far a price may be from the agreed one: the larger of the absolute and the percentage tolerance."""
    return max(tolerances.price_absolute, agreed * tolerances.price_percent / 100)


def findings_of_its_own(confirmation: OrderConfirmation) -> list[Finding]:
    """Whether the code of the header (BGM 1225) can agree with those of the lines (LIN 1229), whatever was ordered."""
    lines = confirmation.lines
    taken = (LineAction.ADDED, LineAction.CHANGED, LineAction.ACCEPTED)
    disagrees = {
        ResponseCode.ACCEPTED: any(not _may_be_accepted(line) for line in lines),
        ResponseCode.REFUSED: any(line.action in taken for line in lines),
    }
    if disagrees.get(confirmation.response, False):
        return [Finding(rules.HEADER_DISAGREES, value=confirmation.response.value, path="response")]
    return []


def _may_be_accepted(line: ConfirmationLine) -> bool:
    short = line.backordered or line.cancelled or line.rejected or (line.difference or ZERO) < 0
    return line.action is not LineAction.REFUSED and not short


def _header_findings(confirmation: OrderConfirmation, order: OrderProgress) -> list[Finding]:
    """Whether the header's code agrees with what the lines came to."""
    if not confirmation.lines:
        return []
    everything = [line.quantities for line in order.lines]
    agrees = {
        ResponseCode.ACCEPTED: all(quantities.confirmed == quantities.wanted for quantities in everything),
        ResponseCode.REFUSED: all(quantities.rejected == quantities.wanted for quantities in everything),
        ResponseCode.NOT_PROCESSED: all(quantities.unanswered == quantities.wanted for quantities in everything),
    }
    if agrees.get(confirmation.response, True):
        return []
    return [Finding(rules.HEADER_DISAGREES, value=confirmation.response.value, path="response")]
