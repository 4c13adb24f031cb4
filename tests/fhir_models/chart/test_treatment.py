"""Radiotherapy and chemotherapy as they bear on a finding: never more than is certain."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_models.chart.records import Background, Event, Standing
from fhir_models.days import Days
from fhir_models.sides import Place
from rules.follow_up import Act
from tests.fhir_models.chart.background_charts import (
    BOTH,
    CANCER,
    CHEMOTHERAPY,
    FOUND,
    ICD,
    NO_SIDE_CANCER,
    OLD_CANCER,
    RIGHT,
    TODAY,
    UNKNOWN,
    code,
    condition,
    event,
    left_case,
    read,
    site,
)


@pytest.mark.parametrize(
    ("events", "years"),
    [
        ([event("r", Act.RADIOTHERAPY, "2024-04-22/2024-05-30")], 2.4),
        ([event("r", Act.RADIOTHERAPY, "2024-04-22/2024-05-30", BOTH)], 2.4),
        ([event("r", Act.RADIOTHERAPY, "2024-04-22/2024-05-30", UNKNOWN)], 2.4),
        ([event("r", Act.RADIOTHERAPY, "2024-04-22/2024-05-30", RIGHT)], None),
        ([event("r", Act.RADIOTHERAPY, "2024-05-30", UNKNOWN, place=Place(side_conflict=True))], None),
        ([event("r", Act.RADIOTHERAPY, "2023-11-03")], 3.0),
        ([event("r", Act.RADIOTHERAPY, "2023-11-02")], 3.1),
        ([event("r", Act.RADIOTHERAPY, "2024")], 2.8),
        ([event("r", Act.RADIOTHERAPY, "2026")], None),
        ([event("r", Act.RADIOTHERAPY, "2026-11-10")], None),
        ([event("r", Act.RADIOTHERAPY, None)], None),
        ([event("r", Act.RADIOTHERAPY, "2024-05-30", standing=Standing.UNDER_WAY)], None),
        ([event("r", Act.RADIOTHERAPY, "2010"), event("s", Act.RADIOTHERAPY, "2024-05-30")], 2.4),
        ([event("r", Act.RADIOTHERAPY, "2024-05-30", UNKNOWN), event("l", Act.LUMPECTOMY, "2024", RIGHT)], None),
    ],
)
def test_years_since_radiotherapy_are_never_shorter_than_is_certain(events: list[Event], years: float | None) -> None:
    assert left_case(Background(), *events).years_since_rt == years


def test_radiotherapy_that_may_be_of_the_other_breast_is_said() -> None:
    other = read(condition(code(ICD, "C50.911")))
    case = left_case(other, event("r", Act.RADIOTHERAPY, "2024-05-30", UNKNOWN))
    assert (case.years_since_rt, case.notes) == (
        None,
        ("radiotherapy is recorded, of which breast is not certain (Procedure/r)",),
    )
    assert left_case(other, side=UNKNOWN).years_since_rt is None


DONE_CHEMOTHERAPY = msgspec.structs.replace(CHEMOTHERAPY, standing=Standing.DONE)


@pytest.mark.parametrize(
    ("cancer", "events", "neoadjuvant"),
    [
        (condition(CANCER, **FOUND), [CHEMOTHERAPY], True),
        (condition(CANCER, **FOUND), [DONE_CHEMOTHERAPY], True),
        (condition(CANCER), [event("c", Act.CHEMOTHERAPY, "2026-03-25", UNKNOWN)], True),
        (condition(CANCER), [event("c", Act.CHEMOTHERAPY, "2026-03-24", UNKNOWN)], False),
        (condition(CANCER), [event("c", Act.CHEMOTHERAPY, "2026", UNKNOWN)], False),
        (condition(CANCER, **FOUND), [event("c", Act.CHEMOTHERAPY, "2026-06-01", UNKNOWN)], False),
        (condition(CANCER, **FOUND), [], False),
        (condition(CANCER, clinical="remission", **FOUND), [CHEMOTHERAPY], False),
        (condition(code(ICD, "C50.911"), **FOUND), [CHEMOTHERAPY], False),
        (condition(NO_SIDE_CANCER, **FOUND), [CHEMOTHERAPY], False),
        (condition(OLD_CANCER, bodySite=site("left"), **FOUND), [CHEMOTHERAPY], False),
        (condition(CANCER, **FOUND), [CHEMOTHERAPY, event("l", Act.LUMPECTOMY, "2026-10-20")], False),
        (condition(CANCER, **FOUND), [CHEMOTHERAPY, event("l", Act.LUMPECTOMY, "2026-10-20", RIGHT)], True),
        (condition(CANCER, **FOUND), [CHEMOTHERAPY, event("m", Act.MASTECTOMY, None, UNKNOWN)], False),
        (condition(CANCER, **FOUND), [CHEMOTHERAPY, event("l", Act.LUMPECTOMY, "2026-08-20")], False),
        (condition(CANCER, **FOUND), [CHEMOTHERAPY, event("e", Act.EXCISION, "2026-08-07")], True),
        (condition(CANCER, **FOUND), [CHEMOTHERAPY, event("l", Act.LUMPECTOMY, "2010")], True),
        (
            condition(CANCER, **FOUND),
            [msgspec.structs.replace(CHEMOTHERAPY, standing=Standing.REFUSED)],
            False,
        ),
    ],
)
def test_neoadjuvant_is_chemotherapy_of_a_present_cancer_of_this_breast_before_its_surgery(
    cancer: dict[str, Any], events: list[Event], neoadjuvant: bool
) -> None:
    case = left_case(read(cancer), *events)
    assert (case.neoadjuvant, case.neoadjuvant_by) == (neoadjuvant, "Procedure/c" if neoadjuvant else None)


@given(st.dates(date(2020, 1, 1), TODAY), st.dates(date(2020, 1, 1), TODAY))
def test_years_since_radiotherapy_reach_a_whole_year_only_on_its_day(end: date, exam: date) -> None:
    case = left_case(Background(), event("r", Act.RADIOTHERAPY, end.isoformat()), exam=Days(exam, exam))
    if exam < end:
        assert case.years_since_rt is None
    else:
        assert case.years_since_rt is not None
        assert abs(case.years_since_rt - (exam - end) / timedelta(365.25)) <= 0.11
        three_years = date(exam.year - 3, exam.month, 28 if (exam.month, exam.day) == (2, 29) else exam.day)
        assert (case.years_since_rt <= 3) == (end >= three_years)
