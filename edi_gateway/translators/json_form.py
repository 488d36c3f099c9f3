"""Records as JSON and back: the form of the REST API, the store and the command line.

Decimals are strings, dates and times ISO 8601 (times with their offset), enums their codes; what has its
default value is left out. The dataclasses of `edi_gateway.marketplace` are the one definition: pydantic reads
them. It is slow to import, so import this module only where JSON is wanted.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import is_dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from edi_gateway.marketplace.parties import Moment

Record = TypeVar("Record")

ERRORS_MAX = 100
"""How many faults of one document are named."""

_ISO_DATE_CHARACTERS = len("2026-11-22")
_MOMENT_EXPECTED = "a date such as 2026-11-22, or a time to the second with its offset such as 2026-11-22T09:15:00Z"
_FLOAT_REFUSED = 'a number with a fraction is sent as a string, such as "12.50": JSON numbers are not exact'


class RecordInvalid(ValueError):
    """Data that is not such a record; `errors` has (path, message) of every fault, such as ``lines[0]/quantity``."""

    def __init__(self, record_type: type, errors: list[tuple[str, str]]) -> None:
        shown = "; ".join(f"{path or 'the document'}: {message}" for path, message in errors)
        super().__init__(f"not a valid {record_type.__name__}: {shown}")
        self.errors = errors


def to_json(record: Any) -> dict[str, Any]:
    """The record as values that `json.dumps` takes."""
    adapter = _adapter(type(record))
    documents: list[dict[str, Any]] = adapter.dump_python((record,), mode="json", exclude_defaults=True)
    return documents[0]


def from_json(record_type: type[Record], data: Any) -> Record:
    """The record that `to_json` gave. Raises RecordInvalid."""
    return validate_record(record_type, data)


def validate_record(record_type: type[Record], data: Any) -> Record:
    """The record of data from anywhere: unknown keys, floats and times without an offset are refused.

    Raises RecordInvalid, which names every fault.
    """
    errors: list[tuple[str, str]] = []
    prepared = _prepared(record_type, data, "", errors)
    try:
        records: tuple[Record] = _adapter(record_type).validate_python((prepared,))
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        errors += [(_path(fault["loc"][1:]), fault["msg"]) for fault in faults]
    if errors:
        raise RecordInvalid(record_type, sorted(errors)[:ERRORS_MAX])
    return records[0]


def json_schema(record_type: type) -> dict[str, Any]:
    """The JSON Schema of a record."""
    schema = _adapter(record_type).json_schema(mode="validation")
    return {**schema["prefixItems"][0], "$defs": schema.get("$defs", {})}


def _adapter(record_type: Any) -> TypeAdapter[Any]:
    return _adapter_of(record_type)


@cache
def _adapter_of(record_type: Any) -> TypeAdapter[Any]:
    # Of a tuple, because pydantic takes a configuration for that and hands it down; not so for a dataclass.
    return TypeAdapter(tuple[record_type], config=ConfigDict(extra="forbid"))


def _path(location: tuple[int | str, ...]) -> str:
    """``lines[0]/quantity`` of ("lines", 0, "quantity"); names of union members are left out."""
    path = ""
    for step in location:
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            path += f"/{step}" if path else step
    return path


# What JSON and pydantic leave open: a moment is told by its length, and no number is a float.


def _prepared(hint: Any, value: Any, path: str, errors: list[tuple[str, str]]) -> Any:
    """The value with its moments read; a fault is noted, and a harmless value put in its place."""
    if isinstance(value, float):
        errors.append((path, _FLOAT_REFUSED))
        return 0
    if value is not None and _is_moment(hint):
        return _moment(value, path, errors)
    if isinstance(value, dict):
        hints = _hints_of(hint)
        steps = ((key, f"{path}/{key}" if path else str(key)) for key in value)
        return {key: _prepared(hints.get(key), value[key], step, errors) for key, step in steps}
    if isinstance(value, list | tuple):
        item = next(_members(hint, tuple), None)
        hints_of_items = _item_hints(item, len(value))
        return [
            _prepared(item_hint, entry, f"{path}[{index}]", errors)
            for index, (item_hint, entry) in enumerate(zip(hints_of_items, value, strict=True))
        ]
    return value


def _moment(value: Any, path: str, errors: list[tuple[str, str]]) -> Moment:
    if isinstance(value, str):
        try:
            if len(value) == _ISO_DATE_CHARACTERS:
                return date.fromisoformat(value)
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is not None and not moment.microsecond:
                return moment.astimezone(UTC)
        except (ValueError, OverflowError):  # no such day or time; a time outside the calendar
            pass
    elif isinstance(value, date):
        return value
    errors.append((path, f"expected {_MOMENT_EXPECTED}"))
    return date.min


def _is_moment(hint: Any) -> bool:
    members = set(_unwrapped(hint))
    return date in members and datetime in members


def _unwrapped(hint: Any) -> Iterator[Any]:
    """The members of a union; any other type is its only member."""
    if get_origin(hint) in (Union, types.UnionType):
        for member in get_args(hint):
            yield from _unwrapped(member)
    else:
        yield hint


def _members(hint: Any, origin: type) -> Iterator[Any]:
    return (member for member in _unwrapped(hint) if get_origin(member) is origin)


def _item_hints(hint: Any, count: int) -> list[Any]:
    """The types of the items of a tuple: all the same, or one for each."""
    arguments = list(get_args(hint))
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return [arguments[0]] * count
    return (arguments + [None] * count)[:count]


def _hints_of(hint: Any) -> dict[str, Any]:
    record_type: Any = next((member for member in _unwrapped(hint) if is_dataclass(member)), None)
    return {} if record_type is None else _type_hints(record_type)


@cache
def _type_hints(record_type: Any) -> dict[str, Any]:
    return get_type_hints(record_type)
