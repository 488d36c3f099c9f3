"""Dates and numbers of the wire."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edi_gateway.marketplace.parties import Moment
from edi_gateway.translators import values
from edi_gateway.translators.values import (
    MEMO_VALUES_MAX,
    NUMBER_CHARACTERS_MAX,
    ReadMoment,
    read_integer,
    read_moment,
    read_number,
    remember,
    write_moment,
    write_number,
    write_period,
)

PARIS = "Europe/Paris"


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]  # year, month, day, hour, minute, second


@pytest.mark.parametrize(
    ("code", "raw", "start", "end"),
    [
        ("101", "261122", date(2026, 11, 22), None),
        ("101", "991231", date(1999, 12, 31), None),
        ("102", "20261122", date(2026, 11, 22), None),
        ("102", " 20261122 ", date(2026, 11, 22), None),
        ("201", "2611220915", at(2026, 11, 22, 8, 15), None),
        ("203", "202611220915", at(2026, 11, 22, 8, 15), None),
        ("203", "202607140915", at(2026, 7, 14, 7, 15), None),
        ("204", "20261122091530", at(2026, 11, 22, 8, 15, 30), None),
        ("303", "202611220915UTC", at(2026, 11, 22, 9, 15), None),
        ("303", "202611220915+02", at(2026, 11, 22, 7, 15), None),
        ("304", "20261122091530-05", at(2026, 11, 22, 14, 15, 30), None),
        ("610", "202602", date(2026, 2, 1), date(2026, 2, 28)),
        ("610", "202612", date(2026, 12, 1), date(2026, 12, 31)),
        ("616", "202648", date(2026, 11, 23), date(2026, 11, 29)),
        ("713", "26112209002611221700", at(2026, 11, 22, 8), at(2026, 11, 22, 16)),
        ("718", "2026111120261120", date(2026, 11, 11), date(2026, 11, 20)),
        ("719", "202611110900202611200900", at(2026, 11, 11, 8), at(2026, 11, 20, 8)),
    ],
)
def test_a_date_by_its_format(code: str, raw: str, start: Moment, end: Moment | None) -> None:
    assert read_moment(raw, code, PARIS) == ReadMoment(start, end if end is not None else start)


@pytest.mark.parametrize(
    ("code", "raw", "start"),
    [
        ("", "20261122", date(2026, 11, 22)),
        ("203", "20261122", date(2026, 11, 22)),
        ("102", "202611220915", at(2026, 11, 22, 8, 15)),
        ("999", "261122", date(2026, 11, 22)),
    ],
)
def test_a_date_whose_format_is_missing_or_wrong_is_read_by_its_length(code: str, raw: str, start: Moment) -> None:
    assert read_moment(raw, code, PARIS) == ReadMoment(start, start, by_length=True)


@pytest.mark.parametrize(
    ("code", "raw"),
    [
        ("102", "20260230"),
        ("102", "00000000"),
        ("102", "2026112A"),
        ("102", "٢٠٢٦١١٢٢"),
        ("203", "202611222460"),
        ("203", "000101010000"),
        ("303", "202611220915CET"),
        ("304", "20261122091530+1A"),
        ("610", "202613"),
        ("616", "202654"),
        ("718", "20261111 20261120"),
        ("718", "20261111-20261320"),
        ("102", ""),
        ("", "1"),
        ("", "2" * 100_000),
    ],
)
def test_what_is_no_date_is_none(code: str, raw: str) -> None:
    assert read_moment(raw, code, PARIS) is None


def test_the_hour_that_autumn_repeats_is_read_as_its_first_pass() -> None:
    second_pass = at(2026, 10, 25, 1, 30)

    raw, code = write_moment(second_pass, PARIS)

    assert (raw, code) == ("202610250230", "203")
    assert read_moment(raw, code, PARIS) == ReadMoment(at(2026, 10, 25, 0, 30), at(2026, 10, 25, 0, 30))


def test_periods_are_written_by_day_or_to_the_minute() -> None:
    assert write_period(date(2026, 11, 11), date(2026, 11, 20), PARIS) == ("2026111120261120", "718")
    assert write_period(at(2026, 11, 11, 8, 0, 30), date(2026, 11, 20), PARIS) == ("202611110900202611200000", "719")


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        ("12.50", "12.50"),
        ("12,50", "12.50"),
        ("-2", "-2"),
        ("+3", "3"),
        (" 007 ", "7"),
        ("0.001", "0.001"),
        ("9" * NUMBER_CHARACTERS_MAX, "9" * NUMBER_CHARACTERS_MAX),
    ],
)
def test_a_number(raw: str, number: str) -> None:
    assert read_number(raw) == Decimal(number)


@pytest.mark.parametrize(
    "raw",
    ["", "-", "1.", ".5", "1.2.3", "1,234.56", "2-", "1e3", "1_000", "NaN", "١٢", "9" * (NUMBER_CHARACTERS_MAX + 1)],
)
def test_what_is_no_number_is_none(raw: str) -> None:
    assert read_number(raw) is None


@pytest.mark.parametrize("raw", ["", "-1", "1.0", "²", "one", "1" * (NUMBER_CHARACTERS_MAX + 1)])
def test_what_is_no_whole_number_is_none(raw: str) -> None:
    assert read_integer(raw) is None


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**14), max_value=10**14, places=4))
def test_a_number_survives_with_either_mark(number: Decimal) -> None:
    assert read_number(write_number(number)) == number
    assert read_number(write_number(number, ",")) == number


def test_no_number_is_written_with_an_exponent() -> None:
    assert write_number(Decimal("1E+3")) == "1000"
    assert write_number(Decimal("1E-7")) == "0.0000001"


def test_a_memo_is_bounded() -> None:
    memo: dict[int, int] = {}
    for number in range(MEMO_VALUES_MAX + 1):
        remember(memo, number, number)
    assert memo == {MEMO_VALUES_MAX: MEMO_VALUES_MAX}


def test_what_cannot_be_read_or_is_long_is_not_remembered() -> None:
    long = "9" * (NUMBER_CHARACTERS_MAX + 1)
    read_number(long)
    read_number("no number")
    read_integer(long)
    read_moment("20261122", "F" * NUMBER_CHARACTERS_MAX, PARIS)

    assert long not in values._numbers
    assert "no number" not in values._numbers
    assert long not in values._integers
    assert all(len(code) < NUMBER_CHARACTERS_MAX for _, code, _ in values._moments)
