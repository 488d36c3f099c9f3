"""Payload bytes, named by their SHA-256. Written once, durable at the latest with the commit that speaks of them.

Most documents of the trade are a few kilobytes. A small payload stands in its own row and becomes durable with the
commit of those that refer to it: no fsync of its own (docs/adr/0007). A large one is a file. Its put streams into
`incoming/`, then: fsync of the file, rename to its name, fsync of the folder. Only after that may a row be committed
that refers to it. A put that no row followed leaves a file that nobody refers to: harmless, and the next put of the
same bytes finds it.

    stored = payloads.put(stream)
    with database.write() as uow:
        keep(uow, stored, now)          # before the rows that refer to it, in the same unit of work
        ...
        uow.commit()
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, cast

from sqlalchemy import BigInteger, LargeBinary, String, Table, bindparam, null, select
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import ClauseElement

from edi_gateway.failpoints import reach
from edi_gateway.store.base import Base
from edi_gateway.store.database import Database, UnitOfWork
from edi_gateway.store.prepared import PreparedInsert

CHUNK_BYTES = 256 * 1024
SMALL_BYTES_MAX = 64 * 1024  # kept in the row; from about 256 KiB on, a file is written faster
SPOOL_MEMORY_BYTES_MAX = 1024 * 1024  # a spool grows in memory up to here, then on disk
PUT_SECONDS_MAX = 3600  # from a put to the commit that speaks of it: a purge leaves alone what was put since
_SHA256 = re.compile(r"[0-9a-f]{64}")


class PayloadTooLarge(Exception):
    """The stream is longer than the caller allows. Nothing of it was kept."""

    def __init__(self, bytes_max: int) -> None:
        super().__init__(f"more than {bytes_max} bytes")
        self.bytes_max = bytes_max


class PayloadMissing(Exception):
    """A payload that a row refers to is not in the store: lost or removed from outside."""

    def __init__(self, sha256: str) -> None:
        super().__init__(f"payload {sha256} is not in the store; restore it from the backup (its name is its SHA-256)")
        self.sha256 = sha256


class PayloadPurged(PayloadMissing):
    """A payload that was removed on purpose, when its term was over. Its digest stays, as proof of what it was."""

    def __init__(self, sha256: str, at: datetime) -> None:
        super().__init__(sha256)
        self.args = (f"payload {sha256} was removed on {at:%Y-%m-%d}, when its term ([retention]) was over",)


class Payload(Base):
    """A row for each payload, so that an audit can walk them and a purge knows what is referred to."""

    __tablename__ = "payload"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    stored_at: Mapped[datetime]
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)  # None: the bytes are a file, or purged
    purged_at: Mapped[datetime | None]  # when the bytes were removed on purpose; the row stays


def _bring_back(insert: Any) -> ClauseElement:
    """What was purged and comes again is kept again."""
    back = {"content": insert.excluded.content, "stored_at": insert.excluded.stored_at, "purged_at": null()}
    kept: ClauseElement = insert.on_conflict_do_update(
        index_elements=[Payload.sha256], set_=back, where=Payload.purged_at.is_not(None)
    )
    return kept


_KEEP = PreparedInsert(cast(Table, Payload.__table__), on_conflict=_bring_back)
_CONTENT = select(Payload.content, Payload.purged_at).where(Payload.sha256 == bindparam("sha256"))


def keep(uow: UnitOfWork, stored: Stored, now: datetime) -> None:
    """Give `stored` its row, once. Rows that refer to a payload come after this in the same unit of work."""
    keep_all(uow, [stored], now)


def keep_all(uow: UnitOfWork, kept: Iterable[Stored], now: datetime) -> None:
    """Give each its row, as `keep`."""
    in_order = sorted(kept, key=lambda one: one.sha256)  # two who keep the same two do not wait in a ring
    rows = [{"sha256": one.sha256, "size": one.size, "stored_at": now, "content": one.content} for one in in_order]
    uow.insert_with(_KEEP, rows)


@dataclass(frozen=True, slots=True)
class Stored:
    """The name and size of what was put. Small bytes are here until `keep` gives them to the database."""

    sha256: str
    size: int
    content: bytes | None = field(default=None, repr=False, compare=False)


class PayloadStore:
    """A folder of content-addressed files, `ab/cd/<sha256>`, and the small ones in the database."""

    def __init__(self, root: Path, database: Database) -> None:
        self._root = root
        self._database = database
        self._incoming = root / "incoming"
        self._scratch = root / "scratch"
        self._durable: set[Path] = set()  # folders whose own names are durable, as far as this process knows
        for folder in (root, self._incoming, self._scratch):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def put(self, stream: BinaryIO, bytes_max: int | None = None) -> Stored:
        """Keep what `stream` still holds: durable now as a file, or with the commit of `keep` if it is small.

        Raises PayloadTooLarge beyond `bytes_max`, and OSError.
        """
        chunks = _bounded(stream, bytes_max)
        ahead = bytearray()
        for chunk in chunks:
            ahead += chunk
            if len(ahead) > SMALL_BYTES_MAX:
                return self._put_large(chain((bytes(ahead),), chunks))
        content = bytes(ahead)
        return Stored(hashlib.sha256(content).hexdigest(), len(content), content)

    def answers(self) -> bool:
        """Whether a file can be kept right now. Raises OSError if not."""
        return self._put_file([]).size == 0

    def close(self) -> None:
        """Let go of what it holds open: nothing."""

    def _put_large(self, chunks: Iterable[bytes]) -> Stored:
        return self._put_file(chunks)

    def _put_file(self, chunks: Iterable[bytes]) -> Stored:
        descriptor, name = tempfile.mkstemp(dir=self._incoming)
        try:
            with os.fdopen(descriptor, "wb") as target:
                stored = _copy(chunks, target)
                target.flush()
                reach("payload:written")
                os.fsync(target.fileno())
            reach("payload:synced")
            self._name(Path(name), stored.sha256)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(name)
            raise
        return stored

    def _name(self, file: Path, sha256: str) -> None:
        final = self.path(sha256)
        final.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            os.utime(final)  # a purge leaves it alone from now on
            file.unlink()  # written once: the same name is the same bytes
        except FileNotFoundError:
            file.chmod(0o400)
            file.rename(final)
        reach("payload:renamed")
        _fsync_folder(final.parent)  # also when the file was there: its first writer may not have come this far
        if final.parent not in self._durable:
            _fsync_folder(final.parent.parent)
            _fsync_folder(self._root)
            self._durable.add(final.parent)

    def path(self, sha256: str) -> Path:
        """Where the bytes with that digest are kept, if they are. Raises ValueError for what is not a digest."""
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"not a SHA-256 in lower-case hex: {sha256!r}")
        return self._root / sha256[:2] / sha256[2:4] / sha256

    def open(self, kept: str | Stored) -> BinaryIO:
        """The bytes, from the start, by their digest, or as `put` gave them; raise `PayloadMissing`."""
        if isinstance(kept, str):
            return self._opened(kept)
        return self._opened(kept.sha256) if kept.content is None else io.BytesIO(kept.content)

    def _opened(self, sha256: str) -> BinaryIO:
        try:
            return self.path(sha256).open("rb")
        except FileNotFoundError:
            content = self._small(sha256)
        if content is None:
            raise PayloadMissing(sha256)
        return io.BytesIO(content)

    def _small(self, sha256: str) -> bytes | None:
        """What stands in the row; None where the bytes are elsewhere. Raises PayloadPurged."""
        with self._database.engine.connect() as connection:
            row = connection.execute(_CONTENT, {"sha256": sha256}).first()
        if row is not None and row.purged_at is not None:
            raise PayloadPurged(sha256, row.purged_at)
        return None if row is None else row.content

    def remove(self, sha256: str) -> bool:
        """Remove the file of a payload whose row is purged already; say whether it is gone now.

        What was put again within PUT_SECONDS_MAX stays: its row may be on its way. Raises OSError.
        """
        final, aside = self.path(sha256), self._incoming / f"{sha256}.purged"
        try:
            if _is_new(final):
                return False
            final.rename(aside)
        except FileNotFoundError:
            return False
        if _is_new(aside):  # it was put between the look and the move
            aside.rename(final)
            return False
        aside.unlink()
        _fsync_folder(final.parent)
        return True

    def chunks(self, sha256: str, chunk_bytes: int = CHUNK_BYTES) -> Iterator[bytes]:
        """The kept bytes in pieces; raise `PayloadMissing`."""
        with self.open(sha256) as stream:
            while chunk := stream.read(chunk_bytes):
                yield chunk

    def spool(self) -> BinaryIO:
        """A scratch file, in memory while it is small, gone when closed."""
        return cast(BinaryIO, tempfile.SpooledTemporaryFile(SPOOL_MEMORY_BYTES_MAX, dir=str(self._scratch)))


def _bounded(source: BinaryIO, bytes_max: int | None) -> Iterator[bytes]:
    """The chunks of `source`; PayloadTooLarge beyond `bytes_max`."""
    size = 0
    while chunk := source.read(CHUNK_BYTES):
        size += len(chunk)
        if bytes_max is not None and size > bytes_max:
            raise PayloadTooLarge(bytes_max)
        yield chunk


def _copy(chunks: Iterable[bytes], target: BinaryIO) -> Stored:
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        size += len(chunk)
        digest.update(chunk)
        target.write(chunk)
    return Stored(digest.hexdigest(), size)


def _is_new(file: Path) -> bool:
    return time.time() - file.stat().st_mtime < PUT_SECONDS_MAX


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
