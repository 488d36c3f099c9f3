"""Business calendars: when a deadline ends that counts in working time.

A calendar has a time zone, working days, opening hours and the public holidays of a country. Of an agreed time whole
days are working days (24 h from Friday 16:00 end on Monday 16:00, whatever the opening hours), and what is left of a
day counts in opening hours. The hours are those of the clock on the wall: summer time begins and ends on its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from edi_gateway.marketplace.parties import Moment
from edi_gateway.partnership import Deadlines, DeadlineTerms, Partnership

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MIDNIGHT = "24:00"
_DAY = timedelta(days=1)
_YEARS_KEPT = 256


@dataclass(frozen=True, slots=True)
class BusinessCalendar:
    """When a partner works: `weekdays` are 0 (Monday) to 6; `closes` "24:00" is the end of the day."""

    timezone: str
    weekdays: frozenset[int]
    opens: str
    closes: str
    country: str
    subdivision: str = ""

    def works_on(self, day: date) -> bool:
        """Whether it is a working day and no public holiday."""
        return day.weekday() in self.weekdays and day not in public_holidays(self.country, self.subdivision, day.year)

    def after(self, moment: datetime, within: timedelta) -> datetime:
        """The moment (UTC) at which `within` of working time has passed since `moment`, an aware time."""
        days, rest = divmod(within, _DAY)
        at = self._opened(moment)
        if days:
            at = self._days_after(at, days)
        return self._hours_after(at, rest) if rest else at

    def end_of(self, moment: Moment) -> datetime:
        """The last moment (UTC) that a date of a document stands for: a date is over when its day is, here."""
        if isinstance(moment, datetime):
            return moment.astimezone(UTC)
        return self._at(moment + _DAY, time.min)

    def _opened(self, moment: datetime) -> datetime:
        """The moment itself in opening hours, else the next opening."""
        local = moment.astimezone(ZoneInfo(self.timezone))
        start, end = self._hours(local.date())
        if self.works_on(local.date()) and moment < end:
            return max(moment.astimezone(UTC), start)
        return self._hours(next(self._working_days(local.date())))[0]

    def _working_days(self, day: date) -> Iterator[date]:
        """The working days after `day`."""
        while True:
            day += _DAY
            if self.works_on(day):
                yield day

    def _days_after(self, at: datetime, days: int) -> datetime:
        local = at.astimezone(ZoneInfo(self.timezone))
        following = self._working_days(local.date())
        for _ in range(days - 1):
            next(following)
        return self._at(next(following), local.time())

    def _hours_after(self, at: datetime, rest: timedelta) -> datetime:
        at = self._opened(at)
        day = at.astimezone(ZoneInfo(self.timezone)).date()
        following = self._working_days(day)
        start, end = at, self._hours(day)[1]
        while end - start < rest:
            rest -= end - start
            start, end = self._hours(next(following))
        return start + rest

    def _hours(self, day: date) -> tuple[datetime, datetime]:
        """From when to when the day is worked (UTC)."""
        if self.closes == MIDNIGHT:
            end = self._at(day + _DAY, time.min)
        else:
            end = self._at(day, time.fromisoformat(self.closes))
        return self._at(day, time.fromisoformat(self.opens)), end

    def _at(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, ZoneInfo(self.timezone)).astimezone(UTC)


@lru_cache(maxsize=_YEARS_KEPT)
def public_holidays(country: str, subdivision: str, year: int) -> frozenset[date]:
    """The public holidays of a country (ISO 3166-1) in a year; none where the country is not known."""
    import holidays  # slow to import, and only deadlines need it

    if not is_known(country, subdivision):
        return frozenset()
    return frozenset(holidays.country_holidays(country, subdiv=subdivision or None, years=year))


@cache
def is_known(country: str, subdivision: str = "") -> bool:
    """Whether the public holidays of the country, and of its subdivision, are known."""
    import holidays

    subdivisions = holidays.list_supported_countries().get(country)
    return subdivisions is not None and (not subdivision or subdivision in subdivisions)


def calendar_of(partnership: Partnership) -> BusinessCalendar:
    """The calendar that was agreed: what is not said is the partner's country and the time zone of their documents."""
    return _calendar(
        partnership.deadlines,
        partnership.deadlines.timezone or partnership.edifact.timezone,
        partnership.deadlines.country or partnership.partner.country,
    )


def _calendar(agreed: Deadlines, timezone: str, country: str) -> BusinessCalendar:
    return BusinessCalendar(
        timezone=timezone,
        weekdays=frozenset(WEEKDAYS.index(day) for day in agreed.working_days),
        opens=agreed.opens,
        closes=agreed.closes,
        country=country,
        subdivision=agreed.subdivision,
    )


def due(calendar: BusinessCalendar, terms: DeadlineTerms, since: datetime) -> datetime:
    """When what was expected since then is overdue (UTC)."""
    return calendar.after(since, terms.within) if terms.working else since.astimezone(UTC) + terms.within
