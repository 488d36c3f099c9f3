"""Named points at which the process can be made to die, or the disk to fail, so that a test can show what is left.

    FAILPOINTS=receive.accept:committed            SIGKILL when it is reached for the first time
    FAILPOINTS=dispatch.take:begun#3               … for the third time
    FAILPOINTS=payload:written=disk-full           an OSError there, each time
    FAILPOINTS=unpack.take:committing=wait-2.5     two and a half seconds of pause, each time

Several are separated by commas. Every transaction of the path has four points, in this order:

    STEP:begun         it holds the write lock and has done nothing
    STEP:committing    everything is written, nothing is kept
    STEP:committed     everything is kept, nobody was woken or answered
    STEP:woken         the wake-ups are out

Nothing is armed in production: then a point costs one comparison.
"""

from __future__ import annotations

import errno
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

ENVIRONMENT = "FAILPOINTS"
WAIT_SECONDS_MAX = 60.0

EDGES = ("begun", "committing", "committed", "woken")

STEPS: Mapping[str, str] = {
    "receive.accept": "a POST is taken: transmission, payloads, receipt (T1)",
    "receive.repeat": "a POST that came before is answered again",
    "receive.refuse": "a POST is refused, and kept with the reason (T1)",
    "receive.settle": "a posted MDN acts on what we sent (T1)",
    "unpack.take": "messages become records and acknowledgements (T2)",
    "unpack.park": "what is not EDIFACT is put aside (T2)",
    "compose.order": "an order is written and queued (T3)",
    "compose.cycle": "the documents of a cash-out cycle are written and queued (T3)",
    "dispatch.take": "a transmission becomes `sending`, under a lease (T4a)",
    "dispatch.seal": "it is signed and encrypted, once",
    "dispatch.conclude": "what came of the attempt; an MDN in the answer settles it (T4b)",
    "sweep.put-back": "what a dead process left is queued again, or parked",
    "sweep.overdue": "a CONTRL that did not come is named",
    "retention.purge": "what is past its term is removed, or masked",
}
PLACES: Mapping[str, str] = {
    "payload:written": "a payload stands in a file without its name, not yet forced to the disk",
    "payload:synced": "it is forced to the disk, still without its name",
    "payload:renamed": "it has its name, which is not yet forced to the disk",
    "send:connected": "the partner's server has taken the connection",
    "send:answered": "the partner's answer is read, and nothing of it is kept",
    "answer:ready": "the answer to a POST is made and not yet on the wire",
}
NAMES: tuple[str, ...] = (*(f"{step}:{edge}" for step in STEPS for edge in EDGES), *PLACES)
"""Every point there is."""


class FailpointUnknown(ValueError):
    """What stands in the environment cannot be armed."""


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(WAIT_SECONDS_MAX)  # another thread may hold the processor when the signal is sent


def _fail(number: int) -> Callable[[], None]:
    def fail() -> None:
        raise OSError(number, os.strerror(number))

    return fail


_ACTIONS: Mapping[str, Callable[[], None]] = {
    "kill": _kill,
    "disk-full": _fail(errno.ENOSPC),
    "read-only": _fail(errno.EROFS),
    "io-error": _fail(errno.EIO),
}


@dataclass
class _Armed:
    """One point with what happens there, from the nth time on."""

    act: Callable[[], None]
    nth: int
    reached: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reach(self) -> None:
        with self.lock:
            self.reached += 1
            is_due = self.reached >= self.nth
        if is_due:
            self.act()


def reach(name: str) -> None:
    """Say that the point `name` is reached. Raises what is armed there, if anything."""
    if _armed and (point := _armed.get(name)) is not None:
        point.reach()


def arm(text: str) -> tuple[str, ...]:
    """Arm the points that `text` names, and no others; give their names. Raises FailpointUnknown."""
    points = dict(_one(item.strip()) for item in text.split(",") if item.strip())
    _armed.clear()
    _armed.update(points)
    return tuple(points)


def _one(item: str) -> tuple[str, _Armed]:
    place, _, action = item.partition("=")
    name, _, nth = place.partition("#")
    if name not in NAMES:
        raise FailpointUnknown(f"{ENVIRONMENT}: there is no point {name!r}; there are: {', '.join(NAMES)}")
    if nth and not (nth.isascii() and nth.isdecimal() and int(nth) > 0):
        raise FailpointUnknown(f"{ENVIRONMENT}: {item!r}: after # stands how often it is reached, from 1")
    return name, _Armed(_action(item, action or "kill"), int(nth or 1))


def _action(item: str, action: str) -> Callable[[], None]:
    if action in _ACTIONS:
        return _ACTIONS[action]
    seconds = action.removeprefix("wait-")
    if action.startswith("wait-") and seconds.replace(".", "", 1).isdecimal() and float(seconds) <= WAIT_SECONDS_MAX:
        return lambda: time.sleep(float(seconds))
    known = ", ".join([*_ACTIONS, "wait-SECONDS"])
    raise FailpointUnknown(f"{ENVIRONMENT}: {item!r}: what happens there is one of {known}")


_armed: dict[str, _Armed] = {}
