"""The work that is run in the background: name -> what to do with a key. A wake-up names a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.certificate_exchange import alert_overdue
from edi_gateway.gateway.dispatch import dispatch
from edi_gateway.gateway.expiry import alert_expiring
from edi_gateway.gateway.sweep import sweep
from edi_gateway.gateway.unpack import unpack
from edi_gateway.gateway.webhooks import deliver

TASKS: Mapping[str, Callable[[Gateway, str], object]] = {
    "unpack": unpack,  # key: the id of a received transmission
    "dispatch": dispatch,  # key: the name of a partnership
    "webhooks": deliver,  # key: the id of an endpoint; "" for a look at all of them
    "sweep": lambda gateway, key: sweep(gateway),  # at an interval, without key
    "expiry": lambda gateway, key: (alert_expiring(gateway), alert_overdue(gateway)),  # likewise
}
