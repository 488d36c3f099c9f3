"""Paging errors, told as the API tells all errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from edi_gateway.gateway.overview import BadCursor
from edi_gateway.web.api.errors import ErrorEntry, invalid


@contextmanager
def bad_cursor() -> Iterator[None]:
    """Turns a cursor that no page gave into an answer."""
    try:
        yield
    except BadCursor:
        entry = ErrorEntry(path="cursor", code="bad_cursor", message="not a cursor that a page gave as `next`")
        raise invalid([entry]) from None
