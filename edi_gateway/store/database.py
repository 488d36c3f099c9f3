"""The database and the unit of work. The one place that knows how SQLite and PostgreSQL differ.

SQLite runs in WAL mode with `synchronous=FULL`: an MDN promises that we hold the message, and NORMAL may lose the last
commits when the power goes. Writers take the write lock at their first statement (BEGIN IMMEDIATE): a transaction that
reads first and writes later cannot be upgraded while others write, however long it waits. Readers see a snapshot and
block nobody.

PostgreSQL lets writers work side by side. What they may not do side by side they `hold` by name, most of all the
business of one partnership; the head of the event log is held last and shortly (docs/adr/0013). Readers see a snapshot
there too. Both databases take the same text: PostgreSQL knows no NUL, and does not hold a column to its length either.

    with database.write() as uow:
        uow.session.add(row)
        uow.record_event("transmission.state", "transmission:1", None, "received", "signature verified", {}, now)
        uow.wake("unpack", "1")
        uow.commit()                # leaving without it keeps nothing

Wake-ups are handed over after the commit, never inside it.

What many threads do at the same time (T1 of a POST) goes through `write_together`: several units of work in one commit.
None of them returns before that commit is durable, so what was promised after it is kept as if it had been alone.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import URL, Connection, Engine, String, Table, bindparam, create_engine, event, func, select, text
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool, PoolProxiedConnection

from edi_gateway.failpoints import reach
from edi_gateway.store.base import Base
from edi_gateway.store.events import Happened, append, hold_head
from edi_gateway.store.prepared import PreparedInsert
from edi_gateway.store.together import Together

BUSY_SECONDS_MAX = 10.0  # how long a writer waits for another one
BUSY_PAUSE_SECONDS = 0.0003  # between two looks whether it is his turn; a transaction holds the lock for about 2 ms
TOGETHER_MAX = 32  # units of work in one commit
_POOL = {"pool_size": 16, "max_overflow": 32}  # connections kept, and more while they are needed
_SERVER_POOL = {"pool_size": 8, "max_overflow": 24, "pool_timeout": BUSY_SECONDS_MAX, "pool_pre_ping": True}
CONNECT_SECONDS_MAX = 10
_MIGRATION_LOCK = 4130  # any number that nothing else in the database locks

NUL_SHOWN = "\u2400"  # SYMBOL FOR NULL; what was sent stands in the payload
_POSTGRESQL_SETTINGS = (
    "SET timezone = 'UTC'",
    f"SET lock_timeout = '{int(BUSY_SECONDS_MAX)}s'",  # as SQLite's busy_timeout
)

Result = TypeVar("Result")
Wake = Callable[[str, str, datetime | None], None]  # task, key, at

_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    f"PRAGMA busy_timeout={int(BUSY_SECONDS_MAX * 1000)}",
)


Hear = Callable[[Happened], None]


def nobody_hears(happened: Happened) -> None:
    """The listener of a process that keeps no log of what is in the event log anyhow."""


def nobody_listens(task: str, key: str, at: datetime | None) -> None:
    """The waker of a process that runs no work (a CLI command): the server's sweep finds what waits."""


def hold(connection: Connection, name: str) -> None:
    """Keep everybody else who holds `name` waiting until this transaction ends: see `UnitOfWork.hold`."""
    if connection.dialect.name == "postgresql":
        connection.execute(_HOLD, {"name": name})


class Reading:
    """A view of one moment. What is changed through it is not kept.

    `session` is for rows as objects, and made when it is first asked for: what a POST does needs none, and half of
    its time in the database would be spent on it.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        if self._session is None:
            self._session = Session(self.connection, expire_on_commit=False)
        return self._session

    def close(self) -> None:
        if self._session is not None:
            self._session.close()


class UnitOfWork(Reading):
    """One transaction that writes. Only `commit` keeps it."""

    def __init__(self, connection: Connection, wake: Wake, hear: Hear, step: str = "") -> None:
        super().__init__(connection)
        self._step = step
        self._wake = wake
        self._hear = hear
        self._happened: list[Happened] = []
        self._wakes: dict[tuple[str, str, bool], datetime | None] = {}
        self._numbered: list[tuple[type[Base], dict[str, Any]]] = []
        self._held: set[str] = set()

    def hold(self, name: str) -> None:
        """Keep everybody else who holds `name` waiting until this transaction ends.

        SQLite's writers wait for each other anyhow. On PostgreSQL hold before you read what you are about to change.
        """
        if name not in self._held:
            hold(self.connection, name)
            self._held.add(name)

    def hold_business(self, partnership: str) -> None:
        """One document of a partnership takes effect at a time: orders, stock and invoices are read, then changed."""
        self.hold(f"business:{partnership}")

    def record_event(
        self,
        kind: str,
        subject: str,
        from_state: str | None,
        to_state: str | None,
        reason: str,
        details: Mapping[str, Any] | None = None,
        now: datetime | None = None,
    ) -> None:
        """Add one event to the log of this transaction. `details` is JSON (no payloads, no secrets); `now` is aware."""
        if now is None or now.tzinfo is None:
            raise ValueError("an event needs an aware time")
        self._happened.append(Happened(kind, subject, from_state, to_state, reason, details or {}, now))

    def wake(self, task: str, key: str, at: datetime | None = None) -> None:
        """Say, once committed, that `task` has something to do for `key`: at once, or at `at` (the earliest counts)."""
        now = at is None
        known = self._wakes.get((task, key, now))
        self._wakes[task, key, now] = at if at is None or known is None else min(at, known)

    def insert_once(self, model: type[Base], values: Mapping[str, Any]) -> bool:
        """Insert a row unless a unique key already holds it; say whether it was inserted.

        The unique key decides, not a look-up before: of two simultaneous writers exactly one gets True, and the other
        can read the winner's row.
        """
        return self._insert(model, dict(values)) == 1

    def insert_in_turn(self, model: type[Base], values: Mapping[str, Any]) -> None:
        """Insert a row when this commits, unless a unique key already holds it; its number rises with each commit.

        Who reads on from the last number then misses none: no transaction takes a lower number than one that has
        committed before it, because they queue for the head of the event log.
        """
        self._numbered.append((model, dict(values)))

    def insert_with(self, insert: PreparedInsert, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run an insert that says itself what happens where a unique key holds such a row."""
        if rows:
            self._flush()
            insert.run(self.connection, [dict(row) for row in rows])

    def insert_missing(self, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert those rows that no unique key holds yet."""
        if rows:
            self._insert(model, [dict(row) for row in rows])

    def _insert(self, model: type[Base], rows: dict[str, Any] | list[dict[str, Any]]) -> int:
        self._flush()
        return _insert_unless_there(model).run(self.connection, rows)

    def _flush(self) -> None:
        if self._session is not None:
            self._session.flush()

    def commit(self) -> None:
        """Write the events, commit, then hand over the wake-ups and tell what happened."""
        self._flush()
        _append(self.connection, [self])
        self._finish()
        _commit(self.connection, self._step)
        self._tell()

    def _finish(self) -> None:
        """Everything of this unit of work is in the transaction, but its events."""
        if self._session is not None:
            self._session.commit()  # keeps nothing by itself where the connection began the transaction

    def _insert_numbered(self) -> None:
        """The rows that take their numbers now, with the head of the log in hand."""
        numbered, self._numbered = self._numbered, []
        for model, values in numbered:
            self._insert(model, values)

    def _tell(self) -> None:
        """After the commit."""
        happened, self._happened = self._happened, []
        wakes, self._wakes = self._wakes, {}
        for (task, key, _), at in wakes.items():
            self._wake(task, key, at)
        for item in happened:
            self._hear(item)
        reach(f"{self._step}:woken")


def _append(connection: Connection, done: Sequence[UnitOfWork]) -> None:
    """Their events become the end of the chain, and what is numbered by commit takes its numbers."""
    happened = [item for uow in done for item in uow._happened]
    if happened:
        append(connection, happened)
    elif any(uow._numbered for uow in done):
        hold_head(connection)
    for uow in done:
        uow._insert_numbered()


def _commit(connection: Connection, step: str) -> None:
    reach(f"{step}:committing")
    connection.commit()
    reach(f"{step}:committed")


@contextmanager
def _waiting_for_disk(connection: Connection, is_lasting: bool) -> Iterator[None]:
    """Whether a commit of `connection` waits until it is on the disk. Entered before the transaction begins."""
    if is_lasting:
        yield
        return
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")  # ends with the transaction
        yield
        return
    driver = connection.connection.cursor()  # without beginning a transaction: inside of one it cannot be changed
    driver.execute("PRAGMA synchronous=NORMAL")
    try:
        yield
    finally:
        connection.rollback()
        driver.execute("PRAGMA synchronous=FULL")
        driver.close()


@dataclass(eq=False, slots=True)
class _Entry(Generic[Result]):
    """One of those that are written together."""

    work: Callable[[UnitOfWork], Result]
    result: Result | None = None
    committed: UnitOfWork | None = None  # None: nothing of it is kept


@cache
def _insert_unless_there(model: type[Base]) -> PreparedInsert:
    """Made once a table: putting a statement together costs more than running it."""
    return PreparedInsert(cast(Table, model.__table__), or_nothing=True)


_HOLD = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("name", type_=String), 0)))


class Database:
    """An engine by URL: `sqlite:////absolute/path.db` or `postgresql://…`."""

    def __init__(self, url: str, wake: Wake = nobody_listens) -> None:
        self.url = url
        self.engine, self._writer = _engines(url)
        self.wake = wake
        self.hear: Hear = nobody_hears  # told each event after its commit
        self._together: dict[str, Together[_Entry[Any]]] = {}

    @contextmanager
    def write(self, step: str = "", *, is_lasting: bool = True) -> Iterator[UnitOfWork]:
        """A unit of work; rolled back unless `commit` was called. `step` is its name among the failpoints.

        With `is_lasting` false its commit does not wait for the disk. Everybody sees it, and it outlives this process;
        when the power goes, it may be undone, and never anything before it. The next commit that lasts makes it last.
        """
        with (
            self._writer.connect() as connection,
            _waiting_for_disk(connection, is_lasting),
            closing(UnitOfWork(connection, self.wake, self.hear, step)) as uow,
        ):
            reach(f"{step}:begun")
            yield uow

    def write_together(self, step: str, work: Callable[[UnitOfWork], Result]) -> Result:
        """Do `work` in a unit of work and commit it, in one transaction with others who come at the same time.

        `work` does not commit; what it raises keeps nothing of it. It touches nothing but its unit of work, because it
        may be run again: where one of a group fails, the group is rolled back and each tries alone. This returns only
        after the commit. `step` is its name among the failpoints, and those of one name go together.
        """
        entry = _Entry(work)
        together = self._together.get(step)
        if together is None:
            together = self._together.setdefault(step, Together(partial(self._commit_group, step), TOGETHER_MAX))
        together.join(entry)
        if entry.committed is None:
            return self._alone(step, work)
        entry.committed._tell()
        return cast(Result, entry.result)

    def _alone(self, step: str, work: Callable[[UnitOfWork], Result]) -> Result:
        with self.write(step) as uow:
            result = work(uow)
            uow.commit()
            return result

    def _commit_group(self, step: str, entries: list[_Entry[Any]]) -> None:
        try:
            self._commit_entries(step, entries)
        except Exception:  # whatever it is: of several, each tries alone and meets there what is wrong with it
            if len(entries) == 1:
                raise

    def _commit_entries(self, step: str, entries: list[_Entry[Any]]) -> None:
        with self._writer.connect() as connection:
            connection.begin()
            reach(f"{step}:begun")
            done = []
            for entry in entries:
                with closing(UnitOfWork(connection, self.wake, self.hear, step)) as uow:
                    entry.result = entry.work(uow)
                    uow._finish()
                done.append(uow)
            _append(connection, done)
            _commit(connection, step)
            for entry, uow in zip(entries, done, strict=True):
                entry.committed = uow

    @contextmanager
    def read(self) -> Iterator[Reading]:
        """A snapshot; blocks no writer and is blocked by none."""
        with self.engine.connect() as connection, closing(Reading(connection)) as reading:
            yield reading

    def create_all(self) -> None:
        """Make every table that is missing, for tests; an installation migrates (`edi-gateway db upgrade`)."""
        from edi_gateway.store.schema import metadata  # the tables' modules import this one

        metadata.create_all(self._writer)

    def answers(self) -> bool:
        """Whether a write transaction can be had right now. Raises SQLAlchemy's error if not."""
        with self._writer.connect() as connection:
            return connection.execute(text("SELECT 1")).scalar() == 1

    def close(self) -> None:
        self.engine.dispose()
        self._writer.dispose()


class BrokenReference(Exception):
    """A migration left rows that refer to nothing; it was rolled back."""


@contextmanager
def migrating(url: str) -> Iterator[Connection]:
    """One transaction for a migration: nobody else migrates meanwhile, and it is kept whole or not at all.

    SQLite replaces a table to alter it, so foreign keys are off meanwhile and checked at the end.
    """
    sqlite_file = make_url(url).get_backend_name() == "sqlite"
    engine = create_engine(with_driver(make_url(url)) if not sqlite_file else url, poolclass=NullPool)
    if sqlite_file:
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "connect", lambda connection, record: connection.execute("PRAGMA foreign_keys=OFF"))
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.begin() as connection:
            if not sqlite_file:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
            yield connection
            if sqlite_file and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").first()):
                raise BrokenReference(f"{broken[0]} row {broken[1]} refers to a missing row of {broken[2]}")
    finally:
        engine.dispose()


def _engines(url: str) -> tuple[Engine, Engine]:
    """One that reads and one that writes; with SQLite each on connections of its own."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return _server_engines(parsed)
    engines = [create_engine(parsed.set(drivername=f"sqlite+{name}"), **_POOL) for name in ("reading", "writing")]
    for engine in engines:
        event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engines[1], "connect", _wait_by_ourselves)
    return engines[0], engines[1]


def _server_engines(url: URL) -> tuple[Engine, Engine]:
    """Readers see one moment (REPEATABLE READ); writers see what others committed while they waited."""
    try:
        writing = create_engine(with_driver(url), **_SERVER_POOL)
    except ModuleNotFoundError as missing:
        raise DriverMissing(str(missing)) from None
    event.listen(writing, "connect", _prepare_postgresql)
    return writing.execution_options(isolation_level="REPEATABLE READ"), writing


class DriverMissing(SQLAlchemyError):
    """PostgreSQL was asked for, and what talks with it is not installed."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{why}: PostgreSQL needs `pip install edi-gateway[pg]`")


def with_driver(url: URL) -> URL:
    """`postgresql://` means psycopg 3 here, whatever this SQLAlchemy would choose; it does not wait for ever."""
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    known = {"connect_timeout": str(CONNECT_SECONDS_MAX), "application_name": "edi-gateway"}
    return url.set(query={**known, **url.query})


def _prepare_postgresql(connection: Any, record: object) -> None:
    from psycopg.types.string import StrDumper, StrDumperUnknown

    class WithoutNul(StrDumper):
        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", NUL_SHOWN))

    class WithoutNulUnknown(StrDumperUnknown):
        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", NUL_SHOWN))

    for dumper in (WithoutNul, WithoutNulUnknown):
        connection.adapters.register_dumper(str, dumper)
    for setting in _POSTGRESQL_SETTINGS:
        connection.execute(setting)
    connection.commit()


class ReadingSqlite(SQLiteDialect_pysqlite):
    """SQLite as its driver speaks it, but a transaction begins where SQLAlchemy begins it.

    An event listener could say BEGIN as well, and every statement would then pay for looking whether anybody listens.
    """

    supports_statement_cache = True

    def do_begin(self, dbapi_connection: PoolProxiedConnection) -> None:
        cursor = dbapi_connection.cursor()
        cursor.execute("BEGIN")
        cursor.close()


class WritingSqlite(ReadingSqlite):
    """Takes the write lock at the beginning.

    Who has to wait looks again after a few tenths of a millisecond. SQLite's own waiting goes up to a tenth of a
    second, long after the lock is free, so that of two busy processes one would stand still. Once the lock is held
    nothing in the transaction waits for anybody (WAL).
    """

    supports_statement_cache = True

    def do_begin(self, dbapi_connection: PoolProxiedConnection) -> None:
        cursor = dbapi_connection.cursor()
        ends = time.monotonic() + BUSY_SECONDS_MAX
        while not _has_lock(cursor, ends):
            time.sleep(BUSY_PAUSE_SECONDS)
        cursor.close()


def _has_lock(cursor: Any, ends: float) -> bool:
    """Whether the transaction begins now. The error is raised when the time for that is over."""
    try:
        cursor.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & _PRIMARY_CODE != sqlite3.SQLITE_BUSY or time.monotonic() >= ends:
            raise
        return False
    return True


_PRIMARY_CODE = 0xFF  # of an extended result code, such as SQLITE_BUSY_SNAPSHOT

registry.register("sqlite.reading", __name__, ReadingSqlite.__name__)
registry.register("sqlite.writing", __name__, WritingSqlite.__name__)


def _prepare_sqlite(connection: Any, record: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN comes too late and is deferred
    _keep_private(connection)
    for pragma in _SQLITE_PRAGMAS:
        connection.execute(pragma)


def _keep_private(connection: Any) -> None:
    """A file that SQLite has just made is its owner's alone, and so are those that it makes beside it."""
    (_, _, name) = connection.execute("PRAGMA database_list").fetchone()
    if name and os.stat(name).st_size == 0:
        os.chmod(name, 0o600)


def _wait_by_ourselves(connection: Any, record: object) -> None:
    connection.execute("PRAGMA busy_timeout=0")
