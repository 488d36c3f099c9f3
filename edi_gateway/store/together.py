"""Threads that want the same thing at the same time: one of them does it for all.

A commit waits for the disk, and SQLite has one writer. Threads that come while a group is being written form the next
group; the first of them writes it, and the others wait for that. Nobody waits for company: a thread that finds nobody
at work begins at once, alone.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Entry = TypeVar("Entry")


def _held() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass(eq=False, slots=True)
class _Place(Generic[Entry]):
    """A thread's place in the queue. `turn` is released when its entry is done, or when it has to lead."""

    entry: Entry
    turn: threading.Lock = field(default_factory=_held)
    is_done: bool = False


class Together(Generic[Entry]):
    """`lead` is called with one group at a time, at most `entries_max` entries in the order in which they came."""

    def __init__(self, lead: Callable[[list[Entry]], None], entries_max: int) -> None:
        self._lead = lead
        self._entries_max = entries_max
        self._mutex = threading.Lock()
        self._waiting: deque[_Place[Entry]] = deque()
        self._is_led = False

    def join(self, entry: Entry) -> None:
        """Return when a group with `entry` was led, by this thread or by another one.

        `lead` notes in the entries what came of them. What it raises is raised in the thread that led, and to the
        others their entries look as `lead` left them.
        """
        place = _Place(entry)
        with self._mutex:
            self._waiting.append(place)
            must_wait, self._is_led = self._is_led, True
        if must_wait:
            place.turn.acquire()
        if not place.is_done:
            self._lead_next()

    def _lead_next(self) -> None:
        with self._mutex:
            group = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._entries_max))]
        try:
            self._lead([place.entry for place in group])
        finally:
            self._hand_on(group)

    def _hand_on(self, group: list[_Place[Entry]]) -> None:
        """The first who came meanwhile leads the next group; who was in this one goes on."""
        with self._mutex:
            following = self._waiting[0] if self._waiting else None
            self._is_led = following is not None
        if following is not None:
            following.turn.release()
        for place in group:
            place.is_done = True
            place.turn.release()
