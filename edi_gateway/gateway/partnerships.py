"""Which partnership a transmission, an interchange or an order belongs to.

The partnerships are read from the store once and kept until a newer revision stands there, also when another
process applied it; that, and whether our keys changed, is looked for at most every REVISION_SECONDS. Keys and
certificates are parsed once a revision, never once a message. Safe to share between threads.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from edi_gateway.as2.relationship import Relationship
from edi_gateway.edifact.verdict import Address
from edi_gateway.gateway.keys import KeyStore
from edi_gateway.partnership import Partnership
from edi_gateway.store import partnerships as store
from edi_gateway.store.database import Database
from edi_gateway.store.partnerships import PartnershipState

REVISION_SECONDS = 0.25
"""How long a partnership that another process changed may still be the old one here."""


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """The active partnerships of one moment, by everything that they are looked up by."""

    revision: int
    keys_revision: str
    by_name: dict[str, Partnership]
    by_as2: dict[tuple[str, str], Partnership] = field(default_factory=dict)
    by_edifact: dict[tuple[str, str], list[Partnership]] = field(default_factory=dict)

    @classmethod
    def of(cls, revision: int, keys_revision: str, partnerships: list[Partnership]) -> _Snapshot:
        snapshot = cls(revision, keys_revision, {partnership.name: partnership for partnership in partnerships})
        for partnership in partnerships:
            as2, edifact = partnership.as2, partnership.edifact
            snapshot.by_as2[as2.their_id, as2.our_id] = partnership
            snapshot.by_edifact.setdefault((edifact.their_id, edifact.our_id), []).append(partnership)
        return snapshot


class Partnerships:
    """The look-ups. Each gives None for what is unknown or suspended."""

    def __init__(self, database: Database, keys: KeyStore, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._keys = keys
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._snapshot: _Snapshot | None = None
        self._looked_at = 0.0
        self._relationships: dict[str, tuple[Partnership, str, Relationship]] = {}

    def by_as2(self, as2_from: str, as2_to: str) -> Partnership | None:
        """The partnership of what arrives: `as2_from` is theirs, `as2_to` ours; case-sensitive (RFC 4130 §6.2)."""
        return self._current().by_as2.get((as2_from, as2_to))

    def by_name(self, name: str) -> Partnership | None:
        return self._current().by_name.get(name)

    def by_edifact(self, sender: Address, recipient: Address) -> Partnership | None:
        """The partnership of an interchange that arrives: UNB S002 is theirs, S003 ours.

        A qualifier (0007) that the interchange leaves out fits any; two partnerships that fit give None.
        """
        candidates = self._current().by_edifact.get((sender.identifier, recipient.identifier), [])
        fitting = [
            partnership
            for partnership in candidates
            if sender.qualifier in ("", partnership.edifact.their_qualifier)
            and recipient.qualifier in ("", partnership.edifact.our_qualifier)
        ]
        return fitting[0] if len(fitting) == 1 else None

    def all(self) -> tuple[Partnership, ...]:
        """Every active partnership, by name."""
        return tuple(self._current().by_name.values())

    def relationship(self, partnership: Partnership) -> Relationship:
        """The partnership as the AS2 engine needs it, with parsed certificates and our keys."""
        keys_revision = self._current().keys_revision
        with self._lock:
            known = self._relationships.get(partnership.name)
            if known is None or known[0] is not partnership or known[1] != keys_revision:
                made = Relationship.of(partnership.as2, self._keys.dated())
                known = partnership, keys_revision, made
                self._relationships[partnership.name] = known
            return known[2]

    def refresh(self) -> None:
        """Look at the store again at the next look-up, without waiting."""
        with self._lock:
            self._looked_at = float("-inf")

    def _current(self) -> _Snapshot:
        with self._lock:
            now = self._monotonic()
            if self._snapshot is None or now - self._looked_at >= REVISION_SECONDS:
                self._snapshot = self._newer_than(self._snapshot)
                self._looked_at = now
            return self._snapshot

    def _newer_than(self, known: _Snapshot | None) -> _Snapshot:
        keys_revision = self._keys.revision()
        with self._database.read() as reading:
            revision = store.latest_revision(reading.session)
            if known is not None and known.revision == revision:
                return known if known.keys_revision == keys_revision else replace(known, keys_revision=keys_revision)
            rows = store.in_force(reading.session)
        active = [row.partnership for row in rows if row.state is PartnershipState.ACTIVE]
        return _Snapshot.of(revision, keys_revision, active)
