"""Gateways as processes that can be killed and started again within a fraction of a second.

A fork server has everything imported already, so a start costs a fork; what runs in the child is the command line of
`edi-gateway`, with the folder, the variables and the log of the side that it is.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from datetime import timedelta
from multiprocessing.context import ForkServerProcess

import urllib3

from edi_gateway import failpoints
from edi_gateway.simulator.sides import Side

START_SECONDS_MAX = 30.0
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.crash.child"])


class StillRunning(AssertionError):
    """The process did not die where it ought to."""


class Running:
    """One side's process, and how far its clock is ahead of the real one."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.ahead = timedelta()
        self._process: ForkServerProcess | None = None
        self.kills = 0

    def start(self, failpoint: str = "", ahead: timedelta = timedelta()) -> None:
        """Start it with `failpoint` armed and its clock put on by `ahead`; wait until it answers or has died."""
        from tests.crash import child

        self.ahead += ahead
        variables = {**self.side.environment(), failpoints.ENVIRONMENT: failpoint}
        arguments = (self.side.arguments, variables, str(self.side.log), self.ahead.total_seconds())
        self._process = _FORKS.Process(target=child.run, args=arguments, daemon=True)
        self._process.start()
        self._await_ready()

    def _await_ready(self) -> None:
        ends = time.monotonic() + START_SECONDS_MAX
        while self.alive and time.monotonic() < ends:
            try:
                if urllib3.request("GET", f"{self.side.url}/healthz", retries=False, timeout=1).status == 200:
                    return
            except urllib3.exceptions.HTTPError:
                time.sleep(0.01)
        assert not self.alive, f"{self.side.company.folder} does not answer: {self.side.tail()}"

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.is_alive()

    def await_death(self, seconds: float) -> None:
        """Until it has died by SIGKILL."""
        assert self._process is not None
        self._process.join(seconds)
        if self._process.exitcode is None:
            raise StillRunning(f"{self.side.company.folder} did not reach the point in {seconds} s: {self.side.tail()}")
        assert self._process.exitcode == -signal.SIGKILL, (self._process.exitcode, self.side.tail())
        self.kills += 1

    def kill(self) -> None:
        """SIGKILL, now."""
        if self._process is not None and self._process.pid is not None and self.alive:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.join()
            self.kills += 1

    def stop(self) -> None:
        """SIGTERM, and SIGKILL for one that does not end."""
        if self._process is None or not self.alive:
            return
        self._process.terminate()
        self._process.join(15)
        if self.alive:
            self._process.kill()
            self._process.join()
