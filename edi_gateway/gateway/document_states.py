"""The table of states of messages and interchanges; `gateway.states.change` is the way to move along it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from edi_gateway.store.documents import InterchangeState, MessageState


class MessageEvent(StrEnum):
    """What happens to a message."""

    APPLY = "apply"  # in: its record took effect
    EXCEPT = "except"  # in: it cannot take effect, an operator has to look
    WAIT = "wait"  # in: another document has to come first
    REPEAT = "repeat"  # in: the same document as an earlier one
    REJECT = "reject"  # in: by our CONTRL; out: by theirs
    REPLAY = "replay"  # in: an operator asks for it again
    ACKNOWLEDGE = "acknowledge"  # out: their CONTRL accepts it
    REFUSE = "refuse"  # out: their APERAK refuses it, whatever CONTRL said of its syntax


class InterchangeEvent(StrEnum):
    """What happens to an interchange of ours."""

    ACKNOWLEDGE = "acknowledge"
    REJECT = "reject"


_M, _E = MessageState, MessageEvent

_JUDGED = {
    _E.APPLY: _M.APPLIED,
    _E.EXCEPT: _M.EXCEPTION,
    _E.WAIT: _M.WAITING,
    _E.REPEAT: _M.REPEATED,
}

MESSAGES: Mapping[tuple[MessageState, MessageEvent], MessageState] = {
    **{(_M.READ, event): state for event, state in _JUDGED.items()},
    (_M.READ, _E.REJECT): _M.REJECTED,
    (_M.WAITING, _E.REPLAY): _M.READ,
    (_M.EXCEPTION, _E.REPLAY): _M.READ,
    (_M.SENT, _E.ACKNOWLEDGE): _M.ACKNOWLEDGED,
    (_M.SENT, _E.REJECT): _M.REJECTED,
    (_M.SENT, _E.REFUSE): _M.REJECTED,
    (_M.ACKNOWLEDGED, _E.REFUSE): _M.REJECTED,
}

INTERCHANGES: Mapping[tuple[InterchangeState, InterchangeEvent], InterchangeState] = {
    (InterchangeState.SENT, InterchangeEvent.ACKNOWLEDGE): InterchangeState.ACKNOWLEDGED,
    (InterchangeState.SENT, InterchangeEvent.REJECT): InterchangeState.REJECTED,
}
