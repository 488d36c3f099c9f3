"""Dates and times in DTM: does a value (2380) have the format that its qualifier (2379) names?"""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from edi_gateway.edifact.findings import Rule
from edi_gateway.messages import rules

FORMATS: dict[str, str] = {
    "2": "DDMMYY",
    "3": "MMDDYY",
    "101": "YYMMDD",
    "102": "CCYYMMDD",
    "201": "YYMMDDHHmm",
    "202": "YYMMDDHHmmss",
    "203": "CCYYMMDDHHmm",
    "204": "CCYYMMDDHHmmss",
    "303": "CCYYMMDDHHmmZZZ",
    "304": "CCYYMMDDHHmmssZZZ",
    "305": "MMDDHHmm",
    "401": "HHmm",
    "402": "HHmmss",
    "501": "HHmmHHmm",
    "502": "HHmmssHHmmss",
    "602": "CCYY",
    "609": "YYMM",
    "610": "CCYYMM",
    "615": "YYWW",
    "616": "CCYYWW",
    "711": "CCYYMMDDCCYYMMDD",
    "713": "YYMMDDHHmmYYMMDDHHmm",
    "715": "YYWWYYWW",
    "716": "CCYYWWCCYYWW",
    "717": "YYMMDDYYMMDD",
    "718": "CCYYMMDDCCYYMMDD",
    "719": "CCYYMMDDHHmmCCYYMMDDHHmm",
}
"""Format code (2379) -> its layout. `mm` is minutes, ZZZ a time zone of one to three characters.

A period is sent without a hyphen between its halves; the directories show one, and say so.
"""

STRICT = frozenset({"101", "102", "201", "203", "204"})
"""Plain dates, on which deadlines rest: one that cannot exist, or that is not of digits, is an error.

A number of another length is a warning only: partners name the wrong format, and what the value means is
for the translator to say.
"""

_FIELDS = {"CCYY": 4, "YY": 2, "MM": 2, "DD": 2, "HH": 2, "mm": 2, "ss": 2, "WW": 2}
_RANGES = {"MM": (1, 12), "DD": (1, 31), "HH": (0, 24), "mm": (0, 59), "ss": (0, 59), "WW": (1, 53)}
_CENTURY = 2000  # of years written with two digits; only the length of February depends on it


@lru_cache(maxsize=8192)
def fault(format_code: str, value: str) -> Rule | None:
    """What is wrong with a date of this format, or None. A format that is not in the table is not judged."""
    layout = FORMATS.get(format_code)
    if layout is None or fits(value, layout):
        return None
    is_number = _is_number(value.strip())
    is_date_of_that_form = len(value) == len(layout) and value.strip("0") != ""
    if format_code in STRICT and (is_date_of_that_form or not is_number):
        return rules.DATE_IMPOSSIBLE
    return rules.DATE_OF_OTHER_FORMAT


def unnamed(value: str) -> Rule:
    """A date whose format (2379) was left out."""
    return rules.DATE_FORMAT_MISSING


def fits(value: str, layout: str) -> bool:
    """Whether the value is an existing date, time, week or period of that layout."""
    if not layout:
        return False
    fields: dict[str, int] = {}
    position = 0
    while layout:
        name = next((field for field in _FIELDS if layout.startswith(field)), None)
        if name is None:
            return _fits_rest(value[position:], layout) and _exists(fields)
        if name in fields:  # a period: its second half
            return _exists(fields) and fits(value[position:], layout)
        text = value[position : position + _FIELDS[name]]
        if len(text) < _FIELDS[name] or not _is_number(text):
            return False
        fields[name] = int(text)
        position += _FIELDS[name]
        layout = layout[len(name) :]
    return position == len(value) and _exists(fields)


def readable(format_code: str, value: str) -> str:
    """A plain date written for people, such as ``2026-11-22 09:15``; "" for other formats and impossible dates."""
    layout = FORMATS.get(format_code, "")
    if layout not in ("CCYYMMDD", "CCYYMMDDHHmm", "CCYYMMDDHHmmss") or not fits(value, layout):
        return ""
    day = f"{value[:4]}-{value[4:6]}-{value[6:8]}"
    time = ":".join(value[place : place + 2] for place in range(8, len(value), 2))
    return f"{day} {time}" if time else day


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _fits_rest(rest: str, layout: str) -> bool:
    """What may follow the digits: a time zone."""
    return layout == "ZZZ" and 1 <= len(rest) <= len(layout)


def _exists(fields: dict[str, int]) -> bool:
    for name, (least, most) in _RANGES.items():
        if name in fields and not least <= fields[name] <= most:
            return False
    if "DD" not in fields or "MM" not in fields:
        return fields.get("CCYY", 1) > 0
    year = fields.get("CCYY", _CENTURY + fields.get("YY", 0))
    if not year > 0:
        return False
    try:
        date(year, fields["MM"], fields["DD"])
    except ValueError:
        return False
    return True
