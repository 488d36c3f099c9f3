"""Logs: one JSON object a line on stderr, with ids, sizes and digests; never payloads or secrets.

A traceback is written without the values of its variables.
"""

from __future__ import annotations

import logging
import sys

import structlog

from edi_gateway.store.events import Happened

_log = structlog.get_logger("edi_gateway.events")
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure(level: str) -> None:
    """Set up this process's logs: ours, and those of the libraries from `warning` on."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format='{"library": "%(name)s", "event": "%(message)s"}'
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def happened(item: Happened) -> None:
    """A line for each event: what, which one, from where to where; the reason only of an alert."""
    if item.kind.startswith("alert."):
        _log.warning(item.kind, subject=item.subject, reason=item.reason)
    else:
        _log.info(item.kind, subject=item.subject, before=item.from_state, after=item.to_state)
