"""How often somebody may be wrong about a password: guessing is slowed down, and costs no memory to speak of.

Failures are counted by address and partnership, so that who guesses from elsewhere does not lock the partner out. An
IPv6 address counts with its /64, which one customer has as a whole. Behind a reverse proxy all come from its address,
and the partnership alone tells them apart.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

FAILURES_MAX = 10  # at once; after that one in FAILURE_SECONDS
FAILURE_SECONDS = 6.0
CALLERS_MAX = 10_000  # remembered; the one who failed longest ago is forgotten first


class FailedLogins:
    """A leaking bucket for each caller. Safe to share between threads."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._full_until: OrderedDict[tuple[str, str], float] = OrderedDict()  # when all failures are forgotten

    def wait_seconds(self, address: str, partnership: str) -> float:
        """How long this caller has to wait before the next try; 0: not at all."""
        with self._lock:
            forgotten_at = self._full_until.get((_network(address), partnership), 0.0)
        return max(0.0, forgotten_at - self._monotonic() - (FAILURES_MAX - 1) * FAILURE_SECONDS)

    def note(self, address: str, partnership: str) -> None:
        """One more failure."""
        key, now = (_network(address), partnership), self._monotonic()
        with self._lock:
            self._full_until[key] = max(now, self._full_until.pop(key, now)) + FAILURE_SECONDS
            while len(self._full_until) > CALLERS_MAX:
                self._full_until.popitem(last=False)


def _network(address: str) -> str:
    """The address, or the /64 that an IPv6 address is in."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped) if parsed.ipv4_mapped else parsed.exploded[:19]
