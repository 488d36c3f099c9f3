"""Whether an order from the shop may be sent to a vendor: what ORDERS must hold to be right."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from edi_gateway.edifact.findings import Finding
from edi_gateway.marketplace import rules
from edi_gateway.marketplace.articles import article_key
from edi_gateway.marketplace.identifiers import is_gln, is_gtin
from edi_gateway.marketplace.moments import day
from edi_gateway.marketplace.money import CENT, line_amount, plain
from edi_gateway.marketplace.order import Order, OrderLine
from edi_gateway.marketplace.parties import Moment, PartyRole, Period

LINES_MAX = 9_999
"""Lines of one order: what INVRPT and other partners' systems still take in one message."""

LINE_NUMBER_MAX = 999_999
"""LIN 1082 in D.96A is n..6."""

NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]{0,34}", re.ASCII)
"""BGM 1004 is an..35; what stands in a URL or a file name without being written differently, as French invoices ask."""

QUANTITY_MAX = Decimal(10) ** 9
QUANTITY_DECIMALS_MAX = 4
PRICE_MAX = Decimal(10) ** 12
PRICE_DECIMALS_MAX = 6

_WHOLE_UNITS = frozenset({"PCE", "EA"})


def order_findings(order: Order, *, vendor_gln: str, buyer_gln: str) -> list[Finding]:
    """Everything that is wrong with the order; `path` is the place in its JSON form."""
    unusable = [*_times(order), *_sizes(order)]
    if unusable:
        return unusable  # nothing can be compared with a time that nobody knows, or counted with such numbers
    return [*_header(order), *_parties(order, vendor_gln, buyer_gln), *_lines(order), *_total(order)]


def findings_of_its_own(order: Order) -> list[Finding]:
    """What is wrong with an order whoever sends it to whom: dates, lines, amounts."""
    return [*_times(order), *_sizes(order)] or [*_dates(order), *_lines(order), *_total(order)]


def _times(order: Order) -> Iterator[Finding]:
    moments: dict[str, Moment | None] = {
        "issued": order.issued,
        "requested_delivery": order.requested_delivery,
        "cancel_after": order.cancel_after,
        **_of_window("", order.delivery_window),
    }
    for index, line in enumerate(order.lines):
        moments |= _of_window(f"lines[{index}]/", line.delivery_window)
    for path, moment in moments.items():
        if isinstance(moment, datetime) and moment.tzinfo is None:
            yield Finding(rules.TIME_WITHOUT_ZONE, value=moment.isoformat(), path=path)


def _sizes(order: Order) -> Iterator[Finding]:
    """Numbers that no message and no database carries exactly."""
    if order.total_net is not None:
        yield from _size(order.total_net, PRICE_MAX, PRICE_DECIMALS_MAX, "total_net")
    for index, line in enumerate(order.lines):
        for name in ("quantity", "free_quantity", "pack_size", "price_basis"):
            yield from _size(getattr(line, name), QUANTITY_MAX, QUANTITY_DECIMALS_MAX, f"lines[{index}]/{name}")
        for name in ("unit_price", "list_price", "retail_price", "net_amount"):
            yield from _size(getattr(line, name), PRICE_MAX, PRICE_DECIMALS_MAX, f"lines[{index}]/{name}")


def _size(value: Decimal | None, size_max: Decimal, decimals_max: int, path: str) -> Iterator[Finding]:
    if value is None:
        return
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or abs(value) >= size_max or len(plain(value).partition(".")[2]) > decimals_max:
        expected = f"less than {plain(size_max)}, at most {decimals_max} decimals"
        yield Finding(rules.NUMBER_TOO_LONG, value=f"{value:.6E}", expected=expected, path=path)


def _of_window(prefix: str, window: Period | None) -> dict[str, Moment | None]:
    if window is None:
        return {}
    return {f"{prefix}delivery_window/start": window.start, f"{prefix}delivery_window/end": window.end}


def _header(order: Order) -> Iterator[Finding]:
    if not NUMBER.fullmatch(order.number):
        yield Finding(rules.ORDER_NUMBER_WRONG, value=order.number, path="number")
    if len(order.currency) != 3 or not order.currency.isalpha() or not order.currency.isupper():
        yield Finding(rules.CURRENCY_UNKNOWN, value=order.currency, path="currency")
    yield from _dates(order)


def _dates(order: Order) -> Iterator[Finding]:
    window = order.delivery_window
    if window is not None:
        yield from _window(order, window, "delivery_window")
        if order.cancel_after is not None and window.end is not None and day(order.cancel_after) < day(window.end):
            yield _before("cancel_after", day(order.cancel_after).isoformat(), day(window.end).isoformat())


def _window(order: Order, window: Period, path: str) -> Iterator[Finding]:
    if window.end is None:
        return
    if window.start is not None and day(window.end) < day(window.start):
        yield _before(f"{path}/end", day(window.end).isoformat(), day(window.start).isoformat())
    if day(window.end) < day(order.issued):
        yield _before(f"{path}/end", day(window.end).isoformat(), day(order.issued).isoformat())


def _before(path: str, value: str, expected: str) -> Finding:
    return Finding(rules.DATE_BEFORE, value=value, expected=expected, path=path)


def _parties(order: Order, vendor_gln: str, buyer_gln: str) -> Iterator[Finding]:
    for index, party in enumerate(order.parties):
        if party.gln is not None and not is_gln(party.gln):
            yield Finding(rules.GLN_WRONG, value=party.gln, path=f"parties[{index}]/identifier")
    for role, gln in ((PartyRole.BUYER, buyer_gln), (PartyRole.SUPPLIER, vendor_gln)):
        named = order.party(role)
        if named is None:
            yield Finding(rules.PARTY_MISSING, value=role.value, path="parties")
        elif gln and named.gln is not None and named.gln != gln:
            yield Finding(rules.PARTY_DIFFERS, segment=role.value, value=named.gln, expected=gln, path="parties")
    if not any(order.party(role) for role in (PartyRole.DELIVERY_PARTY, PartyRole.SHIP_TO)):
        yield Finding(rules.PARTY_MISSING, value="DP", path="parties")


def _lines(order: Order) -> Iterator[Finding]:
    if not 1 <= len(order.lines) <= LINES_MAX:
        yield Finding(rules.LINE_COUNT, value=str(len(order.lines)), expected=f"1 to {LINES_MAX}", path="lines")
    for number, count in Counter(line.number for line in order.lines).items():
        if count > 1:
            yield Finding(rules.LINE_NUMBER_REPEATED, value=str(number), path="lines")
    for index, line in enumerate(order.lines):
        yield from _line(order, line, f"lines[{index}]")


def _line(order: Order, line: OrderLine, path: str) -> Iterator[Finding]:
    if not 1 <= line.number <= LINE_NUMBER_MAX:
        bounds = f"1 to {LINE_NUMBER_MAX}"
        yield Finding(rules.LINE_COUNT, value=str(line.number)[:20], expected=bounds, path=f"{path}/number")
    if not article_key(line.item):
        yield Finding(rules.ARTICLE_NOT_NAMED, value=str(line.number), path=f"{path}/item")
    if line.item.gtin and not is_gtin(line.item.gtin):
        yield Finding(rules.GTIN_WRONG, value=line.item.gtin, path=f"{path}/item/gtin")
    if line.quantity <= 0:
        yield Finding(rules.QUANTITY_NOT_POSITIVE, value=plain(line.quantity), path=f"{path}/quantity")
    elif line.unit in _WHOLE_UNITS and line.quantity != line.quantity.to_integral_value():
        yield Finding(rules.QUANTITY_NOT_WHOLE, value=plain(line.quantity), expected=line.unit, path=f"{path}/quantity")
    if line.unit_price is not None and line.unit_price <= 0:
        yield Finding(rules.PRICE_NOT_POSITIVE, value=plain(line.unit_price), path=f"{path}/unit_price")
    if line.price_basis <= 0:
        yield Finding(rules.PRICE_NOT_POSITIVE, value=plain(line.price_basis), path=f"{path}/price_basis")
    elif line.unit_price is not None and line.net_amount is not None:
        expected = line_amount(line.quantity, line.unit_price, line.price_basis, order.currency)
        if abs(expected - line.net_amount) > CENT:
            yield _amount(line.net_amount, expected, f"{path}/net_amount")


def _total(order: Order) -> Iterator[Finding]:
    amounts = [line.net_amount for line in order.lines if line.net_amount is not None]
    if order.total_net is None or len(amounts) < len(order.lines):
        return
    expected = sum(amounts, Decimal(0))
    if expected != order.total_net:
        yield _amount(order.total_net, expected, "total_net")


def _amount(found: Decimal, expected: Decimal, path: str) -> Finding:
    return Finding(rules.AMOUNT_DIFFERS, value=plain(found), expected=plain(expected), path=path)
