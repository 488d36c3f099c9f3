"""Dates and datetimes of documents, made comparable: a record may hold either (DTM 102, 203, 204)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from edi_gateway.marketplace.parties import Moment


def instant(moment: Moment) -> datetime:
    """The moment as an aware UTC datetime; a date is its first instant."""
    if isinstance(moment, datetime):
        return moment.astimezone(UTC)
    return datetime.combine(moment, time.min, UTC)


def latest(moment: Moment, at_most: datetime) -> datetime:
    """The last instant that the moment may mean, `at_most` being the time when it was told; a date is a whole day."""
    if isinstance(moment, datetime):
        return moment.astimezone(UTC)
    return min(datetime.combine(moment, time.max, UTC), max(instant(moment), at_most))


def day(moment: Moment) -> date:
    """The moment's date, in UTC."""
    return moment.astimezone(UTC).date() if isinstance(moment, datetime) else moment
