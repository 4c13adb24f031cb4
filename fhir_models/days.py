"""The calendar days that a sender's date may mean, as written, without any shift to another zone (chart logic section 7).

A partial date is the range of days that it covers. Two dates are compared only where the answer holds for every day of
both, so that a vague date never closes a loop and never makes anything overdue.
"""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta

import msgspec

from fhir_models.remembering import remembered

REMEMBERED_DATES = 4096
FIRST_YEAR, LAST_YEAR = 1850, 2200
"""Years of a chart. Some senders write the year 1 where they know none, and 9999 for never: that is the far future."""

ZONE = timedelta(days=1)
"""How far the calendars of two places on earth lie apart."""

_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?:T.*)?", re.DOTALL | re.ASCII)


class Days(msgspec.Struct, frozen=True):
    """Every day from `first` to `last`, both included; one day where they are equal."""

    first: date
    last: date

    @property
    def exact(self) -> date | None:
        """The day, None where more than one is possible."""
        return self.first if self.first == self.last else None

    def is_before(self, other: Days) -> bool:
        """Whether every day of this range is before every day of the other."""
        return self.last < other.first

    def is_from(self, other: Days) -> bool:
        """Whether every day of this range is on or after every day of the other."""
        return self.first >= other.last

    def plus_days(self, days: int) -> Days:
        """Return the range some days later."""
        return Days(self.first + timedelta(days), self.last + timedelta(days))

    def plus_months(self, months: int) -> Days:
        """Return the range some months later; days that a month lacks become its last."""
        return Days(add_months(self.first, months), add_months(self.last, months))

    def up_to(self, today: date) -> Days | None:
        """Return the part of the range that is not after `today`: what has happened cannot lie in the future.

        Tomorrow counts as today: to a sender east of this service it may be.
        """
        return Days(self.first, max(self.first, min(self.last, today))) if self.is_past(today) else None

    def is_past(self, today: date) -> bool:
        """Whether the range begins today, tomorrow in another zone, or earlier."""
        return self.first <= today + ZONE

    def __str__(self) -> str:
        """The day, the month or the year as FHIR writes it, else both ends: never a day that nobody wrote."""
        first, last = self.first, self.last
        if first == last:
            return first.isoformat()
        if first == date(last.year, 1, 1) and last == date(last.year, 12, 31):
            return f"{first.year:04}"
        if first == last.replace(day=1) and last.day == _days_in(last.year, last.month):
            return first.isoformat()[:7]
        return f"{first.isoformat()}/{last.isoformat()}"


@remembered(REMEMBERED_DATES)
def written_days(text: str | None) -> Days | None:
    """Return the days that a FHIR date, dateTime or instant may mean; None where it is missing or none of a chart."""
    parts = _DATE.fullmatch(text) if text else None
    if parts is None:
        return None
    year, month, day = int(parts[1]), parts[2], parts[3]
    if year > LAST_YEAR:
        return Days(date(LAST_YEAR, 12, 31), date(LAST_YEAR, 12, 31))
    if year < FIRST_YEAR:
        return None
    try:
        if day:
            exact = date(year, int(month), int(day))
            return Days(exact, exact)
        if month:
            return Days(date(year, int(month), 1), date(year, int(month), _days_in(year, int(month))))
        return Days(date(year, 1, 1), date(year, 12, 31))
    except (ValueError, calendar.IllegalMonthError):
        return None


def certainly_before(days: Days | None, other: Days | None) -> bool:
    """Whether both are known, and every day of the first is before every day of the second."""
    return days is not None and other is not None and days.is_before(other)


def certainly_from(days: Days | None, other: Days | None) -> bool:
    """Whether both are known, and every day of the first is on or after every day of the second."""
    return days is not None and other is not None and days.is_from(other)


def first_written_days(*texts: str | None) -> Days | None:
    """Return the days of the first text that is a date."""
    return next((days for text in texts if (days := written_days(text))), None)


def joined_days(start: Days | None, end: Days | None) -> Days | None:
    """Return the range from the first possible day of a start to the last of an end, or the one that is known."""
    if start and end and start.first <= end.last:
        return Days(start.first, end.last)
    return start or end


def written_day(text: str | None) -> date | None:
    """Return the day of a FHIR date or dateTime, None where it is missing, partial or no date."""
    days = written_days(text)
    return days.exact if days else None


def add_months(day: date, months: int) -> date:
    """Return the day some months later; a day that the month lacks becomes its last (31 August + 6 = 28 February)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, _days_in(year, month + 1)))


def months_between(earlier: date, later: date) -> int:
    """Return the whole months from one day to another; negative where the second is before the first."""
    months = (later.year - earlier.year) * 12 + later.month - earlier.month
    return months - (1 if add_months(earlier, months) > later else 0)


def exam_date(*texts: str | None) -> str | None:
    """Return the first date that was given, as written."""
    return next((text for text in texts if text), None)


def _days_in(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]
