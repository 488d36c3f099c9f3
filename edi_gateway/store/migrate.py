"""Bringing a database to the schema of this version. Migrations stand in `migrations/versions`, oldest first."""

from __future__ import annotations

from importlib.resources import as_file, files

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from edi_gateway.store.database import migrating
from edi_gateway.store.schema import metadata


def upgrade(url: str) -> tuple[str | None, str]:
    """Apply what is missing, whole or not at all; gives the revision before and after."""
    with migrating(url) as connection:
        before = _revision(connection)
        _command("upgrade", connection)
        return before, _head()


def state(url: str) -> tuple[str | None, str]:
    """The revision that the database has (None: empty) and the one that this version needs."""
    with migrating(url) as connection:
        return _revision(connection), _head()


def differences(url: str) -> list[object]:
    """What the tables of this version have that the migrated database has not, and the reverse. Empty is right."""
    with migrating(url) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, metadata))


def _command(name: str, connection: Connection) -> None:
    with as_file(files("edi_gateway.store") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.attributes["connection"] = connection
        getattr(command, name)(config, "head")


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _head() -> str:
    with as_file(files("edi_gateway.store") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        head = ScriptDirectory.from_config(config).get_current_head()
    if head is None:
        raise RuntimeError("this installation has no migrations; install the package again")
    return head
