"""The event log: what changed, from which state to which, why and when. Append-only and hash-chained.

Each row's hash covers the row before it, so nobody can change, remove or insert an event unseen (`verify_chain`).
The chain covers the digest of an event's free content (reason and details), not the content itself: personal data
can be masked after its term and the chain still verifies.

Events are appended by `UnitOfWork.record_event` and written when it commits; nothing else writes here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Connection,
    Integer,
    String,
    Table,
    bindparam,
    event,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Mapper, Session, mapped_column

from edi_gateway.store.base import Base, CanonicalJson, JsonText, canonical_json
from edi_gateway.store.prepared import Prepared, PreparedInsert

GENESIS = "0" * 64  # the hash before the first event
_CHUNK_ROWS = 1000


class Event(Base):
    """One thing that happened. `subject` is `<table>:<id>`, e.g. `transmission:018f…`; alerts have a kind `alert.…`."""

    __tablename__ = "event"

    number: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False
    )
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(80), index=True)
    subject: Mapped[str] = mapped_column(String(200), index=True)
    from_state: Mapped[str | None] = mapped_column(String(40))
    to_state: Mapped[str | None] = mapped_column(String(40))
    content: Mapped[Any] = mapped_column(JsonText, nullable=True)  # {"reason", "details"}; NULL once masked
    content_sha256: Mapped[str] = mapped_column(String(64))
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))

    @property
    def reason(self) -> str:
        return "" if self.content is None else str(self.content["reason"])

    @property
    def details(self) -> dict[str, Any]:
        return {} if self.content is None else dict(self.content["details"])


class EventChain(Base):
    """The chain's head, one row: taken for update by who appends, and proof against a cut-off tail."""

    __tablename__ = "event_chain"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(64))


@event.listens_for(Event, "before_update")
@event.listens_for(Event, "before_delete")
def _refuse_change(mapper: Mapper[Event], connection: object, target: Event) -> None:
    raise RuntimeError(f"event {target.number} is written once: the log is append-only")


@dataclass(frozen=True, slots=True)
class Happened:
    """An event that waits for its unit of work to commit."""

    kind: str
    subject: str
    from_state: str | None
    to_state: str | None
    reason: str
    details: Mapping[str, Any]
    at: datetime


def append(connection: Connection, happened: Sequence[Happened]) -> None:
    """Chain and add `happened`, one or more. Takes the head for update, so call it last: PostgreSQL's writers wait."""
    head = _HEAD.first(connection, {})
    if head is None:
        _BEGIN_CHAIN.run(connection, {"id": 1, "number": 0, "hash": GENESIS})
        head = _HEAD.first(connection, {})  # of two who begin it at once, the second goes on where the first ended
    number, previous = head
    rows: list[dict[str, Any]] = []
    for item in happened:
        rows.append(_chained(item, number + len(rows) + 1, rows[-1]["hash"] if rows else previous))
    _ADD.run(connection, rows)
    _ADVANCE.run(connection, {"last": rows[-1]["number"], "last_hash": rows[-1]["hash"]})


def hold_head(connection: Connection) -> None:
    """Wait for every transaction that has added to the log, and let later ones wait for this one, adding nothing."""
    _HEAD.first(connection, {})


# Every write of the gateway ends here, so these are put together once, and no object is made for a row.
_HEAD = Prepared(select(EventChain.number, EventChain.hash).where(EventChain.id == 1).with_for_update())
_BEGIN_CHAIN = PreparedInsert(cast(Table, EventChain.__table__), or_nothing=True)
_ADD = PreparedInsert(cast(Table, Event.__table__))
_ADVANCE = Prepared(
    update(EventChain).where(EventChain.id == 1).values(number=bindparam("last"), hash=bindparam("last_hash"))
)


def _chained(item: Happened, number: int, previous_hash: str) -> dict[str, Any]:
    """The columns of the event, with its hash."""
    content = CanonicalJson(canonical_json({"reason": item.reason, "details": dict(item.details)}))
    row = {
        "number": number,
        "at": item.at.astimezone(UTC),
        "kind": item.kind,
        "subject": item.subject,
        "from_state": item.from_state,
        "to_state": item.to_state,
        "content": content,
        "content_sha256": _sha256(content),
        "previous_hash": previous_hash,
    }
    return row | {"hash": _hash_of(row[name] for name in _COVERED)}


_COVERED = ("previous_hash", "number", "at", "kind", "subject", "from_state", "to_state", "content_sha256")


def _hash_of(fields: Iterable[Any]) -> str:
    """The hash of an event, over the fields `_COVERED` in that order."""
    return _sha256(_text_of(fields))


def _text_of(fields: Iterable[Any]) -> str:
    texts = [field.isoformat(timespec="microseconds") if isinstance(field, datetime) else field for field in fields]
    return canonical_json(texts)


def hashed_text(row: Event) -> str:
    """What the hash of an event is the SHA-256 of, in UTF-8: so anybody can recompute it."""
    return _text_of(getattr(row, name) for name in _COVERED)


def content_text(row: Event) -> str | None:
    """What `content_sha256` is the SHA-256 of, in UTF-8; None once it was masked."""
    return None if row.content is None else canonical_json(row.content)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


@dataclass(frozen=True, slots=True)
class ChainVerdict:
    """What `verify_chain` found: how many events agree, and the first that does not (`broken_at`, with `why`)."""

    events: int
    broken_at: int | None = None
    why: str = ""

    @property
    def intact(self) -> bool:
        return self.broken_at is None


def verify_chain(session: Session) -> ChainVerdict:
    """Walk the whole log and say whether it is as it was written."""
    number, previous = 0, GENESIS
    with closing(_all_rows(session)) as rows:
        for row in rows:
            why = _fault(row, number + 1, previous)
            if why:
                return ChainVerdict(number, number + 1, why)
            number, previous = row.number, row.hash
    head = session.get(EventChain, 1)
    if (head.number, head.hash) != (number, previous) if head else number:
        return ChainVerdict(number, number + 1, "the log ends before its head: the last events are missing")
    return ChainVerdict(number)


def _all_rows(session: Session) -> Generator[Event, None, None]:
    statement = select(Event).order_by(Event.number).execution_options(yield_per=_CHUNK_ROWS)
    with closing(session.scalars(statement)) as found:
        for row in found:
            yield row
            session.expunge(row)


def _fault(row: Event, number: int, previous: str) -> str:
    if row.number != number:
        return f"event {number} is missing"
    if row.previous_hash != previous:
        return "it does not follow the event before it"
    if row.content is not None and _sha256(canonical_json(row.content)) != row.content_sha256:
        return "its reason or details were changed"
    if row.hash != _hash_of(getattr(row, name) for name in _COVERED):
        return "its fields were changed"
    return ""


def remove_content(connection: Connection, subjects: Sequence[str]) -> int:
    """Remove reason and details of all events of these subjects; the chain holds, because it covers their digest."""
    statement = update(Event).where(Event.subject.in_(subjects), Event.content.is_not(None)).values(content=None)
    return connection.execute(statement).rowcount


def events_of(session: Session, subject: str, limit: int = 1000) -> list[Event]:
    """The events of one subject, oldest first, at most `limit`."""
    return list(session.scalars(select(Event).where(Event.subject == subject).order_by(Event.number).limit(limit)))


def recent_events(session: Session, *, limit: int, subject: str = "", kind: str = "") -> list[Event]:
    """The newest events first, at most `limit`; of one subject, or whose kind begins with `kind`."""
    statement = select(Event)
    if subject:
        statement = statement.where(Event.subject == subject)
    if kind:
        statement = statement.where(Event.kind.startswith(kind, autoescape=True))
    return list(session.scalars(statement.order_by(Event.number.desc()).limit(limit)))
