"""What every table shares: the declarative base, the constraint names, and the column types that lose nothing.

`UtcDateTime` takes and gives aware times in UTC. `ExactDecimal` keeps a `Decimal` as its text, because SQLite would
make a float of it (12345678901234.5678 was read back as …5684). `JsonText` keeps JSON as sorted text, so that equal
values are equal bytes. `coded` is a `StrEnum` column whose values the database checks.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import DateTime, Enum, MetaData, String, Text
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator, TypeEngine

_CONSTRAINT_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class _IsoDateTime(sqlite.DATETIME):
    """The text that SQLAlchemy writes as well, written by C: a POST writes eight times."""

    def bind_processor(self, dialect: Dialect) -> Any:
        return _iso_text


def _iso_text(value: datetime | None) -> str | None:
    return None if value is None else value.replace(tzinfo=None).isoformat(" ", "microseconds")


_ISO: TypeEngine[Any] = _IsoDateTime()  # type: ignore[no-untyped-call]  # SQLAlchemy's


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment; stored in UTC to the microsecond. A naive time is refused: nobody knows what it means."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(_ISO if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time must be aware, got {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        # SQLite has no time zones; what it holds was written as UTC above.
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class ExactDecimal(TypeDecorator[Decimal]):
    """A finite `Decimal`, kept as its digits. It does not sort as a number in SQL; compare in Python."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if not isinstance(value, Decimal) or not value.is_finite():
            raise ValueError(f"a finite Decimal is stored here, got {value!r}")
        return format(value, "f")

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


def canonical_json(value: Any) -> str:
    """The one spelling of a JSON value: keys sorted, no blanks, no floats that JSON does not know."""
    return _CANONICAL.encode(value)


class CanonicalJson(str):
    """Text that `canonical_json` has made already: `JsonText` writes it as it is."""

    __slots__ = ()


_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


class JsonText(TypeDecorator[Any]):
    """A JSON value as canonical text. `None` is SQL NULL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        if isinstance(value, CanonicalJson):
            return str(value)
        return None if value is None else canonical_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


def coded(enumeration: type[StrEnum], name: str) -> Enum:
    """A column type for `enumeration`, stored by value; the database refuses any other (CHECK named `name`)."""
    return Enum(
        enumeration,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=max(len(member.value) for member in enumeration),
        values_callable=lambda members: [member.value for member in members],
        validate_strings=True,
    )


@compiles(String, "postgresql")
def _unbounded(kind: String, compiler: Any, **options: Any) -> str:
    """SQLite keeps a text of any length whatever its column says; so does PostgreSQL, under the name of TEXT.

    What strangers send is bounded where it is read. Here a bound would only turn a long value into a fault of ours.
    """
    return "TEXT"


class Base(DeclarativeBase):
    """The base of all tables. `datetime` and `Decimal` annotations get the exact types by themselves."""

    metadata = MetaData(naming_convention=_CONSTRAINT_NAMES)
    type_annotation_map = {datetime: UtcDateTime, Decimal: ExactDecimal, str: Text}  # noqa: RUF012 - SQLAlchemy's name
