"""How the gateway stands right now: what waits and for how long, what is overdue, which certificates end when.

Every number comes from an index of what is not done yet, so that it costs the same however much has been done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.expiry import Watched, watched
from edi_gateway.store.database import Reading
from edi_gateway.store.deadlines import DeadlineRow
from edi_gateway.store.documents import Message, MessageState
from edi_gateway.store.transmissions import Transmission, TransmissionState

STAGES: Mapping[str, TransmissionState] = {
    "unpack": TransmissionState.RECEIVED,
    "dispatch": TransmissionState.QUEUED,
    "sending": TransmissionState.SENDING,
    "mdn": TransmissionState.AWAITING_MDN,
    "parked": TransmissionState.PARKED,
}
"""What a transmission waits for, by its state; what is parked waits for an operator."""

MESSAGES: Mapping[str, MessageState] = {"exception": MessageState.EXCEPTION, "waiting": MessageState.WAITING}


@dataclass(frozen=True, slots=True)
class Queue:
    """How many wait at one place, and since when the oldest one does."""

    count: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class VitalSigns:
    """What was seen at `at`."""

    at: datetime
    queues: Mapping[str, Queue]
    messages: Mapping[str, int]
    overdue: int
    certificates: Sequence[Watched]


def vital_signs(gateway: Gateway) -> VitalSigns:
    """Look at the tables once."""
    now = gateway.now()
    with gateway.database.read() as view:
        return VitalSigns(
            at=now,
            queues={stage: waiting_at(view, state) for stage, state in STAGES.items()},
            messages={name: _messages(view, state) for name, state in MESSAGES.items()},
            overdue=_overdue(view, now),
            certificates=tuple(watched(gateway)),
        )


def waiting_at(view: Reading, state: TransmissionState) -> Queue:
    """The transmissions in a state."""
    where = Transmission.state == state
    count = view.session.scalar(select(func.count()).select_from(Transmission).where(where)) or 0
    oldest = select(Transmission.created_at).where(where).order_by(Transmission.created_at).limit(1)
    return Queue(count, view.session.scalar(oldest) if count else None)


def _messages(view: Reading, state: MessageState) -> int:
    return view.session.scalar(select(func.count()).select_from(Message).where(Message.state == state)) or 0


def _overdue(view: Reading, now: datetime) -> int:
    late = select(func.count()).select_from(DeadlineRow)
    return view.session.scalar(late.where(DeadlineRow.closed_at.is_(None), DeadlineRow.due_at < now)) or 0
