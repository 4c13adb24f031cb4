"""Dates: the day as the sender wrote it, partial dates as ranges, months that clip (chart logic section 7)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_models.days import Days, add_months, months_between, written_days

days = st.dates(min_value=date(1900, 1, 1), max_value=date(2099, 12, 31))
months = st.integers(min_value=-240, max_value=240)
ranges = st.tuples(days, st.integers(0, 800)).map(lambda pair: Days(pair[0], pair[0] + timedelta(pair[1])))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-08", "2026-11-08"),
        ("2026-11-08T23:30:00-05:00", "2026-11-08"),
        ("2026-11-08T00:10:00+13:00", "2026-11-08"),
        ("2020-05-16T00:00:00.0Z", "2020-05-16"),
        ("2026-02", "2026-02"),
        ("2026", "2026"),
        ("2024-02-29", "2024-02-29"),
        ("2026-02-29", "None"),
        ("2026-13", "None"),
        ("2026-13-01", "None"),
        ("0000", "None"),
        ("0001-01-01", "None"),
        ("9999-12-31", "2200-12-31"),
        ("8 Nov 2026", "None"),
        ("2026-11-8", "None"),
        ("\u0662\u0660\u0662\u0666-11-08", "None"),
        ("", "None"),
        (None, "None"),
    ],
)
def test_a_date_means_the_days_that_the_sender_wrote(written: str | None, meant: str) -> None:
    assert str(written_days(written)) == meant


@pytest.mark.parametrize(
    ("day", "later", "result"),
    [
        ("2026-08-31", 6, "2027-02-28"),
        ("2027-08-31", 6, "2028-02-29"),
        ("2026-01-31", 1, "2026-02-28"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2026-03-31", -1, "2026-02-28"),
    ],
)
def test_a_day_that_the_month_lacks_becomes_its_last(day: str, later: int, result: str) -> None:
    assert add_months(date.fromisoformat(day), later).isoformat() == result


@given(days)
def test_every_day_is_written_and_read_back(day: date) -> None:
    assert written_days(day.isoformat()) == Days(day, day)
    assert str(written_days(f"{day.isoformat()}T12:00:00Z")) == day.isoformat()


@given(days)
def test_a_month_and_a_year_hold_their_days_and_print_as_written(day: date) -> None:
    for text in (day.isoformat()[:7], day.isoformat()[:4]):
        meant = written_days(text)
        assert meant is not None
        assert meant.first <= day <= meant.last
        assert str(meant) == text
        assert written_days((meant.first - timedelta(1)).isoformat()[: len(text)]) != meant


@given(ranges, ranges)
def test_what_is_before_is_so_for_every_day_of_both(first: Days, second: Days) -> None:
    pairs = [(one, other) for one in (first.first, first.last) for other in (second.first, second.last)]
    assert first.is_before(second) == all(one < other for one, other in pairs)
    assert first.is_from(second) == all(one >= other for one, other in pairs)
    assert not (first.is_before(second) and first.is_from(second))


@given(days, months)
def test_month_arithmetic_stays_in_the_month_and_keeps_the_order(day: date, count: int) -> None:
    later = add_months(day, count)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == count
    assert later.day <= day.day
    assert add_months(day + timedelta(1), count) >= later


@given(days, st.integers(min_value=0, max_value=240))
def test_months_between_are_whole_months(day: date, count: int) -> None:
    later = add_months(day, count)
    assert months_between(day, later) == count
    assert months_between(day, later - timedelta(1)) == count - 1


@given(ranges, days)
def test_what_has_happened_does_not_lie_in_the_future(meant: Days, today: date) -> None:
    happened = meant.up_to(today)
    assert (happened is None) == (meant.first > today + timedelta(1))
    if happened is not None:
        assert happened.first == meant.first
        assert happened.last == max(meant.first, min(meant.last, today))
