"""Paging errors, told as the API tells all errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from edi_gateway.gateway.overview import BadCursor
from edi_gateway.web.api import texts
from edi_gateway.web.api.errors import fault, invalid


@contextmanager
def bad_cursor() -> Iterator[None]:
    """Turns a cursor that no page gave into an answer."""
    try:
        yield
    except BadCursor:
        raise invalid([fault("cursor", "bad_cursor", texts.BAD_CURSOR)]) from None
