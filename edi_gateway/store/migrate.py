"""Bringing a database to the schema of this version. Migrations stand in `migrations/versions`, oldest first.

Which revision a database has and which one is the newest is told without alembic: a server that has nothing to migrate
does not load it (`migration_runs`).
"""

from __future__ import annotations

import re
from importlib.abc import Traversable
from importlib.resources import files

from sqlalchemy import Connection, inspect, text

from edi_gateway.store import queue_schema
from edi_gateway.store.database import Database, migrating

_SCRIPT = re.compile(r"(\d{4})_\w+\.py")
_PRESENT = text("SELECT version_num FROM alembic_version")


class WouldLoseData(Exception):
    """A migration that is missing takes something away; nothing was changed."""

    def __init__(self, losses: list[str]) -> None:
        super().__init__(
            f"these migrations take away what an older version or you may need: {'; '.join(losses)}. Stop every node "
            "of the version before, make a backup, then: edi-gateway db upgrade --contract"
        )
        self.losses = losses


def upgrade(url: str, *, contract: bool = False) -> tuple[str | None, str]:
    """Apply what is missing, whole or not at all; gives the revision before and after.

    Raises WouldLoseData, unless `contract`, where a migration takes away, renames or tightens.
    """
    with migrating(url) as connection:
        before, after = _revision(connection), head()
        if before != after:
            from edi_gateway.store import migration_runs  # 8 MB of resident memory, and only for this

            if losing := [] if contract else migration_runs.losses_after(connection, before):
                raise WouldLoseData(losing)
            migration_runs.run(connection)
        if connection.dialect.name == "postgresql":
            queue_schema.bring_up(connection)
        return before, after


def state(url: str) -> tuple[str | None, str]:
    """The revision that the database has (None: empty) and the one that this version needs."""
    database = Database(url)
    try:
        with database.engine.connect() as connection:
            return _revision(connection), head()
    finally:
        database.close()


def head() -> str:
    """The newest revision: each follows the one before it, and its number begins the name of its file."""
    scripts = [found[1] for entry in versions().iterdir() if (found := _SCRIPT.fullmatch(entry.name))]
    if not scripts:
        raise RuntimeError("this installation has no migrations; install the package again")
    return max(scripts)


def versions() -> Traversable:
    """The folder of the migrations."""
    return files("edi_gateway.store") / "migrations" / "versions"


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(_PRESENT).scalar()
