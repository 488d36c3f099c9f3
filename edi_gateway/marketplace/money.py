"""Amounts: how they are rounded, and the few products that orders and invoices are made of.

An amount is a `Decimal` in the currency of its document, never a float. Rounding is half up, as
commerce rounds, to the minor unit of the currency (ISO 4217).
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal

MINOR_UNITS: dict[str, int] = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND"), 0),
    **dict.fromkeys(("XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""Digits after the decimal mark (ISO 4217) of the currencies that do not have two."""

EXACT = Context(prec=120, rounding=ROUND_HALF_UP)
"""Wide enough for the product of two numbers of 35 digits, the longest of any directory (D.01B, n..35)."""

ZERO = Decimal(0)
CENT = Decimal("0.01")


def minor_unit(currency: str) -> Decimal:
    """The smallest amount of a currency: 0.01 for EUR, 1 for JPY."""
    return Decimal(1).scaleb(-MINOR_UNITS.get(currency, 2))


def rounded(amount: Decimal, currency: str) -> Decimal:
    """The amount in whole minor units, half up: 0.005 EUR is 0.01, -0.005 EUR is -0.01."""
    return amount.quantize(minor_unit(currency), context=EXACT)


def line_amount(quantity: Decimal, unit_price: Decimal, price_basis: Decimal, currency: str) -> Decimal:
    """What a quantity costs at a price per `price_basis` units, rounded."""
    return rounded(EXACT.divide(EXACT.multiply(quantity, unit_price), price_basis), currency)


def percentage(base: Decimal, percent: Decimal, currency: str) -> Decimal:
    """`percent` (20 means 20 %) of a base, rounded."""
    return rounded(EXACT.divide(EXACT.multiply(base, percent), Decimal(100)), currency)


def plain(value: Decimal) -> str:
    """A number as people write it: every digit, no exponent, no zeros at the end.

    >>> plain(Decimal("1.2E+2")), plain(Decimal("0.50")), plain(Decimal("-0.0"))
    ('120', '0.5', '0')
    """
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
