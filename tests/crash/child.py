"""What runs in a forked process: the command line of one side."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from edi_gateway.cli import main, serve, simulate  # noqa: F401 - imported once, for every fork
from edi_gateway.gateway import app
from edi_gateway.gateway.marketplace_side import HANDLERS  # noqa: F401
from edi_gateway.simulator import vendor  # noqa: F401
from edi_gateway.translators import json_form  # noqa: F401
from edi_gateway.web import api, process  # noqa: F401


def run(arguments: Sequence[str], variables: Mapping[str, str], log: str, ahead_seconds: float) -> None:
    """`edi-gateway ARGUMENTS` in this process, its clock ahead by so many seconds."""
    os.setsid()
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.environ.clear()
    os.environ.update(variables)
    _set_clock(timedelta(seconds=ahead_seconds))
    main.main(args=list(arguments))


def _set_clock(ahead: timedelta) -> None:
    """`open_gateway` takes the clock as an argument; the command line leaves it at its default."""
    defaults = app.open_gateway.__kwdefaults__
    assert defaults is not None
    defaults["now"] = lambda: datetime.now(UTC) + ahead
