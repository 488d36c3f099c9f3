"""Who runs the work. The tables are the truth; a wake-up only says that there is something to do.

A lost wake-up costs a delay (the sweep finds the rest), a doubled one costs nothing (every step begins by taking its
item in a transaction). So a runner need not be reliable, and the port is one method.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Waker(Protocol):
    """The port: `task` names a row of the composition root's table of tasks, `key` what it works on."""

    def wake(self, task: str, key: str, at: datetime | None = None) -> None:
        """Run `task` for `key` soon, or at `at`. Returns at once; may be called from any thread."""
        ...
