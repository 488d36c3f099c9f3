"""Payload bytes as files named by their SHA-256. Written once, durable before any row speaks of them.

A put streams into `incoming/`, then: fsync of the file, rename to its name, fsync of the folder. Only after that may a
row be committed that refers to it. A put that no row followed leaves a file that nobody refers to: harmless, and the
next put of the same bytes finds it.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, cast

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from edi_gateway.store.base import Base
from edi_gateway.store.database import UnitOfWork

CHUNK_BYTES = 256 * 1024
SPOOL_MEMORY_BYTES_MAX = 1024 * 1024  # a spool grows in memory up to here, then on disk
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


class Payload(Base):
    """A row for each kept file, so that an audit can walk them and a purge knows what is referred to."""

    __tablename__ = "payload"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    stored_at: Mapped[datetime]


def keep(uow: UnitOfWork, stored: Stored, now: datetime) -> None:
    """Give `stored` its row, once. Rows that refer to a payload come after this in the same unit of work."""
    uow.insert_once(Payload, {"sha256": stored.sha256, "size": stored.size, "stored_at": now})


@dataclass(frozen=True, slots=True)
class Stored:
    """The name and size of kept bytes."""

    sha256: str
    size: int


class PayloadStore:
    """A folder of content-addressed files, `ab/cd/<sha256>`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / "incoming"
        self._scratch = root / "scratch"
        self._durable: set[Path] = set()  # folders whose own names are durable, as far as this process knows
        for folder in (root, self._incoming, self._scratch):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def put(self, stream: BinaryIO, bytes_max: int | None = None) -> Stored:
        """Keep what `stream` still holds, durably. Raises PayloadTooLarge beyond `bytes_max`, and OSError."""
        descriptor, name = tempfile.mkstemp(dir=self._incoming)
        try:
            with os.fdopen(descriptor, "wb") as target:
                stored = _copy(stream, target, bytes_max)
                target.flush()
                os.fsync(target.fileno())
            self._name(Path(name), stored.sha256)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(name)
            raise
        return stored

    def _name(self, file: Path, sha256: str) -> None:
        final = self.path(sha256)
        final.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if final.exists():
            file.unlink()  # written once: the same name is the same bytes
        else:
            file.chmod(0o400)
            file.rename(final)
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

    def open(self, sha256: str) -> BinaryIO:
        """The kept bytes, from the start; raise `PayloadMissing`."""
        try:
            return self.path(sha256).open("rb")
        except FileNotFoundError:
            raise PayloadMissing(sha256) from None

    def chunks(self, sha256: str, chunk_bytes: int = CHUNK_BYTES) -> Iterator[bytes]:
        """The kept bytes in pieces; raise `PayloadMissing`."""
        with self.open(sha256) as stream:
            while chunk := stream.read(chunk_bytes):
                yield chunk

    def spool(self) -> BinaryIO:
        """A scratch file, in memory while it is small, gone when closed."""
        return cast(BinaryIO, tempfile.SpooledTemporaryFile(SPOOL_MEMORY_BYTES_MAX, dir=str(self._scratch)))


def _copy(source: BinaryIO, target: BinaryIO, bytes_max: int | None) -> Stored:
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(CHUNK_BYTES):
        size += len(chunk)
        if bytes_max is not None and size > bytes_max:
            raise PayloadTooLarge(bytes_max)
        digest.update(chunk)
        target.write(chunk)
    return Stored(digest.hexdigest(), size)


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
