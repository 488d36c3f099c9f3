"""Every state of messages and interchanges under every event."""

from __future__ import annotations

from itertools import product

import pytest

from edi_gateway.gateway.document_states import INTERCHANGES, MESSAGES, InterchangeEvent, MessageEvent
from edi_gateway.gateway.states import IllegalTransition, advance
from edi_gateway.store.documents import InterchangeState, MessageState

BORN = {MessageState.READ, MessageState.SENT}


@pytest.mark.parametrize(
    ("table", "states", "events"),
    [(MESSAGES, MessageState, MessageEvent), (INTERCHANGES, InterchangeState, InterchangeEvent)],
)
def test_each_event_leads_to_a_state_or_is_refused(table, states, events):
    for state, event in product(states, events):
        if (state, event) in table:
            assert advance(table, state, event) in states
        else:
            with pytest.raises(IllegalTransition, match=event.value):
                advance(table, state, event)


def test_every_state_of_a_message_can_be_reached():
    reached = set(BORN)
    while more := {after for (before, _), after in MESSAGES.items() if before in reached} - reached:
        reached |= more
    assert reached == set(MessageState)


def test_what_was_applied_or_refused_is_final():
    final = {MessageState.APPLIED, MessageState.REPEATED, MessageState.REJECTED}
    assert not [state for state, _ in MESSAGES if state in final]


def test_what_the_syntax_check_took_the_application_may_still_refuse():
    assert [event for state, event in MESSAGES if state is MessageState.ACKNOWLEDGED] == [MessageEvent.REFUSE]
