"""The tables of states. `advance` is the only way to change one; what is not in a table is a bug.

A table maps (state, event) to the next state. The states are enums beside their rows in `store/` (the database checks
them); the events are enums here, because they are what a service does.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

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
