"""The tables of states: every state with every event gives a state of its direction or a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from itertools import product

import pytest

from edi_gateway.gateway.states import INBOUND, OUTBOUND, IllegalTransition, InboundEvent, OutboundEvent, advance
from edi_gateway.store.transmissions import INBOUND_STATES, OUTBOUND_STATES, TransmissionState

Table = Mapping[tuple[TransmissionState, StrEnum], TransmissionState]
TABLES = [
    pytest.param(INBOUND, InboundEvent, INBOUND_STATES, id="in"),
    pytest.param(OUTBOUND, OutboundEvent, OUTBOUND_STATES, id="out"),
]
# A transmission begins in one of these.
FIRST = {InboundEvent: {"received", "refused", "settled"}, OutboundEvent: {"queued"}}


@pytest.mark.parametrize(("table", "events", "states"), TABLES)
def test_every_state_with_every_event(
    table: Table, events: type[StrEnum], states: tuple[TransmissionState, ...]
) -> None:
    for state, event in product(TransmissionState, events):
        if (state, event) in table:
            assert state in states
            assert advance(table, state, event) in states
        else:
            with pytest.raises(IllegalTransition, match=event.value):
                advance(table, state, event)


@pytest.mark.parametrize(("table", "events", "states"), TABLES)
def test_every_state_can_be_reached(table: Table, events: type[StrEnum], states: tuple[TransmissionState, ...]) -> None:
    reached = {TransmissionState(name) for name in FIRST[events]}  # type: ignore[index]  # by type
    for _ in states:
        reached |= {end for (state, _), end in table.items() if state in reached}
    assert reached == set(states)


@pytest.mark.parametrize(("table", "events", "states"), TABLES)
def test_every_event_leads_somewhere(
    table: Table, events: type[StrEnum], states: tuple[TransmissionState, ...]
) -> None:
    assert {event for _, event in table} == set(events)


def test_a_verdict_of_the_partner_is_final() -> None:
    for state in (TransmissionState.ACKNOWLEDGED, TransmissionState.REFUSED):
        assert not [event for event in OutboundEvent if (state, event) in OUTBOUND]
