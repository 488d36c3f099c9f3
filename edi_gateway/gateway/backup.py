"""Backup and restore of the embedded store, while the gateway runs.

    FOLDER/gateway.sqlite       the database as it stood at one moment
    FOLDER/payloads/ab/cd/…     the payloads that it speaks of: hard links where the disk is the same, else copies
    FOLDER/keys/…               only where they were asked for
    FOLDER/manifest.json        the SHA-256 of each; written last, so a backup without it is none

The database first: SQLite's own backup copies one snapshot of it and holds up no writer. Payload files are written
before the rows that name them and never change, so whatever the snapshot names is there. PostgreSQL and S3 have tools
of their own: docs/backup.md.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from edi_gateway.config import Config
from edi_gateway.gateway import archive
from edi_gateway.gateway.archive import ArchiveVerdict
from edi_gateway.gateway.keys import DEFAULT_KEY_FILE
from edi_gateway.store.database import Database
from edi_gateway.store.payloads import CHUNK_BYTES, PayloadStore

DATABASE, PAYLOADS, KEYS, MANIFEST = "gateway.sqlite", "payloads", "keys", "manifest.json"
FORMAT = 1
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LARGE = "SELECT sha256 FROM payload WHERE content IS NULL AND purged_at IS NULL ORDER BY sha256"
_MANIFEST_BYTES_MAX = 256 * 1024**2


class BackupFault(Exception):
    """It cannot be done; the text says why and what to do. Nothing was taken for complete."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds; as its manifest says it. Digests by path within the folder, lower-case hex."""

    made_at: str
    database: str
    payloads: tuple[str, ...]
    keys: dict[str, str]
    missing: tuple[str, ...] = ()  # payloads that the database names and that were not there
    format: int = FORMAT


def back_up(config: Config, target: Path, now: datetime, *, with_keys: bool = False) -> Backup:
    """Write a backup into the folder `target`, which must be new or empty. Raises BackupFault, OSError."""
    source = _database_file(config)
    if not source.is_file():
        raise BackupFault(f"there is no database at {source}; check data_dir and database_url")
    _new_folder(target, "a backup goes into a folder of its own")
    _snapshot(source, target / DATABASE)
    taken, missing = _take_payloads(config.data_dir / PAYLOADS, target)
    keys = _take_keys(config.data_dir, target) if with_keys else {}
    done = Backup(now.isoformat(timespec="seconds"), digest_of(target / DATABASE), tuple(taken), keys, tuple(missing))
    _write_durably(target / MANIFEST, json.dumps(asdict(done), indent=1).encode("utf-8"))
    return done


def restore(config: Config, source: Path) -> ArchiveVerdict:
    """Put a backup into the data folder, which must be empty; what was restored is verified. Raises BackupFault."""
    manifest = read_manifest(source)
    data, database = config.data_dir, _database_file(config)
    _new_folder(data, "a restore goes into an empty data folder; move the old one away first")
    if database.exists():
        raise BackupFault(f"{database} is there already; move it away first")
    if digest_of(source / DATABASE) != manifest.database:
        raise BackupFault(f"{source / DATABASE} is not the database of the manifest: the backup is damaged")
    for sha256 in manifest.payloads:
        _put_back(source / PAYLOADS / _place(sha256), data / PAYLOADS / _place(sha256), sha256)
    for name, digest in manifest.keys.items():
        _put_back(source / name, data / name, digest)
    shutil.copyfile(source / DATABASE, _private(database))  # last: a data folder without it is no gateway
    return _verified(config)


def read_manifest(source: Path) -> Backup:
    """The manifest of a backup; raises BackupFault for what is none."""
    try:
        if (source / MANIFEST).stat().st_size > _MANIFEST_BYTES_MAX:
            raise BackupFault(f"{source / MANIFEST} is larger than {_MANIFEST_BYTES_MAX} bytes: no manifest of ours")
        found: Any = json.loads((source / MANIFEST).read_text("utf-8"))
        backup = Backup(**{**found, "payloads": tuple(found["payloads"]), "missing": tuple(found["missing"])})
    except FileNotFoundError:
        raise BackupFault(f"{source} holds no {MANIFEST}: it is no backup, or one that was not finished") from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BackupFault(f"{source / MANIFEST} cannot be read: {error}") from None
    if not all(_SHA256.fullmatch(sha256) for sha256 in backup.payloads):
        raise BackupFault(f"{source / MANIFEST} names payloads by what is no SHA-256: the backup is damaged")
    if backup.format != FORMAT or any(Path(name).is_absolute() or ".." in Path(name).parts for name in backup.keys):
        raise BackupFault(f"{source / MANIFEST} is of another format than {FORMAT}; use the version that made it")
    return backup


def digest_of(file: Path) -> str:
    """The SHA-256 of a file, in lower-case hex."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _database_file(config: Config) -> Path:
    if config.is_on_server:
        raise BackupFault("this database is a server's: use pg_dump, and then copy the payloads (docs/backup.md)")
    if config.payload_url:
        raise BackupFault("these payloads are in a bucket: copy it after the database (docs/backup.md)")
    return Path(make_url(config.database_url).database or "")


def _new_folder(folder: Path, why: str) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if any(folder.iterdir()):
        raise BackupFault(f"{folder} is not empty: {why}")


def _snapshot(source: Path, target: Path) -> None:
    """One consistent copy; writers go on meanwhile."""
    try:
        with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(_private(target))) as copy:
            live.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
    except sqlite3.Error as error:
        raise BackupFault(f"the database {source} cannot be copied: {error}") from None


def _take_payloads(source: Path, target: Path) -> tuple[list[str], list[str]]:
    """Those that the snapshot names, in the order of their digests, and those that are not there."""
    taken: list[str] = []
    missing: list[str] = []
    for sha256 in _named(target / DATABASE):
        try:
            _link(source / _place(sha256), target / PAYLOADS / _place(sha256))
            taken.append(sha256)
        except FileNotFoundError:
            missing.append(sha256)
    return taken, missing


def _named(database: Path) -> Iterator[str]:
    with closing(sqlite3.connect(database)) as connection:
        yield from (sha256 for (sha256,) in connection.execute(_LARGE))


def _place(sha256: str) -> Path:
    return Path(sha256[:2]) / sha256[2:4] / sha256


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP):
            raise
        shutil.copyfile(source, _private(target))  # another disk, or one without links


def _take_keys(data: Path, target: Path) -> dict[str, str]:
    """Our private keys, encrypted as they stand, and the passphrase where it lies beside them."""
    digests = {}
    for file in (*sorted((data / KEYS).rglob("*")), data / DEFAULT_KEY_FILE):
        if file.is_file():
            name = file.relative_to(data).as_posix()
            shutil.copyfile(file, _private(target / name))
            digests[name] = digest_of(target / name)
    return digests


def _put_back(source: Path, target: Path, sha256: str) -> None:
    """A copy, never a link: what happens to the one must not happen to the other."""
    digest = hashlib.sha256()
    try:
        with source.open("rb") as stream, _private(target).open("wb") as copy:
            while chunk := stream.read(CHUNK_BYTES):
                digest.update(chunk)
                copy.write(chunk)
    except FileNotFoundError:
        raise BackupFault(f"{source} is missing: the backup is damaged") from None
    if digest.hexdigest() != sha256:
        raise BackupFault(f"{source} was altered: the backup is damaged")


def _private(file: Path) -> Path:
    """An empty file that its owner alone may read."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    return file


def _write_durably(file: Path, data: bytes) -> None:
    with _private(file).open("wb") as target:
        target.write(data)
        target.flush()
        os.fsync(target.fileno())


def _verified(config: Config) -> ArchiveVerdict:
    database = Database(config.database_url)
    try:
        return archive.verify(database, PayloadStore(config.data_dir / PAYLOADS, database))
    finally:
        database.close()
