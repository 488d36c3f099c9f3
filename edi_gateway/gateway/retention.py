"""What is past its term is removed, or masked in place ([retention] in the configuration); docs/retention.md.

    payloads   the bytes that travelled and the receipts: removed; digests, sizes, MICs and dispositions stay
    records    records, findings and the reasons of events: removed; numbers, states and the chain of events stay
    persons    names, addresses, phones and e-mails in the records of orders and messages: masked

What carries an invoice, and what proves it (its acknowledgements, its MDNs, its events), is the fiscal archive: nothing
of it is touched until its own term is over, whatever the other terms say. Nothing of a partnership under legal hold is
touched, and nothing that is still on its way.

Each batch is a transaction of its own and says itself what is done, so a purge that dies goes on where it stopped. The
file of a payload goes after the commit that says so: what a crash leaves behind is a file too many, never one too few,
and the next purge takes it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from edi_gateway.gateway.app import Gateway
from edi_gateway.marketplace.masking import masked
from edi_gateway.store.business import OrderRow
from edi_gateway.store.database import UnitOfWork
from edi_gateway.store.documents import Interchange, Message, MessageState, StoredFinding
from edi_gateway.store.events import remove_content
from edi_gateway.store.payloads import SMALL_BYTES_MAX, Payload
from edi_gateway.store.transmissions import Receipt, Seal, Transmission, TransmissionState

Column = InstrumentedAttribute[Any]
BATCH = 100  # rows in one transaction
FISCAL_TYPES = ("INVOIC", "REMADV")
"""The documents of account."""
ALL_HELD = "*"

_ON_ITS_WAY = (
    TransmissionState.RECEIVED,
    TransmissionState.QUEUED,
    TransmissionState.SENDING,
    TransmissionState.AWAITING_MDN,
    TransmissionState.PARKED,
)
_TO_BE_APPLIED = (MessageState.READ, MessageState.WAITING)


@dataclass(slots=True)
class Purged:
    """What was done; with `dry_run` what would be."""

    dry_run: bool = False
    transmissions: int = 0  # whose payloads and receipts were removed
    payloads: int = 0
    bytes: int = 0
    records: int = 0  # transmissions whose records were removed
    orders_masked: int = 0
    messages_masked: int = 0
    fiscal_kept: int = 0  # past the term of payloads, and kept as fiscal archive
    files: list[str] = field(default_factory=list, repr=False)  # of the batch: to be removed after its commit

    @property
    def anything(self) -> bool:
        return bool(self.transmissions or self.records or self.orders_masked or self.messages_masked)


@dataclass(frozen=True, slots=True)
class Terms:
    """The moments before which a thing is past its term; None: never."""

    payloads: datetime | None
    records: datetime | None
    persons: datetime | None
    fiscal: datetime


def terms(gateway: Gateway) -> Terms:
    """The terms at this moment. A fiscal term ends with a calendar year, so that it holds for every month of it."""
    now, chosen = gateway.now(), gateway.config.retention

    def before(days: int) -> datetime | None:
        return now - timedelta(days=days) if days else None

    fiscal = datetime(max(now.year - chosen.fiscal_years, 1), 1, 1, tzinfo=UTC)
    return Terms(before(chosen.payload_days), before(chosen.record_days), before(chosen.personal_data_days), fiscal)


def purge(gateway: Gateway, *, dry_run: bool = False) -> Purged:
    """Do all that is due. Any number of processes may do it at the same time, or again."""
    done, due = Purged(dry_run), terms(gateway)
    if ALL_HELD in gateway.config.retention.held:
        return done
    run = _Run(gateway, due, done)
    if due.payloads:
        run.each(Transmission, run.transmissions(Transmission.payloads_purged_at, due.payloads), run.remove_payloads)
    if due.records:
        run.each(Transmission, run.transmissions(Transmission.records_purged_at, due.records), run.remove_records)
    if due.persons:
        run.each(OrderRow, run.orders(due.persons), run.mask_orders)
        run.each(Message, run.messages(due.persons), run.mask_messages)
    if not dry_run:
        _remove_left_files(gateway)
    return done


@dataclass(frozen=True, slots=True)
class _Run:
    """One purge on its way."""

    gateway: Gateway
    due: Terms
    done: Purged

    def each(
        self,
        model: type[Transmission] | type[OrderRow] | type[Message],
        wanted: Select[Any],
        work: Callable[[UnitOfWork, Sequence[str | int]], None],
    ) -> None:
        """Do `work` on all the ids of `wanted`, in the order of the ids, batch by batch."""
        after: str | int | None = None
        while True:
            page = wanted.order_by(model.id).limit(BATCH)
            with self.gateway.database.read() as view:
                ids = list(view.session.scalars(page if after is None else page.where(model.id > after)))
            if not ids:
                return
            self._batch(ids, work)
            after = ids[-1]

    def _batch(self, ids: Sequence[str | int], work: Callable[[UnitOfWork, Sequence[str | int]], None]) -> None:
        self.done.files.clear()
        with self.gateway.database.write("retention.purge") as uow:
            work(uow, ids)
            if not self.done.dry_run:
                uow.commit()
        if not self.done.dry_run:
            for sha256 in self.done.files:
                self.gateway.payloads.remove(sha256)

    # --- what is past its term ------------------------------------------------------------------

    def transmissions(self, marker: Column, before: datetime) -> Select[Any]:
        return self._of_partners(
            select(Transmission.id).where(
                marker.is_(None), Transmission.created_at < before, Transmission.state.not_in(_ON_ITS_WAY)
            ),
            Transmission.partnership,
        )

    def orders(self, before: datetime) -> Select[Any]:
        past = select(OrderRow.id).where(OrderRow.masked_at.is_(None), OrderRow.changed_at < before)
        return self._of_partners(past, OrderRow.partnership)

    def messages(self, before: datetime) -> Select[Any]:
        past = select(Message.id).where(
            Message.masked_at.is_(None),
            Message.record.is_not(None),
            Message.at < before,
            Message.type.not_in(FISCAL_TYPES),
            Message.state.not_in(_TO_BE_APPLIED),
        )
        return self._of_partners(past, Message.partnership)

    def _of_partners(self, wanted: Select[Any], partnership: Column) -> Select[Any]:
        held = self.gateway.config.retention.held
        return wanted.where(or_(partnership.is_(None), partnership.not_in(held))) if held else wanted

    # --- what is done with it -------------------------------------------------------------------

    def remove_payloads(self, uow: UnitOfWork, ids: Sequence[str | int]) -> None:
        """Bytes and receipts of these transmissions, but those of the fiscal archive."""
        free = self._free(uow.session, ids, count=True)
        if not free:
            return
        now = self.gateway.now()
        named = _payloads_of(uow.session, free)
        marked = update(Transmission).where(Transmission.id.in_(free)).values(payloads_purged_at=now)
        uow.session.execute(marked)
        emptied = update(Receipt).where(Receipt.transmission_id.in_(free), Receipt.purged_at.is_(None))
        uow.session.execute(emptied.values(body=b"", headers=[], purged_at=now))
        self.done.transmissions += len(free)
        # Who keeps the same bytes again meanwhile waits for this row, or is seen below: `keep` takes it as well.
        kept = select(Payload).where(Payload.sha256.in_(named), Payload.purged_at.is_(None))
        rows = uow.session.scalars(kept.order_by(Payload.sha256).with_for_update()).all()
        still = _needed(uow.session, named)
        for row in rows:
            if row.sha256 not in still:
                self._remove(row, now)
        self._say(uow, "payloads", len(free), now)

    def _remove(self, row: Payload, now: datetime) -> None:
        row.content, row.purged_at = None, now
        self.done.payloads += 1
        self.done.bytes += row.size
        if row.size > SMALL_BYTES_MAX:
            self.done.files.append(row.sha256)

    def remove_records(self, uow: UnitOfWork, ids: Sequence[str | int]) -> None:
        """Records, findings and the reasons of events of these transmissions, but those of the fiscal archive."""
        free = self._free(uow.session, ids)
        if not free:
            return
        now, session = self.gateway.now(), uow.session
        interchanges = list(session.scalars(select(Interchange.id).where(Interchange.transmission_id.in_(free))))
        messages = list(session.scalars(select(Message.id).where(Message.interchange_id.in_(interchanges))))
        session.execute(delete(StoredFinding).where(StoredFinding.interchange_id.in_(interchanges)))
        session.execute(update(Message).where(Message.id.in_(messages)).values(record=None, unmapped=None))
        subjects = [f"transmission:{each}" for each in free]
        subjects += [f"interchange:{each}" for each in interchanges] + [f"message:{each}" for each in messages]
        for start in range(0, len(subjects), BATCH):
            remove_content(session.connection(), subjects[start : start + BATCH])
        session.execute(update(Transmission).where(Transmission.id.in_(free)).values(records_purged_at=now))
        self.done.records += len(free)
        self._say(uow, "records", len(free), now)

    def mask_orders(self, uow: UnitOfWork, ids: Sequence[str | int]) -> None:
        now = self.gateway.now()
        for row in uow.session.scalars(select(OrderRow).where(OrderRow.id.in_(ids), OrderRow.masked_at.is_(None))):
            row.record, row.masked_at = masked(row.record), now
            self.done.orders_masked += 1
        self._say(uow, "persons in orders", len(ids), now)

    def mask_messages(self, uow: UnitOfWork, ids: Sequence[str | int]) -> None:
        now = self.gateway.now()
        for row in uow.session.scalars(select(Message).where(Message.id.in_(ids), Message.masked_at.is_(None))):
            row.record, row.unmapped, row.masked_at = masked(row.record), None, now
            self.done.messages_masked += 1
        findings = update(StoredFinding).where(
            StoredFinding.message_id.in_(ids), StoredFinding.segment.in_(_NAMING_SEGMENTS)
        )
        uow.session.execute(findings.values(value=None, texts=_MASKED_TEXTS))
        self._say(uow, "persons in messages", len(ids), now)

    def _say(self, uow: UnitOfWork, what: str, count: int, now: datetime) -> None:
        reason = f"{what}: {count} are past their term"
        uow.record_event("retention.purged", "retention", None, None, reason, {"what": what, "count": count}, now)

    def _free(self, session: Session, ids: Sequence[str | int], *, count: bool = False) -> list[str]:
        """Those that are no part of the fiscal archive, or past its term."""
        named = [str(each) for each in ids]
        fiscal = fiscal_ids(session, named, self.due.fiscal)
        if count:
            self.done.fiscal_kept += len(fiscal)
        waiting = set(
            session.scalars(
                select(Interchange.transmission_id)
                .join(Message, Message.interchange_id == Interchange.id)
                .where(Interchange.transmission_id.in_(named), Message.state.in_(_TO_BE_APPLIED))
            )
        )
        return [each for each in named if each not in fiscal and each not in waiting]


_NAMING_SEGMENTS = ("NAD", "CTA", "COM", "FTX", "LOC")
_MASKED_TEXTS = {
    "en": {"text": "masked: it may have named a person, and its term is over", "hint": ""},
    "fr": {"text": "masqué : il pouvait nommer une personne, et son terme est échu", "hint": ""},
}


def fiscal_ids(session: Session, ids: Collection[str], since: datetime) -> set[str]:
    """Which of these transmissions are of the fiscal archive and younger than its term.

    They carry a document of account, or the CONTRL, the APERAK or the MDN that answers one, or they repeat one.
    """
    rows = session.execute(
        select(Transmission.id, Transmission.answers_id, Transmission.repeats_id).where(
            Transmission.id.in_(ids), Transmission.created_at >= since
        )
    ).all()
    young = {row.id for row in rows}
    related = {other for row in rows for other in (row.answers_id, row.repeats_id) if other}
    carriers = _carriers(session, young | related)
    answers = _answering(session, young)
    return {row.id for row in rows if {row.id, row.answers_id, row.repeats_id} & carriers or row.id in answers}


def _carriers(session: Session, ids: Collection[str]) -> set[str]:
    """Those that carry a document of account: as it was read, or as their headers were listed."""
    read = (
        select(Interchange.transmission_id)
        .join(Message, Message.interchange_id == Interchange.id)
        .where(Interchange.transmission_id.in_(ids), Message.type.in_(FISCAL_TYPES))
    )
    listed = or_(*(Transmission.document_types.contains(kind) for kind in FISCAL_TYPES))
    said = select(Transmission.id).where(Transmission.id.in_(ids), listed)
    return {*session.scalars(read), *session.scalars(said)}


def _answering(session: Session, ids: Collection[str]) -> set[str]:
    """Those whose interchanges or messages answer, or repeat, what carries a document of account."""
    own = session.execute(
        select(Interchange.transmission_id, Interchange.answers_id, Interchange.repeats_id, Message.answers_id)
        .outerjoin(Message, Message.interchange_id == Interchange.id)
        .where(Interchange.transmission_id.in_(ids))
    ).all()
    interchanges = {other for row in own for other in (row[1], row[2]) if other}
    messages = {row[3] for row in own if row[3]}
    accounts = select(Message.id, Message.interchange_id).where(
        or_(Message.interchange_id.in_(interchanges), Message.id.in_(messages)), Message.type.in_(FISCAL_TYPES)
    )
    known = {name for row in session.execute(accounts) for name in row}
    return {row[0] for row in own if {row[1], row[2], row[3]} & known}


def _payloads_of(session: Session, ids: Collection[str]) -> set[str]:
    named: set[str] = set()
    for column, owner in _REFERENCES:
        named |= {each for each in session.scalars(select(column).where(owner.in_(ids))) if each}
    return named


def _needed(session: Session, digests: Collection[str]) -> set[str]:
    """Which of these payloads a transmission still needs that was not purged."""
    needed: set[str] = set()
    for column, owner in _REFERENCES:
        statement = select(column).where(column.in_(digests))
        if owner is not Transmission.id:
            statement = statement.join(Transmission, Transmission.id == owner)
        needed |= {each for each in session.scalars(statement.where(Transmission.payloads_purged_at.is_(None))) if each}
    return needed


_REFERENCES = (
    (Transmission.raw_sha256, Transmission.id),
    (Transmission.payload_sha256, Transmission.id),
    (Interchange.payload_sha256, Interchange.transmission_id),
    (Seal.body_sha256, Seal.transmission_id),
)
"""Where a payload is named, and by which transmission."""


def _remove_left_files(gateway: Gateway) -> None:
    """What a purge that died between its commit and its files has left."""
    for sha256 in _purged_files(gateway):
        gateway.payloads.remove(sha256)


def _purged_files(gateway: Gateway) -> Iterator[str]:
    after = ""
    large = select(Payload.sha256).where(Payload.purged_at.is_not(None), Payload.size > SMALL_BYTES_MAX)
    while True:
        with gateway.database.read() as view:
            page = large.where(Payload.sha256 > after).order_by(Payload.sha256).limit(BATCH)
            found = list(view.session.scalars(page))
        if not found:
            return
        yield from found
        after = found[-1]
