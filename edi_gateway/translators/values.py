"""Dates and numbers of the wire, as `date`, aware UTC `datetime` and `Decimal`, and back.

Documents repeat their values (one date, a few prices), so what was read once is remembered in a bounded
memo. A value that cannot be read gives None; the caller makes a finding of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Literal, TypeVar
from zoneinfo import ZoneInfo

from edi_gateway.marketplace.parties import Moment

MEMO_VALUES_MAX = 65_536
"""How many different raw values each memo keeps."""

NUMBER_CHARACTERS_MAX = 40
"""The longest number of any directory is n..35; mark, sign and blanks come on top."""

CENTURY_WINDOW_START = 70
"""A year of two digits below this is of this century, else of the last."""

_NUMBER = re.compile(r"-?[0-9]+(?:[.,][0-9]+)?", re.ASCII)


K = TypeVar("K")
V = TypeVar("V")


def remember(memo: dict[K, V], key: K, value: V) -> V:
    """Put a value in a memo of at most MEMO_VALUES_MAX; a full one begins anew.

    For keys of bounded size only: what cannot be read may be of any length, and is not remembered.
    """
    if len(memo) >= MEMO_VALUES_MAX:
        memo.clear()
    memo[key] = value
    return value


_numbers: dict[str, Decimal] = {}
_integers: dict[str, int] = {}


def read_number(raw: str) -> Decimal | None:
    """The number, or None if it is none (ISO 9735 §10).

    Point and comma are both decimal marks here: which of them the sender may use is judged with the format
    of the element, before. Blanks around, a plus sign and leading zeros are forgiven.
    """
    number = _numbers.get(raw)
    return _read_new_number(raw) if number is None else number


def _read_new_number(raw: str) -> Decimal | None:
    text = raw.strip().removeprefix("+")
    if len(raw) > NUMBER_CHARACTERS_MAX or not _NUMBER.fullmatch(text):
        return None
    return remember(_numbers, raw, Decimal(text.replace(",", ".")))


def read_integer(raw: str) -> int | None:
    """A count or a line number; leading zeros and blanks around are forgiven."""
    number = _integers.get(raw)
    return _read_new_integer(raw) if number is None else number


def _read_new_integer(raw: str) -> int | None:
    text = raw.strip()
    if len(raw) > NUMBER_CHARACTERS_MAX or not (text.isascii() and text.isdigit()):
        return None
    return remember(_integers, raw, int(text))


def write_number(value: Decimal, mark: str = ".") -> str:
    """The number as EDIFACT writes it: no exponent, no plus sign, a digit on each side of the mark."""
    text = format(value, "f")
    return text if mark == "." else text.replace(".", mark)


@dataclass(frozen=True, slots=True)
class ReadMoment:
    """What a DTM says: one moment (start and end are the same) or a period.

    `by_length` is set where the format code (2379) was absent, unknown or wrong, and the length told.
    """

    start: Moment
    end: Moment
    by_length: bool = False

    @property
    def is_period(self) -> bool:
        return self.start != self.end


@dataclass(frozen=True, slots=True)
class _Format:
    """A format (2379): how many characters it has, and how they are read in a time zone."""

    length: int
    read: Callable[[str, ZoneInfo], ReadMoment]


def _single(read: Callable[[str, ZoneInfo], Moment]) -> Callable[[str, ZoneInfo], ReadMoment]:
    def moment(raw: str, zone: ZoneInfo) -> ReadMoment:
        value = read(raw, zone)
        return ReadMoment(value, value)

    return moment


def _period(read: Callable[[str, ZoneInfo], Moment]) -> Callable[[str, ZoneInfo], ReadMoment]:
    def period(raw: str, zone: ZoneInfo) -> ReadMoment:
        half = len(raw) // 2
        return ReadMoment(read(raw[:half], zone), read(raw[half:], zone))

    return period


def _digits(raw: str) -> str:
    if not (raw.isascii() and raw.isdigit()):
        raise ValueError(f"{raw!r} is not digits only")
    return raw


def _with_century(raw: str) -> str:
    return ("20" if int(_digits(raw)[:2]) < CENTURY_WINDOW_START else "19") + raw


def _day(raw: str, zone: ZoneInfo) -> date:
    digits = _digits(raw)
    return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))


def _time(raw: str, zone: ZoneInfo) -> datetime:
    digits = _digits(raw)
    second = int(digits[12:14]) if len(digits) == len("CCYYMMDDHHMMSS") else 0
    local = datetime(
        int(digits[:4]), int(digits[4:6]), int(digits[6:8]), int(digits[8:10]), int(digits[10:12]), second, tzinfo=zone
    )
    return local.astimezone(UTC)


def _zoned_time(raw: str, zone: ZoneInfo) -> datetime:
    """Formats 303 and 304: three characters at the end say the zone, of which only offsets and UTC are clear."""
    digits, name = raw[:-3], raw[-3:]
    if name in ("UTC", "GMT"):
        return _time(digits, ZoneInfo("UTC"))
    if name[0] not in "+-":
        raise ValueError(f"{name!r} is not a time zone that can be told")
    offset = timedelta(hours=int(name[0] + _digits(name[1:])))
    return _time(digits, ZoneInfo("UTC")) - offset


def _month(raw: str, zone: ZoneInfo) -> ReadMoment:
    first = _day(raw + "01", zone)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return ReadMoment(first, following - timedelta(days=1))


def _week(raw: str, zone: ZoneInfo) -> ReadMoment:
    """Monday to Sunday of the ISO week."""
    digits = _digits(raw)
    monday = date.fromisocalendar(int(digits[:4]), int(digits[4:]), 1)
    return ReadMoment(monday, monday + timedelta(days=6))


def _short_day(raw: str, zone: ZoneInfo) -> date:
    return _day(_with_century(raw), zone)


def _short_time(raw: str, zone: ZoneInfo) -> datetime:
    return _time(_with_century(raw), zone)


_FORMATS: dict[str, _Format] = {
    "101": _Format(6, _single(_short_day)),
    "102": _Format(8, _single(_day)),
    "201": _Format(10, _single(_short_time)),
    "203": _Format(12, _single(_time)),
    "204": _Format(14, _single(_time)),
    "303": _Format(15, _single(_zoned_time)),
    "304": _Format(17, _single(_zoned_time)),
    "610": _Format(6, _month),
    "616": _Format(6, _week),
    "713": _Format(20, _period(_short_time)),
    "718": _Format(16, _period(_day)),
    "719": _Format(24, _period(_time)),
}
_BY_LENGTH = {6: "101", 8: "102", 10: "201", 12: "203", 14: "204", 16: "718", 20: "713", 24: "719"}


_moments: dict[tuple[str, str, str], ReadMoment] = {}


def read_moment(raw: str, code: str, timezone: str) -> ReadMoment | None:
    """What a DTM's 2380 says in the format 2379, None if it is no date.

    Times without a zone are local to `timezone` (an IANA name). Where the format is absent, unknown or
    does not fit the length, the length decides.
    """
    key = (raw, code, timezone)
    moment = _moments.get(key)
    if moment is None:
        moment = _read_new_moment(raw, code, ZoneInfo(timezone))
        if moment is not None and len(raw) + len(code) <= NUMBER_CHARACTERS_MAX:
            remember(_moments, key, moment)
    return moment


def _read_new_moment(raw: str, code: str, zone: ZoneInfo) -> ReadMoment | None:
    text = _without_hyphen(raw.strip())
    of = _FORMATS.get(code)
    if of is not None and of.length == len(text):
        return _attempt(of, text, zone)
    other = _FORMATS.get(_BY_LENGTH.get(len(text), ""))
    found = _attempt(other, text, zone) if other is not None else None
    return None if found is None else ReadMoment(found.start, found.end, by_length=True)


def _without_hyphen(text: str) -> str:
    """A period's halves follow each other without a hyphen (2379); many partners write the one that the list shows."""
    start, hyphen, end = text.partition("-")
    return start + end if hyphen and len(start) == len(end) else text


def _attempt(of: _Format, text: str, zone: ZoneInfo) -> ReadMoment | None:
    try:
        return of.read(text, zone)
    except (ValueError, OverflowError):  # no such day; a time outside the calendar
        return None


def write_moment(value: Moment, timezone: str) -> tuple[str, str]:
    """Value and format (2380, 2379): 102 for a date, 203 or 204 in local time for a datetime.

    In the hour that autumn repeats, local time cannot tell the first pass from the second: it reads as the first.
    """
    if not isinstance(value, datetime):
        return f"{value.year:04}{value:%m%d}", "102"
    local = value.astimezone(ZoneInfo(timezone))
    code: Literal["203", "204"] = "204" if local.second else "203"
    return f"{local.year:04}{local:%m%d%H%M}{f'{local:%S}' if local.second else ''}", code


def write_period(start: Moment, end: Moment, timezone: str) -> tuple[str, str]:
    """Value and format of a period, its halves without a hyphen: 718 for dates, 719 (to the minute) with a time."""
    if not isinstance(start, datetime) and not isinstance(end, datetime):
        return f"{write_moment(start, timezone)[0]}{write_moment(end, timezone)[0]}", "718"
    return f"{_to_the_minute(start, timezone)}{_to_the_minute(end, timezone)}", "719"


def _to_the_minute(value: Moment, timezone: str) -> str:
    return write_moment(value, timezone)[0].ljust(12, "0")[:12]
