"""The tables of Procrastinate in our PostgreSQL: made and brought to its version by `edi-gateway db upgrade`.

Procrastinate ships its schema and, for each version, what changes; it keeps no record of what a database has. We keep
it as the comment of its table of jobs.
"""

from __future__ import annotations

import re
from importlib.metadata import version
from importlib.resources import files

from sqlalchemy import Connection, text

_MARK = "edi-gateway: procrastinate "
_COMMENT = text("SELECT obj_description(to_regclass('procrastinate_jobs'), 'pg_class')")
_THERE = text("SELECT to_regclass('procrastinate_jobs') IS NOT NULL")
_FILE = re.compile(r"(\d+)\.(\d+)\.(\d+)_(\d+)_.*\.sql")

Version = tuple[int, int, int]


class QueueUnknown(Exception):
    """The database holds a queue that somebody else made: nobody knows what it lacks."""

    def __init__(self) -> None:
        super().__init__(
            "the tables of procrastinate in this database were not made by edi-gateway: give the gateway a database "
            "of its own"
        )


def bring_up(connection: Connection) -> None:
    """Make the tables of the queue, or bring them to the version that is installed. Raises QueueUnknown."""
    if is_current(connection):
        return
    if not connection.execute(_THERE).scalar():
        _run(connection, (files("procrastinate.sql") / "schema.sql").read_text(encoding="utf-8"))
    elif (present := _present(connection)) is not None:
        for script in _newer_than(present):
            _run(connection, script)
    else:
        raise QueueUnknown
    _mark(connection)


def is_queue_table(name: str) -> bool:
    """Whether a table is Procrastinate's, so that it is no difference from ours."""
    return name.startswith("procrastinate_")


def is_current(connection: Connection) -> bool:
    """Whether the queue is there, at least of the version that is installed."""
    present = _present(connection)
    return present is not None and present >= _installed()


def _present(connection: Connection) -> Version | None:
    comment = str(connection.execute(_COMMENT).scalar() or "")
    return _version(comment.removeprefix(_MARK)) if comment.startswith(_MARK) else None


def _installed() -> Version:
    return _version(version("procrastinate"))


def _version(written: str) -> Version:
    major, minor, patch = ([int(number) for number in re.findall(r"\d+", written)] + [0, 0, 0])[:3]
    return major, minor, patch


def _newer_than(present: Version) -> list[str]:
    """What changed after that version, in order."""
    found = []
    for file in (files("procrastinate.sql") / "migrations").iterdir():
        match = _FILE.fullmatch(file.name)
        if match and (change := tuple(map(int, match.groups())))[:3] > present:
            found.append((change, file.read_text(encoding="utf-8")))
    return [script for _, script in sorted(found)]


def _run(connection: Connection, script: str) -> None:
    connection.exec_driver_sql(script.replace("%", "%%"))  # no parameters


def _mark(connection: Connection) -> None:
    comment = f"{_MARK}{'.'.join(map(str, _installed()))}"
    connection.exec_driver_sql(f"COMMENT ON TABLE procrastinate_jobs IS '{comment}'")
