"""The work that is run in the background: name -> what to do with a key. A wake-up names a row.

What recurs is rung for by every process that works; a turn is taken by the first of them, by the beginning of the turn
in the database, so that several clocks ring for one sweep.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from edi_gateway.config import Config
from edi_gateway.gateway import alerts
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.certificate_exchange import alert_overdue
from edi_gateway.gateway.dispatch import dispatch
from edi_gateway.gateway.expiry import alert_expiring
from edi_gateway.gateway.retention import purge
from edi_gateway.gateway.sweep import sweep
from edi_gateway.gateway.unpack import unpack
from edi_gateway.gateway.webhooks import deliver
from edi_gateway.store.documents import Counter, count_up_to

Task = Callable[[Gateway, str], object]
EXPIRY_INTERVAL = timedelta(hours=1)  # how often certificates are looked at; the alerts are in days
RETENTION_INTERVAL = timedelta(days=1)
_FIRST_TURN = datetime(2026, 1, 1, tzinfo=UTC)

RECURRING: Mapping[str, Callable[[Config], timedelta]] = {
    "sweep": lambda config: timedelta(seconds=config.work.sweep_seconds),
    "expiry": lambda config: EXPIRY_INTERVAL,
    "alerts": lambda config: alerts.INTERVAL,
    "retention": lambda config: RETENTION_INTERVAL,
}
"""How often. The key is "" at every turn, and another one where a process begins: that run is its own."""


def _in_turn(name: str, task: Callable[[Gateway], object]) -> Task:
    def run(gateway: Gateway, key: str) -> None:
        if key or _take_turn(gateway, name):
            task(gateway)

    return run


def _take_turn(gateway: Gateway, name: str) -> bool:
    """Whether nobody else has this turn. It is known by its beginning, so that another interval takes no turn away."""
    interval = RECURRING[name](gateway.config)
    begins = (gateway.now() - _FIRST_TURN) // interval * interval
    with gateway.database.write() as uow:
        is_first = count_up_to(uow.session, _counter(name), int(begins.total_seconds()))
        uow.commit()
    return is_first


def last_turn(session: Session, name: str) -> datetime | None:
    """When the last turn of what recurs began, whoever took it; None before the first."""
    counter = session.get(Counter, _counter(name))
    return _FIRST_TURN + timedelta(seconds=counter.value) if counter else None


def _counter(name: str) -> str:
    return f"turn:{name}"


def _tell(gateway: Gateway, key: str) -> None:
    """Only in turn, also where a process begins: two who tell at the same time would tell twice."""
    if _take_turn(gateway, "alerts"):
        alerts.tell(gateway)


TASKS: Mapping[str, Task] = {
    "unpack": unpack,  # key: the id of a received transmission
    "dispatch": dispatch,  # key: the name of a partnership, or name/number
    "webhooks": deliver,  # key: the id of an endpoint; "" for a look at all of them
    "sweep": _in_turn("sweep", sweep),
    "retention": _in_turn("retention", purge),
    "expiry": _in_turn("expiry", lambda gateway: (alert_expiring(gateway), alert_overdue(gateway))),
    "alerts": _tell,
}

URGENCY: Mapping[str, int] = {"sweep": 40, "dispatch": 30, "unpack": 20, "webhooks": 10, "expiry": 0, "retention": 0}
"""What goes first where workers are short: sending, which begins with acknowledgements, before taking in more."""
