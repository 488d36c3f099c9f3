"""Amounts: rounded half up, exact at any length."""

from __future__ import annotations

from decimal import Decimal

import pytest

from edi_gateway.marketplace.money import line_amount, minor_unit, percentage, plain, rounded

D = Decimal


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("0.005", "EUR", "0.01"),
        ("-0.005", "EUR", "-0.01"),
        ("0.0049999", "EUR", "0.00"),
        ("2.675", "EUR", "2.68"),
        ("0.5", "JPY", "1"),
        ("0.0005", "TND", "0.001"),
    ],
)
def test_half_up_to_the_minor_unit(amount, currency, expected):
    assert str(rounded(D(amount), currency)) == expected


def test_minor_units():
    assert (minor_unit("EUR"), minor_unit("JPY"), minor_unit("KWD")) == (D("0.01"), D(1), D("0.001"))


def test_a_line_per_hundred():
    assert line_amount(D(7), D("12.35"), D(100), "EUR") == D("0.86")


def test_a_percentage_of_an_amount():
    assert percentage(D("120.00"), D("5.5"), "EUR") == D("6.60")


def test_the_longest_numbers_of_any_directory():
    """D.01B: n..35."""
    longest = "9" * 35
    assert line_amount(D(longest), D(longest), D(1), "EUR") == D(int(longest) ** 2)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("1.2E+2", "120"),
        ("0.50", "0.5"),
        ("-0.0", "0"),
        ("100", "100"),
        ("0", "0"),
        ("-1.10", "-1.1"),
        ("1234567890123456789012345678901234.50", "1234567890123456789012345678901234.5"),
    ],
)
def test_as_people_write_it(value, shown):
    assert plain(D(value)) == shown
