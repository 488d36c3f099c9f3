"""The tables of states. `advance` is the only way to change one; what is not in a table is a bug.

A table maps (state, event) to the next state. The states are enums beside their rows in `store/` (the database checks
them); the events are enums here, because they are what a service does.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from edi_gateway.store.database import UnitOfWork
from edi_gateway.store.transmissions import TransmissionState

State = TypeVar("State", bound=StrEnum)
Event = TypeVar("Event", bound=StrEnum)


class IllegalTransition(Exception):
    """An event that its state does not allow: the item is left as it is."""

    def __init__(self, state: StrEnum, event: StrEnum) -> None:
        super().__init__(f"{type(state).__name__} {state.value!r} does not allow {event.value!r}")
        self.state = state
        self.event = event


def advance(table: Mapping[tuple[State, Event], State], state: State, event: Event) -> State:
    """The state after `event`; raise `IllegalTransition` if the table has no such row."""
    try:
        return table[state, event]
    except KeyError:
        raise IllegalTransition(state, event) from None


class Stateful(Protocol):
    """A row with a state: it has a name in the event log (`<table>:<id>`)."""

    __tablename__: str
    state: Any

    @property
    def subject(self) -> str: ...


def change(
    uow: UnitOfWork,
    row: Stateful,
    table: Mapping[tuple[State, Event], State],
    event: Event,
    *,
    reason: str,
    now: datetime,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Move `row` along `table` and leave the event `<table>.state` in the log."""
    before: State = row.state
    row.state = advance(table, before, event)
    uow.record_event(f"{row.__tablename__}.state", row.subject, before, row.state, reason, details or {}, now)


class InboundEvent(StrEnum):
    """What happens to a transmission that came in."""

    UNPACK = "unpack"  # its documents were judged and kept (T2)
    PARK = "park"  # it cannot be unpacked: an operator has to look
    REPLAY = "replay"  # an operator asks for it again


class OutboundEvent(StrEnum):
    """What happens to a transmission that goes out."""

    TAKE = "take"  # an attempt begins (T4a)
    RETRY = "retry"  # the attempt failed or its outcome is unknown: again later
    LOSE = "lose"  # the process that sent it is gone: its lease is over
    AWAIT = "await"  # delivered, the MDN comes later
    DELIVER = "deliver"  # delivered, and nothing more is expected
    ACKNOWLEDGE = "acknowledge"  # a positive MDN
    REFUSE = "refuse"  # a negative MDN
    OVERDUE = "overdue"  # the asynchronous MDN did not come: again
    PARK = "park"  # attempts or time are used up, or a retry makes no sense
    RESEND = "resend"  # an operator, or a partner's duplicate, asks for the same bytes again


_S, _I, _O = TransmissionState, InboundEvent, OutboundEvent

INBOUND: Mapping[tuple[TransmissionState, InboundEvent], TransmissionState] = {
    (_S.RECEIVED, _I.UNPACK): _S.UNPACKED,
    (_S.RECEIVED, _I.PARK): _S.PARKED,
    (_S.PARKED, _I.REPLAY): _S.RECEIVED,
    (_S.UNPACKED, _I.REPLAY): _S.RECEIVED,
}

OUTBOUND: Mapping[tuple[TransmissionState, OutboundEvent], TransmissionState] = {
    (_S.QUEUED, _O.TAKE): _S.SENDING,
    (_S.SENDING, _O.RETRY): _S.QUEUED,
    (_S.SENDING, _O.LOSE): _S.QUEUED,
    (_S.SENDING, _O.AWAIT): _S.AWAITING_MDN,
    (_S.SENDING, _O.DELIVER): _S.SENT,
    (_S.AWAITING_MDN, _O.OVERDUE): _S.QUEUED,
    # An asynchronous MDN may come before our POST is answered, between two attempts, or after we gave up.
    **{
        (state, event): end
        for state in (_S.QUEUED, _S.SENDING, _S.AWAITING_MDN, _S.PARKED)
        for event, end in ((_O.ACKNOWLEDGE, _S.ACKNOWLEDGED), (_O.REFUSE, _S.REFUSED))
    },
    **{(state, _O.PARK): _S.PARKED for state in (_S.QUEUED, _S.SENDING, _S.AWAITING_MDN)},
    (_S.PARKED, _O.RESEND): _S.QUEUED,
    (_S.SENT, _O.RESEND): _S.QUEUED,
}
