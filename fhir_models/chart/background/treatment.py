"""Cancer treatment as it bears on a finding: years since radiotherapy of its breast, chemotherapy before surgery."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import msgspec

from fhir_models.chart.background.sides import may_be_of, wholly_of
from fhir_models.chart.background.table import TABLE
from fhir_models.chart.records import Background, Event, Fact, Standing
from fhir_models.days import Days, add_months, certainly_before, months_between
from fhir_models.reading import Evidence
from rules.follow_up import Act
from rules.vocabulary import History, Laterality

_SURGERY = frozenset({Act.LUMPECTOMY, Act.MASTECTOMY, Act.EXCISION})
_CANCER_SURGERY = frozenset({Act.LUMPECTOMY, Act.MASTECTOMY})
_DAYS_A_YEAR = 365.25


class Radiotherapy(msgspec.Struct, frozen=True):
    """Years from the end of the last radiotherapy of this breast to the exam, None where that is not certain."""

    years: float | None = None
    notes: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()


class Treatment(msgspec.Struct, frozen=True):
    """Chemotherapy of a present cancer of this breast before its surgery."""

    resource: str
    evidence: tuple[Evidence, ...]


def radiotherapy(
    background: Background, events: Iterable[Event], side: Laterality, exam_days: Days | None
) -> Radiotherapy:
    """Return the years since radiotherapy; never from an act that may have been of the other breast or after the exam.

    An act without side counts unless the other breast has a cancer or cancer surgery. Of vague dates the longest time
    is taken: a short one makes calcifications at a lumpectomy site look more benign.
    """
    events = tuple(events)
    ended: list[tuple[Days, Event]] = []
    notes: list[str] = []
    for event in events:
        end = event.end or event.days
        if event.standing != Standing.DONE or Act.RADIOTHERAPY not in event.acts:
            continue
        if event.laterality == Laterality.UNKNOWN and side != Laterality.UNKNOWN:
            if event.place.side_conflict or _other_breast_treated(background, events, side):
                notes.append(f"radiotherapy is recorded, of which breast is not certain ({event.resource})")
                continue
        elif not wholly_of(event.laterality, side):
            continue
        if exam_days and end and exam_days.is_from(end):
            ended.append((end, event))
    if exam_days is None or not ended:
        return Radiotherapy(notes=tuple(notes))
    end, last = max(ended, key=lambda item: (item[0].first, item[0].last, item[1].resource, item[1].path))
    years = years_between(end.first, exam_days.last)
    return Radiotherapy(years, tuple(notes), (Evidence(last.resource, last.path, last.text),))


def years_between(earlier: date, later: date) -> float:
    """Return years with one decimal; days beyond a whole year never round to it, as the rules' limits are whole years."""
    years = months_between(earlier, later) // 12
    days = (later - add_months(earlier, 12 * years)).days
    return years + max(round(days / _DAYS_A_YEAR, 1), 0.1 if days else 0.0)


def _other_breast_treated(background: Background, events: Iterable[Event], side: Laterality) -> bool:
    others = {Laterality.LEFT, Laterality.RIGHT, Laterality.BILATERAL} - {side}
    return side == Laterality.BILATERAL or any(
        [
            *(
                fact.laterality in others
                for fact in background.facts
                if fact.kind in TABLE.history[History.PERSONAL_CANCER]
            ),
            *(
                event.laterality in others
                for event in events
                if event.standing == Standing.DONE and event.acts & _CANCER_SURGERY
            ),
        ]
    )


def neoadjuvant_treatment(
    background: Background, events: Sequence[Event], side: Laterality, today: date
) -> Treatment | None:
    """Return the newest chemotherapy that treats a present cancer of this breast before surgery, None if there is none.

    It is under way, or dated within the table's days; what ended before the cancer was known is of another disease. Any
    operation of this breast since the chemotherapy's start, and a lumpectomy or mastectomy since the cancer was found,
    make it no neoadjuvant one, also where their dates leave it open.
    """
    cancers = [
        fact
        for fact in background.facts
        if fact.kind in TABLE.present_cancer and fact.active and not fact.ended and wholly_of(fact.laterality, side)
    ]
    found = [
        (event.days.first if event.days else date.min, event, fact)
        for fact in cancers
        for event in events
        if _is_given(event, fact, today) and not _operated(fact, event, events, side)
    ]
    if not found:
        return None
    _, event, fact = max(found, key=lambda item: (item[0], item[1].resource, item[1].path, item[2].evidence.resource))
    return Treatment(event.resource, (Evidence(event.resource, event.path, event.text), fact.evidence))


def _is_given(event: Event, cancer: Fact, today: date) -> bool:
    if Act.CHEMOTHERAPY not in event.acts:
        return False
    if event.standing == Standing.UNDER_WAY:
        return True
    when = event.end or event.days
    return (
        event.standing == Standing.DONE
        and when is not None
        and today - timedelta(TABLE.neoadjuvant_days) <= when.first <= today
        and not (cancer.days and when.is_before(cancer.days))
    )


def _operated(cancer: Fact, chemotherapy: Event, events: Iterable[Event], side: Laterality) -> bool:
    return any(
        (event.acts & _SURGERY and not certainly_before(event.days, chemotherapy.days))
        or (event.acts & _CANCER_SURGERY and not certainly_before(event.days, cancer.days))
        for event in events
        if event.standing in (Standing.DONE, Standing.UNDER_WAY) and may_be_of(event.laterality, side)
    )
