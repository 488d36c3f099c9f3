"""Looking at the tables for what no wake-up will come for: after a crash, a lost wake-up, a partner's silence.

Each item is a transaction of its own, so one that fails does not hold up the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, select

from edi_gateway.gateway import overdue
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.dispatch import Turn
from edi_gateway.gateway.states import OutboundEvent
from edi_gateway.gateway.webhooks import TASK, ready_endpoints
from edi_gateway.store.documents import Interchange, InterchangeState, unacknowledged
from edi_gateway.store.transmissions import Transmission, TransmissionState, locked, waiting

ITEMS_MAX = 500  # of each kind in one sweep; the next one takes the rest


def sweep(gateway: Gateway) -> None:
    """Put back what was lost, ask again for overdue MDNs, park what is too late, name late CONTRLs, wake what waits."""
    now = gateway.now()
    _each(gateway, waiting(TransmissionState.SENDING).where(Transmission.lease_until < now), _lost)
    _each(gateway, waiting(TransmissionState.AWAITING_MDN).where(Transmission.due_at < now), _overdue)
    _each(gateway, waiting(TransmissionState.QUEUED).where(Transmission.deadline_at < now), _too_late)
    _acknowledgements(gateway, now)
    overdue.look(gateway)
    for task, key in _ready(gateway, now):
        gateway.database.wake(task, key, None)


def _lost(turn: Turn) -> None:
    if turn.row.state is TransmissionState.SENDING and _before(turn.row.lease_until, turn.now):
        turn.again(OutboundEvent.LOSE, "the process that was sending it is gone; whether it arrived is unknown")


def _overdue(turn: Turn) -> None:
    if turn.row.state is TransmissionState.AWAITING_MDN and _before(turn.row.due_at, turn.now):
        reason = "the asynchronous MDN did not come in time; the same bytes ask for it again"
        turn.uow.record_event("alert.mdn-overdue", turn.row.subject, None, None, reason, {}, turn.now)
        turn.again(OutboundEvent.OVERDUE, reason)


def _too_late(turn: Turn) -> None:
    if turn.row.state is TransmissionState.QUEUED and _before(turn.row.deadline_at, turn.now):
        turn.park(f"not delivered before its deadline; {turn.row.reason or 'it was never sent'}")


def _acknowledgements(gateway: Gateway, now: datetime) -> None:
    """What was delivered, asks for a CONTRL and has none after the time agreed: an alert, once."""
    by_wait: dict[timedelta, list[str]] = {}
    for partnership in gateway.partnerships.all():
        by_wait.setdefault(partnership.edifact.contrl_wait, []).append(partnership.name)
    for wait, names in by_wait.items():
        with gateway.database.read() as view:
            found = [row.id for row in view.session.scalars(unacknowledged(names, now - wait).limit(ITEMS_MAX))]
        for interchange_id in found:
            _unacknowledged(gateway, interchange_id, wait)


def _unacknowledged(gateway: Gateway, interchange_id: str, wait: timedelta) -> None:
    with gateway.database.write("sweep.overdue") as uow:
        row = uow.session.get_one(Interchange, interchange_id, with_for_update=True)
        if row.state is not InterchangeState.SENT or row.overdue_at is not None:
            return  # it came meanwhile
        row.overdue_at = gateway.now()
        reason = f"no CONTRL for interchange {row.control_reference} {_minutes(wait)} after it was delivered"
        details = {"control_reference": row.control_reference, "partnership": row.partnership}
        uow.record_event("alert.acknowledgement-overdue", row.subject, None, None, reason, details, row.overdue_at)
        uow.commit()


def _minutes(wait: timedelta) -> str:
    return f"{wait.total_seconds() / 60:g} min"


def _before(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment < now


def _each(gateway: Gateway, statement: Select[Transmission], step: Callable[[Turn], None]) -> None:
    with gateway.database.read() as view:
        found = [row.id for row in view.session.scalars(statement.limit(ITEMS_MAX))]
    for row_id in found:
        with gateway.database.write("sweep.put-back") as uow:
            row = locked(uow.session, row_id)
            if row is not None:
                partnership = gateway.partnerships.by_name(row.partnership or "")
                step(Turn(uow, row, partnership, gateway.now(), gateway.jitter()))
                uow.commit()


def _ready(gateway: Gateway, now: datetime) -> Sequence[tuple[str, str]]:
    """The wake-ups for what could be done now."""
    queued = (
        select(Transmission.partnership)
        .where(Transmission.state == TransmissionState.QUEUED, Transmission.due_at <= now)
        .distinct()
    )
    received = (
        select(Transmission.id)
        .where(Transmission.state == TransmissionState.RECEIVED)
        .order_by(Transmission.created_at)
        .limit(ITEMS_MAX)
    )
    with gateway.database.read() as view:
        return [
            *(("dispatch", name) for name in view.session.scalars(queued) if name),
            *(("unpack", row_id) for row_id in view.session.scalars(received)),
            *((TASK, endpoint_id) for endpoint_id in ready_endpoints(view.session, now)),
        ]
