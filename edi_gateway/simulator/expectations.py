"""Comparing what is expected with what is there: partial, and with words for each difference. Pure.

A table is there if all its keys are, each with what is expected; further keys do not matter. A list is there if it has
as many items, each as expected in its turn. Numbers are compared as numbers, whether they stand as text or not; dates
and times as such. A table of one of these keys alone says something else:

    { contains = X }   a text has X in it; a list has an item that is as X
    { without = X }    a text does not have X in it; a list has no item that is as X
    { any = [X, Y] }   one of these
    { not = X }        anything else
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Any

SHOWN_CHARACTERS_MAX = 300

_ABSENT = object()


def differences(expected: Any, found: Any, path: str = "") -> Iterator[str]:
    """One line for each place where `found` is not as expected."""
    match expected:
        case Mapping() if (special := _special(expected)) is not None:
            name, operand = special
            if not _SPECIAL[name](operand, found):
                yield f"{path or 'it'}: expected {name} {shown(operand)}, found {shown(found)}"
        case Mapping():
            yield from _table(expected, found, path)
        case list() | tuple():
            yield from _list(expected, found, path)
        case _:
            if not _equal(expected, found):
                yield f"{path or 'it'}: expected {shown(expected)}, found {shown(found)}"


def fits(expected: Any, found: Any) -> bool:
    """Whether it is as expected."""
    return next(differences(expected, found), None) is None


def shown(value: Any) -> str:
    """A value, short."""
    text = "nothing" if value is _ABSENT else repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= SHOWN_CHARACTERS_MAX else text[: SHOWN_CHARACTERS_MAX - 3] + "..."


def unknown_keys(expected: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """The keys of the first level that no such thing has, each with the nearest one that it has."""
    unknown = []
    for name in expected:
        if name not in found:
            near = get_close_matches(name, list(found), n=1)
            unknown.append(f"{name} (did you mean {near[0]}?)" if near else f"{name} (there are: {', '.join(found)})")
    return unknown


def _table(expected: Mapping[str, Any], found: Any, path: str) -> Iterator[str]:
    if not isinstance(found, Mapping):
        yield f"{path or 'it'}: expected a table with {', '.join(expected)}, found {shown(found)}"
        return
    for name, value in expected.items():
        yield from differences(value, found.get(name, _ABSENT), f"{path}.{name}" if path else name)


def _list(expected: Sequence[Any], found: Any, path: str) -> Iterator[str]:
    if not isinstance(found, list | tuple):
        yield f"{path or 'it'}: expected a list, found {shown(found)}"
        return
    if len(expected) != len(found):
        yield f"{path or 'it'}: expected {len(expected)} items, found {len(found)}: {shown(found)}"
        return
    for number, (wanted, item) in enumerate(zip(expected, found, strict=True), 1):
        yield from differences(wanted, item, f"{path}[{number}]")


def _special(expected: Mapping[str, Any]) -> tuple[str, Any] | None:
    if len(expected) == 1:
        ((name, operand),) = expected.items()
        if name in _SPECIAL:
            return name, operand
    return None


def _contains(operand: Any, found: Any) -> bool:
    if isinstance(found, str):
        return str(operand) in found
    return isinstance(found, list | tuple) and any(fits(operand, item) for item in found)


def _without(operand: Any, found: Any) -> bool:
    return isinstance(found, str | list | tuple) and not _contains(operand, found)


def _any(operand: Any, found: Any) -> bool:
    return isinstance(operand, list | tuple) and any(fits(each, found) for each in operand)


def _not(operand: Any, found: Any) -> bool:
    return not fits(operand, found)


_SPECIAL: Mapping[str, Callable[[Any, Any], bool]] = {
    "contains": _contains,
    "without": _without,
    "any": _any,
    "not": _not,
}


def _equal(expected: Any, found: Any) -> bool:
    if isinstance(expected, bool) or isinstance(found, bool):
        return expected is found
    if isinstance(expected, int | Decimal):
        return _number(found) == Decimal(expected)
    if isinstance(expected, datetime):
        return _moment(found) == expected
    if isinstance(expected, date):
        return isinstance(found, str) and found == expected.isoformat()
    if expected == "" and found is None:
        return True  # TOML has no null
    return bool(expected == found)


def _number(found: Any) -> Decimal | None:
    try:
        return Decimal(found) if isinstance(found, str | int | Decimal) else None
    except InvalidOperation:
        return None


def _moment(found: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(found) if isinstance(found, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None
