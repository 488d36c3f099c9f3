"""Records as JSON and back: the form of the REST API, the store and the command line.

Decimals are strings, dates and times ISO 8601, enums their codes, absent values left out. The dataclasses of
`edi_gateway.marketplace` are the one definition; pydantic reads them, so it is imported only where JSON is wanted.
"""

from __future__ import annotations

from dataclasses import is_dataclass
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from edi_gateway.marketplace import confirmation, inventory, invoice, order, parties, shipment

Record = TypeVar("Record")

ERRORS_MAX = 100

_STRICT = ConfigDict(extra="forbid")
_MODULES = (confirmation, inventory, invoice, order, parties, shipment)


def _refuse_unknown_keys() -> None:
    """Say so on every record, here rather than in `marketplace`, which knows no pydantic."""
    for module in _MODULES:
        for value in vars(module).values():
            if isinstance(value, type) and is_dataclass(value):
                setattr(value, "__pydantic_config__", _STRICT)  # noqa: B010 - a name that only pydantic knows


_refuse_unknown_keys()


class RecordInvalid(ValueError):
    """Data that is not such a record; `errors` has (path, message) of every fault, such as ``lines.0.quantity``."""

    def __init__(self, record_type: type, errors: list[tuple[str, str]]) -> None:
        shown = "; ".join(f"{path or 'the document'}: {message}" for path, message in errors)
        super().__init__(f"not a valid {record_type.__name__}: {shown}")
        self.errors = errors


def to_json(record: Any) -> dict[str, Any]:
    """The record as values that `json.dumps` takes."""
    document: dict[str, Any] = _adapter(type(record)).dump_python(record, mode="json", exclude_defaults=True)
    return document


def from_json(record_type: type[Record], data: Any) -> Record:
    """A record from what `to_json` gave. Raises RecordInvalid."""
    return validate_record(record_type, data)


def validate_record(record_type: type[Record], data: Any) -> Record:
    """A record from data of whatever origin, unknown keys refused. Raises RecordInvalid with every fault."""
    try:
        record: Record = _adapter(record_type).validate_python(data)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)[:ERRORS_MAX]
        raise RecordInvalid(
            record_type, [(".".join(str(part) for part in fault["loc"]), fault["msg"]) for fault in faults]
        ) from None
    return record


_adapters: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(record_type: type[Any]) -> TypeAdapter[Any]:
    """The adapter of a record type, built at its first use: building costs milliseconds."""
    if record_type not in _adapters:
        _adapters[record_type] = TypeAdapter(record_type)
    return _adapters[record_type]
