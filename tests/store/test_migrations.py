"""The migrations make exactly the tables of this version, whole or not at all."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from edi_gateway.store import migrate, migration_runs
from edi_gateway.store.database import BrokenReference, Database, migrating
from edi_gateway.store.schema import metadata


@pytest.fixture
def migrated(tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path}/migrated.sqlite"
    assert migrate.state(url)[0] is None
    before, after = migrate.upgrade(url)
    assert (before, after) == (None, migrate.state(url)[1])
    database = Database(url)
    yield database
    database.close()


@pytest.fixture
def created(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/created.sqlite")
    database.create_all()
    yield database
    database.close()


def shape(database: Database) -> dict[str, Any]:
    """Every table with its columns, keys, checks and indexes, as the database itself describes them."""
    found = inspect(database.engine)
    return {
        table: {
            "columns": {c["name"]: (str(c["type"]), c["nullable"]) for c in found.get_columns(table)},
            "primary key": found.get_pk_constraint(table)["constrained_columns"],
            "foreign keys": sorted(
                (k["constrained_columns"], k["referred_table"]) for k in found.get_foreign_keys(table)
            ),
            "unique": sorted((u["name"], u["column_names"]) for u in found.get_unique_constraints(table)),
            "checks": sorted(
                (str(c["name"]), " ".join(c["sqltext"].split())) for c in found.get_check_constraints(table)
            ),
            "indexes": sorted(
                (str(i["name"]), i["column_names"], i["unique"], str(i.get("dialect_options", {}).get("sqlite_where")))
                for i in found.get_indexes(table)
            ),
        }
        for table in found.get_table_names()
        if table != "alembic_version"
    }


def test_the_migrations_make_the_tables_of_this_version(migrated: Database, created: Database) -> None:
    made, wanted = shape(migrated), shape(created)
    assert set(made) == set(wanted) == set(metadata.tables)
    for table in wanted:
        assert made[table] == wanted[table], table
    assert migration_runs.differences(migrated.url) == []


def test_the_newest_revision_is_told_without_alembic(migrated: Database) -> None:
    assert migrate.head() == migration_runs.newest()
    script = f"""
import sys
from edi_gateway.store import migrate
import edi_gateway.web.process
assert migrate.upgrade({migrated.url!r})[0] == migrate.head()
assert not any(name in sys.modules for name in ("alembic", "mako"))
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_upgrading_twice_changes_nothing(migrated: Database) -> None:
    needed = migrate.state(migrated.url)[1]
    assert migrate.upgrade(migrated.url) == (needed, needed)


def test_a_migration_that_fails_is_undone(migrated: Database) -> None:
    def fail() -> None:
        with migrating(migrated.url) as connection:
            connection.execute(text("DROP TABLE receipt"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert "receipt" in inspect(migrated.engine).get_table_names()


def test_a_migration_that_leaves_a_dangling_reference_is_undone(migrated: Database) -> None:
    insert = (
        "INSERT INTO receipt (id, transmission_id, at, disposition, outcome, headers, body) "
        "VALUES ('1', 'nobody', '2026-11-22 00:00:00', '', '', '[]', '')"
    )

    def dangle() -> None:
        with migrating(migrated.url) as connection:
            connection.execute(text(insert))

    with pytest.raises(BrokenReference, match="receipt"):
        dangle()
    with migrated.read() as view:
        assert view.session.execute(text("SELECT count(*) FROM receipt")).scalar_one() == 0


def test_every_table_can_be_made_on_postgresql() -> None:
    """No table says anything that only SQLite understands."""
    for table in metadata.sorted_tables:
        statement = str(CreateTable(table).compile(dialect=postgresql.dialect()))
        assert statement.strip().startswith(f"CREATE TABLE {table.name}")
        for index in table.indexes:
            assert str(CreateIndex(index).compile(dialect=postgresql.dialect()))
