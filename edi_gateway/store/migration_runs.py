"""Alembic at work: what migrations do to a database, and how the database differs from the tables of this version.

Imported only where that is asked for: alembic and what it brings (templates, the dialects of other databases) would
stay in the server's memory, about 8 MB of what it holds when idle.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection

from edi_gateway.store import queue_schema
from edi_gateway.store.database import migrating
from edi_gateway.store.migration_rules import CONTRACT, losses, phase
from edi_gateway.store.schema import metadata


def run(connection: Connection) -> None:
    """Apply every migration that is missing."""
    with _config(connection) as config:
        command.upgrade(config, "head")


def losses_after(connection: Connection, before: str | None) -> list[str]:
    """What the migrations after `before` take away, whatever they say they are."""
    found = []
    with _config(connection) as config:
        for script in ScriptDirectory.from_config(config).iterate_revisions("head", before or "base"):
            source = Path(script.path).read_text(encoding="utf-8")
            said = ["it says so"] if phase(source) == CONTRACT else []
            found += [f"{script.revision}, {fault}" for fault in losses(source) or said]
    return found[::-1]


def newest() -> str | None:
    """The revision that no other follows, as alembic reads the scripts."""
    with _config() as config:
        return ScriptDirectory.from_config(config).get_current_head()


def differences(url: str) -> list[object]:
    """What the tables of this version have that the migrated database has not, and the reverse. Empty is right."""
    with migrating(url) as connection:
        options = {"compare_type": True, "compare_server_default": True, "include_name": _is_ours}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


def _is_ours(name: str | None, kind: str, parents: object) -> bool:
    return kind != "table" or name is None or not queue_schema.is_queue_table(name)


def draft(url: str, message: str) -> str:
    """Write the migration from the newest one to the tables of this version, for a developer; gives its path.

    `url` is a database to try it on, empty or migrated.
    """
    with migrating(url) as connection, _config(connection) as config:
        if ScriptDirectory.from_config(config).get_current_head() is not None:
            command.upgrade(config, "head")
        number = len(list(ScriptDirectory.from_config(config).walk_revisions())) + 1
        script = command.revision(config, message, autogenerate=True, rev_id=f"{number:04}")
    return str(script.path) if isinstance(script, Script) else ""


@contextmanager
def _config(connection: Connection | None = None) -> Iterator[Config]:
    with as_file(files("edi_gateway.store") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
        config.attributes["connection"] = connection
        yield config
