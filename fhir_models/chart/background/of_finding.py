"""What the facts of the patient, and what was done, mean for one finding: history, symptoms, treatment, notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

import msgspec

from fhir_models.chart.background.sides import may_be_of, names, wholly_of
from fhir_models.chart.background.table import TABLE, NoteRow
from fhir_models.chart.background.treatment import neoadjuvant_treatment, radiotherapy
from fhir_models.chart.records import Background, CaseBackground, Event, Fact, Standing
from fhir_models.days import Days, certainly_before, certainly_from
from fhir_models.reading import Evidence
from fhir_models.sides import Place
from rules.follow_up import Act, Limits
from rules.vocabulary import History, Laterality

_REMOVING_ACTS = frozenset({Act.LUMPECTOMY, Act.EXCISION})


class Found(msgspec.Struct, frozen=True):
    """What one question found: history words, symptom words, a yes, notes for the card, evidence of what was used."""

    history: frozenset[History] = frozenset()
    symptoms: frozenset[str] = frozenset()
    yes: bool = False
    notes: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()


def case_background(
    background: Background,
    events: Sequence[Event],
    side: Laterality,
    place: Place,
    exam_days: Days | None,
    today: date,
    limits: Limits,
    exam_first_of_episode: Days | None = None,
) -> CaseBackground:
    """Return what the background means for a finding of `side` at `place` (chart logic 2).

    `exam_days` is the day of its governing exam; a cancer of this breast that was recorded from `exam_first_of_episode`
    on is the outcome of this finding, no history. `node_benign_cause` is never set: no table has codes of its causes.
    """
    if not background.facts and not events:
        return CaseBackground()
    facts = [fact for fact in background.facts if not _is_outcome(fact, side, exam_first_of_episode)]
    radiation = radiotherapy(background, events, side, exam_days)
    treatment = neoadjuvant_treatment(background, events, side, today)
    pregnant = _state(background, "pregnant", "not_pregnant", today, limits.pregnancy_days)
    lactating = _state(background, "lactating", "not_lactating", today, limits.lactation_days)
    found = (
        _stated_history(facts, side),
        _adjacent_cancer(facts, side, place),
        _implants(background.facts, events, side),
        _lumpectomy_site(events, side, place, exam_days),
        _symptoms(facts, side, today, limits.symptom_days),
        pregnant,
        lactating,
        _possible_pregnancy(background, today, limits.pregnancy_days),
        Found(notes=radiation.notes, evidence=radiation.evidence),
        Found(evidence=treatment.evidence if treatment else ()),
        Found(notes=tuple(_notes(background, side, radiation.years is None, limits))),
    )
    history = frozenset[History]().union(*(part.history for part in found))
    symptoms = frozenset[str]().union(*(part.symptoms for part in found))
    evidence = {item for part in found for item in part.evidence}
    return CaseBackground(
        history=tuple(word for word in History if word in history),
        symptoms=tuple(word for word in TABLE.symptoms if word in symptoms),
        years_since_rt=radiation.years,
        neoadjuvant=treatment is not None,
        neoadjuvant_by=treatment.resource if treatment else None,
        pregnant=pregnant.yes,
        lactating=lactating.yes,
        notes=tuple(dict.fromkeys(note for part in found for note in part.notes)),
        evidence=tuple(sorted(evidence, key=lambda item: (item.resource, item.path, item.text))),
    )


def breast_absent(
    background: Background, events: Sequence[Event], side: Laterality
) -> tuple[tuple[str, Days | None], ...]:
    """Return resource and days of every proof that this breast was removed (chart logic 3.13), in a fixed order.

    An unstated side proves nothing, nor does an act that is also breast-conserving. A breast that was recorded as absent
    stays so, whatever its clinical status.
    """
    proofs = {
        (fact.evidence.resource, fact.days)
        for fact in background.facts
        if fact.kind == "breast_absent" and wholly_of(fact.laterality, side)
    }
    proofs |= {
        (event.resource, event.days)
        for event in events
        if event.standing == Standing.DONE
        and Act.MASTECTOMY in event.acts
        and Act.LUMPECTOMY not in event.acts
        and wholly_of(event.laterality, side)
    }
    return tuple(sorted(proofs, key=lambda proof: (proof[0], str(proof[1]))))


def _is_outcome(fact: Fact, side: Laterality, first: Days | None) -> bool:
    return fact.kind in TABLE.present_cancer and certainly_from(fact.days, first) and wholly_of(fact.laterality, side)


def _stated_history(facts: Iterable[Fact], side: Laterality) -> Found:
    """Return what facts alone say: cancer, genes and chest radiotherapy of any side, scars not of the other breast."""
    used = [
        (word, fact)
        for word in (History.BRCA, History.CHEST_RT, History.PERSONAL_CANCER, History.SURGERY_OR_TRAUMA)
        for fact in facts
        if fact.kind in TABLE.history[word] and (word != History.SURGERY_OR_TRAUMA or may_be_of(fact.laterality, side))
    ]
    return Found(history=frozenset(word for word, _ in used), evidence=tuple(fact.evidence for _, fact in used))


def _adjacent_cancer(facts: Iterable[Fact], side: Laterality, place: Place) -> Found:
    used = [
        fact
        for fact in facts
        if fact.kind in TABLE.present_cancer
        and _is_current(fact)
        and names(fact.laterality, side)
        and place.quadrant is not None
        and fact.place.quadrant == place.quadrant
    ]
    history = frozenset({History.ADJACENT_KNOWN_CANCER}) if used else frozenset[History]()
    return Found(history=history, evidence=tuple(fact.evidence for fact in used))


def _implants(facts: Iterable[Fact], events: Iterable[Event], side: Laterality) -> Found:
    """Return whether an implant is there: recorded or inserted, not of the other breast, not removed since."""
    facts, done = tuple(facts), [event for event in events if event.standing == Standing.DONE]
    there = [
        (fact.days, fact.evidence)
        for fact in facts
        if fact.kind in TABLE.history[History.IMPLANT] and _is_current(fact) and may_be_of(fact.laterality, side)
    ]
    there += [
        (event.days, _evidence(event))
        for event in done
        if Act.IMPLANT_INSERTION in event.acts and may_be_of(event.laterality, side)
    ]
    removals = [
        (fact.days, fact.evidence.resource, fact.laterality) for fact in facts if fact.kind == "implant_removed"
    ] + [(event.days, event.resource, event.laterality) for event in done if Act.IMPLANT_REMOVAL in event.acts]
    used = [
        evidence
        for days, evidence in there
        if not any(
            resource != evidence.resource
            and (removed_side == Laterality.UNKNOWN or wholly_of(removed_side, side))
            and not (days and removed and days.is_from(removed))
            for removed, resource, removed_side in removals
        )
    ]
    return Found(history=frozenset({History.IMPLANT} if used else ()), evidence=tuple(used))


def _lumpectomy_site(events: Iterable[Event], side: Laterality, place: Place, exam_days: Days | None) -> Found:
    """Return whether tissue was removed at this very place before the exam; what is not certain is only said."""
    evidence: list[Evidence] = []
    notes: set[str] = set()
    for event in events:
        acts = event.acts & _REMOVING_ACTS
        later = certainly_from(event.days, exam_days)
        if event.standing != Standing.DONE or not acts or not wholly_of(event.laterality, side) or later:
            continue
        name = f"earlier {'lumpectomy' if Act.LUMPECTOMY in acts else 'excision'} in this breast"
        if event.place.quadrant is None or place.quadrant is None:
            notes.add(f"{name}, place not stated")
        elif event.place.quadrant == place.quadrant:
            if certainly_before(event.days, exam_days):
                evidence.append(_evidence(event))
            else:
                notes.add(f"{name}, date not certain")
    if evidence:
        return Found(history=frozenset({History.LUMPECTOMY_SITE}), evidence=tuple(evidence))
    return Found(notes=tuple(sorted(notes)))


def _symptoms(facts: Iterable[Fact], side: Laterality, today: date, days: int) -> Found:
    """Return the present symptoms of this breast; those without side, or perhaps too old, are only said."""
    used: list[Fact] = []
    notes: set[str] = set()
    for fact in facts:
        if fact.kind not in TABLE.symptoms or not _is_current(fact) or not may_be_of(fact.laterality, side):
            continue
        word, source, when = fact.kind.replace("_", " "), fact.evidence.resource, fact.recorded or fact.days
        if when is None or not _within(when, today, days):
            if when is None or when.last >= today - timedelta(days):
                notes.add(f"{word} is recorded without a certain date ({source})")
        elif names(fact.laterality, side):
            used.append(fact)
        else:
            notes.add(f"{word} is recorded, side not stated ({source})")
    return Found(
        symptoms=frozenset(fact.kind for fact in used),
        notes=tuple(sorted(notes)),
        evidence=tuple(fact.evidence for fact in used),
    )


def _state(background: Background, kind: str, denial: str, today: date, days: int) -> Found:
    """Return whether a passing state holds: the newest Observation decides, but no denial older than a Condition."""
    if background.sex == "male":
        return Found()
    facts = [fact for fact in background.facts if fact.kind in (kind, denial)]
    observed = [(fact.days, fact) for fact in facts if _is_observed(fact) and fact.days and _holds(fact, today, days)]
    newest = max(
        observed, key=lambda item: (item[0].last, item[0].first, item[1].kind == kind, *_source(item[1])), default=None
    )
    if newest and newest[1].kind == kind:
        return Found(yes=True, evidence=(newest[1].evidence,))
    listed = [
        fact
        for fact in facts
        if fact.kind == kind
        and not _is_observed(fact)
        and _is_current(fact)
        and _holds(fact, today, days)
        and not (newest and (when := fact.recorded or fact.days) and newest[0].is_from(when))
    ]
    return Found(yes=bool(listed), evidence=tuple(fact.evidence for fact in listed))


def _possible_pregnancy(background: Background, today: date, days: int) -> Found:
    facts = (fact for fact in background.facts if fact.kind == "possible_pregnancy" and background.sex != "male")
    current = [fact.evidence.resource for fact in facts if _is_current(fact) and _holds(fact, today, days)]
    return Found(notes=tuple(f"a possible pregnancy is recorded ({resource})" for resource in sorted(current)))


def _notes(background: Background, side: Laterality, no_years: bool, limits: Limits) -> Iterator[str]:
    rows = (*TABLE.note, *(TABLE.blood_note if limits.anticoagulant_note else ()))
    for row in rows:
        sources = sorted({fact.evidence.resource for fact in background.facts if _is_noted(fact, row, side)})
        if sources and (no_years or not row.windowless):
            yield row.text if row in TABLE.blood_note else f"{row.text} ({', '.join(sources)})"


def _is_noted(fact: Fact, row: NoteRow, side: Laterality) -> bool:
    return (
        fact.kind in row.kinds
        and (_is_current(fact) or not row.current)
        and (row.side == "any" or may_be_of(fact.laterality, side))
    )


def _is_current(fact: Fact) -> bool:
    return fact.active and not fact.ended


def _is_observed(fact: Fact) -> bool:
    return fact.evidence.resource.startswith("Observation/")


def _holds(fact: Fact, today: date, days: int) -> bool:
    """Whether every day for which a fact is stated, onset and recording, lies in the window up to today."""
    stated = [when for when in (fact.days, fact.recorded) if when]
    return bool(stated) and all(_within(when, today, days) for when in stated)


def _within(when: Days, today: date, days: int) -> bool:
    """Whether every possible day lies in the last days up to today; a year that only overlaps them does not."""
    return today - timedelta(days) <= when.first <= today


def _evidence(event: Event) -> Evidence:
    return Evidence(event.resource, event.path, event.text)


def _source(fact: Fact) -> tuple[str, str]:
    return fact.evidence.resource, fact.evidence.path
