"""Statements of the busy path, put together once and run on the driver's own cursor.

SQLAlchemy says what a statement means in each dialect, and how its types are written; that is asked once. What is left
for each run is to write the values and to hand them to the driver, which is a third of what an execution through
SQLAlchemy costs. Use it where a POST passes; everything else is better read as SQLAlchemy writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

Values = Mapping[str, Any]
_Write = Callable[[Any], Any] | None


@dataclass(frozen=True, slots=True)
class _Made:
    """A statement in one dialect: its text, and name and writer of each value, in the order in which they stand."""

    text: str
    names: tuple[tuple[str, _Write], ...]
    is_positional: bool
    constants: Values

    def parameters(self, values: Values) -> Any:
        known = {**self.constants, **values} if self.constants else values
        if not self.is_positional:
            return {name: known[name] if write is None else write(known[name]) for name, write in self.names}
        return [known[name] if write is None else write(known[name]) for name, write in self.names]


class Prepared:
    """A statement whose values are given at each run, by the names of its bound parameters."""

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._made: dict[str, _Made] = {}

    def first(self, connection: Connection, values: Values) -> Any:
        """The first row as the driver gives it, a tuple, or None. The columns must be text or whole numbers."""
        cursor = _run(connection, self._in(connection.dialect), values)
        try:
            return cursor.fetchone()
        finally:
            cursor.close()

    def run(self, connection: Connection, values: Values | Sequence[Values]) -> int:
        """Run it, once or for each of several values; gives the number of rows that it touched."""
        cursor = _run(connection, self._in(connection.dialect), values)
        try:
            return int(cursor.rowcount)
        finally:
            cursor.close()

    def _in(self, dialect: Dialect) -> _Made:
        made = self._made.get(dialect.name)
        if made is None:
            made = self._made[dialect.name] = _made(self._statement, dialect)
        return made


class PreparedInsert:
    """Inserts rows of one table; `or_nothing`: unless a unique key holds such a row already.

    `on_conflict` says of either dialect's INSERT what else is to happen then.
    """

    def __init__(
        self, table: Table, *, or_nothing: bool = False, on_conflict: Callable[[Any], ClauseElement] | None = None
    ) -> None:
        self._table = table
        self._on_conflict = _nothing if or_nothing else on_conflict
        self._made: dict[tuple[str, tuple[str, ...]], _Made] = {}

    def run(self, connection: Connection, values: Values | Sequence[Values]) -> int:
        """Insert a row, or rows with the same columns; gives how many. What is left out has its column's default."""
        names = tuple(values if isinstance(values, Mapping) else values[0])
        made = self._made.get((connection.dialect.name, names))
        if made is None:
            made = self._made[connection.dialect.name, names] = self._with(connection.dialect, names)
        cursor = _run(connection, made, values)
        try:
            return int(cursor.rowcount)
        finally:
            cursor.close()

    def _with(self, dialect: Dialect, names: Sequence[str]) -> _Made:
        insert = (postgresql.insert if dialect.name == "postgresql" else sqlite.insert)(self._table)
        defaults = {
            column.key: column.default.arg  # type: ignore[attr-defined]  # a scalar has it
            for column in self._table.columns
            if column.default is not None and column.default.is_scalar and column.key not in names
        }
        statement = insert.values({**dict.fromkeys(names), **defaults})
        return _made(self._on_conflict(statement) if self._on_conflict else statement, dialect, defaults)


def _nothing(insert: Any) -> ClauseElement:
    unless_there: ClauseElement = insert.on_conflict_do_nothing()
    return unless_there


def _made(statement: ClauseElement, dialect: Dialect, constants: Values | None = None) -> _Made:
    compiled = cast(SQLCompiler, statement.compile(dialect=dialect))
    binds = {name: bind for bind, name in compiled.bind_names.items()}  # by the names that stand in the text
    names = compiled.positiontup if compiled.positiontup is not None else list(binds)
    writers = tuple((name, binds[name].type.dialect_impl(dialect).bind_processor(dialect)) for name in names)
    known = compiled.params if constants is None else constants
    return _Made(str(compiled), writers, bool(compiled.positional), dict(known))


def _run(connection: Connection, made: _Made, values: Values | Sequence[Values]) -> Any:
    """On a cursor that the caller closes. An error of the driver is raised as SQLAlchemy's, without the values."""
    if not connection.in_transaction():
        connection.begin()
    cursor = connection.connection.cursor()
    try:
        if isinstance(values, Mapping):
            cursor.execute(made.text, made.parameters(values))
        elif len(values) == 1:
            cursor.execute(made.text, made.parameters(values[0]))
        else:
            cursor.executemany(made.text, [made.parameters(each) for each in values])
    except connection.dialect.loaded_dbapi.Error as error:
        cursor.close()
        dialect, base = connection.dialect, connection.dialect.loaded_dbapi.Error
        raise DBAPIError.instance(made.text, None, error, base, hide_parameters=True, dialect=dialect) from error
    return cursor
