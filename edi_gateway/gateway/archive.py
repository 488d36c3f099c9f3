"""What is kept, held against what was written: every payload by its SHA-256, the event log by its chain of hashes.

A payload's name is the SHA-256 of its bytes, and the log's events each hold the hash of the one before, so that
neither needs a second copy to be proved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select

from edi_gateway.store.database import Database
from edi_gateway.store.events import verify_chain
from edi_gateway.store.payloads import Payload, PayloadMissing, PayloadStore
from edi_gateway.store.transmissions import Transmission

FAULTS_MAX = 1000  # that are named; the others are counted
_ROWS = 500  # read at once

Progress = Callable[[int, int], object]  # payloads done, payloads in all


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is not as it was written. `needed_by` are the transmissions that carry the payload."""

    subject: str  # payload:SHA256, event:NUMBER
    text: str
    remedy: str
    needed_by: tuple[str, ...] = ()


@dataclass(slots=True)
class ArchiveVerdict:
    """What `verify` found."""

    payloads: int = 0
    bytes: int = 0
    purged: int = 0  # payloads that were removed on purpose, at the end of their term
    events: int = 0
    faults: list[Fault] = field(default_factory=list)
    left_out: int = 0  # faults beyond FAULTS_MAX

    @property
    def intact(self) -> bool:
        return not self.faults

    def add(self, fault: Fault) -> None:
        """Name a fault, or count it."""
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(fault)
        else:
            self.left_out += 1


_RESTORE = "restore it from a backup: its name is the SHA-256 of its bytes, so any true copy will do"


def verify(database: Database, payloads: PayloadStore, progress: Progress = lambda done, total: None) -> ArchiveVerdict:
    """Read every payload and every event. Memory does not grow with their number or size."""
    verdict = ArchiveVerdict()
    with database.read() as view:
        total = view.session.scalar(select(func.count()).select_from(Payload)) or 0
    for sha256, size, purged_at in _payloads(database):
        if purged_at is not None:
            verdict.purged += 1
            continue
        fault = _fault(payloads, sha256, size)
        if fault:
            verdict.add(Fault(f"payload:{sha256}", fault, _RESTORE, _needed_by(database, sha256)))
        verdict.payloads += 1
        verdict.bytes += size
        progress(verdict.payloads + verdict.purged, total)
    _verify_events(database, verdict)
    return verdict


def _payloads(database: Database) -> Iterator[tuple[str, int, datetime | None]]:
    """Digest, size and time of purge of every payload, by digest; no transaction stays open in between."""
    after = ""
    while True:
        statement = select(Payload.sha256, Payload.size, Payload.purged_at).where(Payload.sha256 > after)
        with database.read() as view:
            rows = view.session.execute(statement.order_by(Payload.sha256).limit(_ROWS)).all()
        if not rows:
            return
        yield from ((sha256, size, purged_at) for sha256, size, purged_at in rows)
        after = rows[-1][0]


def _fault(payloads: PayloadStore, sha256: str, size: int) -> str:
    """What is wrong with one payload; empty if nothing is."""
    digest, found = hashlib.sha256(), 0
    try:
        for chunk in payloads.chunks(sha256):
            digest.update(chunk)
            found += len(chunk)
    except PayloadMissing:
        return f"is not there; {size} bytes were kept"
    except OSError as error:
        return f"cannot be read: {error}"
    if found != size:
        return f"has {found} bytes; {size} were kept"
    return "" if digest.hexdigest() == sha256 else f"was altered: its bytes have the SHA-256 {digest.hexdigest()}"


def _needed_by(database: Database, sha256: str) -> tuple[str, ...]:
    named = (Transmission.payload_sha256 == sha256) | (Transmission.raw_sha256 == sha256)
    with database.read() as view:
        return tuple(view.session.scalars(select(Transmission.id).where(named).limit(20)))


def _verify_events(database: Database, verdict: ArchiveVerdict) -> None:
    with database.read() as view:
        chain = verify_chain(view.session)
    verdict.events = chain.events
    if not chain.intact:
        remedy = f"the {chain.events} events before it are as they were written; compare with a backup from that time"
        verdict.add(Fault(f"event:{chain.broken_at}", chain.why, remedy))
