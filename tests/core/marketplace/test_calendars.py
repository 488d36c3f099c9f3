"""When a deadline ends that counts in working time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edi_gateway.marketplace.calendars import BusinessCalendar, calendar_of, due, is_known, public_holidays
from edi_gateway.partnership import Deadlines, DeadlineTerms
from tests.gateway.documents.desk import a_partnership

PARIS = ZoneInfo("Europe/Paris")
FRENCH = BusinessCalendar("Europe/Paris", frozenset(range(5)), "00:00", "24:00", "FR")
OFFICE = replace(FRENCH, opens="08:30", closes="18:00")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def paris(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


@pytest.mark.parametrize(
    ("calendar", "since", "within", "end"),
    [
        (FRENCH, "2026-11-24 10:00", DAY, "2026-11-25 10:00"),  # Tuesday to Wednesday
        (FRENCH, "2026-11-20 16:00", DAY, "2026-11-23 16:00"),  # Friday to Monday
        (FRENCH, "2026-11-21 12:00", DAY, "2026-11-24 00:00"),  # Saturday: from Monday 0:00
        (FRENCH, "2026-12-24 16:00", DAY, "2026-12-28 16:00"),  # over Christmas and a weekend
        (FRENCH, "2026-05-13 09:00", DAY, "2026-05-15 09:00"),  # over Ascension Day
        (FRENCH, "2026-11-20 16:00", 5 * DAY, "2026-11-27 16:00"),
        (FRENCH, "2026-11-20 23:00", 2 * HOUR, "2026-11-23 01:00"),
        (FRENCH, "2026-11-20 22:00", 2 * HOUR, "2026-11-21 00:00"),
        (OFFICE, "2026-11-20 17:00", 2 * HOUR, "2026-11-23 09:30"),
        (OFFICE, "2026-11-24 17:00", DAY, "2026-11-25 17:00"),  # a day is a working day, whatever its hours
        (OFFICE, "2026-11-24 20:00", DAY, "2026-11-26 08:30"),
        (OFFICE, "2026-11-24 06:00", HOUR, "2026-11-24 09:30"),
        (OFFICE, "2026-11-24 08:30", timedelta(hours=9, minutes=30), "2026-11-24 18:00"),
        (OFFICE, "2026-11-24 17:30", DAY + HOUR, "2026-11-26 09:00"),
    ],
)
def test_working_time(calendar: BusinessCalendar, since: str, within: timedelta, end: str) -> None:
    assert calendar.after(paris(since), within) == paris(end)


def test_summer_time_begins_and_ends_on_the_wall_clock() -> None:
    """Friday 16:00 to Monday 16:00, though the Sunday between has 23 hours, or 25."""
    assert FRENCH.after(paris("2026-03-27 16:00"), DAY) == paris("2026-03-30 16:00")
    assert FRENCH.after(paris("2026-10-23 16:00"), DAY) == paris("2026-10-26 16:00")
    sundays = replace(FRENCH, weekdays=frozenset(range(7)))
    assert sundays.after(paris("2026-03-29 01:00"), 2 * HOUR) == paris("2026-03-29 04:00")
    assert sundays.after(paris("2026-03-28 02:30"), DAY).astimezone(PARIS).date() == date(2026, 3, 29)


def test_the_holidays_of_another_country() -> None:
    german = replace(FRENCH, country="DE", timezone="Europe/Berlin")
    assert german.works_on(date(2026, 7, 14))
    assert not FRENCH.works_on(date(2026, 7, 14))
    assert not replace(FRENCH, subdivision="57").works_on(date(2026, 12, 26) - DAY)
    assert date(2026, 4, 3) in public_holidays("FR", "57", 2026)  # Good Friday in Moselle
    assert date(2026, 4, 3) not in public_holidays("FR", "", 2026)
    assert public_holidays("ZZ", "", 2026) == frozenset()
    assert is_known("FR")
    assert not is_known("FR", "nowhere")
    assert not is_known("ZZ")


def test_a_date_is_over_when_its_day_is() -> None:
    assert FRENCH.end_of(date(2026, 11, 27)) == paris("2026-11-28 00:00")
    moment = datetime(2026, 11, 27, 6, tzinfo=UTC)
    assert FRENCH.end_of(moment) == moment


def test_what_is_not_agreed_is_the_partners() -> None:
    partnership = a_partnership()
    assert calendar_of(partnership) == FRENCH
    agreed = replace(partnership, deadlines=Deadlines(country="DE", timezone="Europe/Berlin", working_days=("sat",)))
    assert calendar_of(agreed).country == "DE"
    assert calendar_of(agreed).after(paris("2026-11-20 16:00"), DAY) == paris("2026-11-28 00:00")


def test_clock_time_knows_no_weekend() -> None:
    friday = paris("2026-11-20 23:50")
    assert due(FRENCH, DeadlineTerms(within=timedelta(minutes=30)), friday) == paris("2026-11-21 00:20")
    assert due(FRENCH, DeadlineTerms(within=HOUR, working=True), friday) == paris("2026-11-23 00:50")


moments = st.integers(0, 3 * 365 * 24 * 60).map(lambda minute: datetime(2025, 1, 1, tzinfo=UTC) + minute * MINUTE)
spans = st.integers(1, 30 * 24 * 60).map(lambda minutes: minutes * MINUTE)


@given(moment=moments, within=spans, more=spans, calendar=st.sampled_from([FRENCH, OFFICE]))
@settings(max_examples=150, deadline=None)
def test_later_and_longer_end_later(
    moment: datetime, within: timedelta, more: timedelta, calendar: BusinessCalendar
) -> None:
    """It never ends before it began nor in the night, and who begins later ends no earlier."""
    end = calendar.after(moment, within)
    assert end > moment
    assert calendar.after(moment + more, within) >= end
    days = {(end - at).astimezone(PARIS).date() for at in (timedelta(), timedelta(microseconds=1))}
    assert any(calendar.works_on(day) for day in days)
