"""Reads whatever arrived into a chart, and reports everything that it could not use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import cast

import msgspec

from fhir_models.chart.background.facts import history_items, read_background
from fhir_models.chart.events.read import read_events
from fhir_models.chart.pathology.reports import Sampled
from fhir_models.chart.pathology.results import new_cancers, read_tissue
from fhir_models.chart.records import Chart, Event, Standing, TissueClass, TissueResult
from fhir_models.chart.tissue import SURGERY
from fhir_models.chart.versions import collapse_versions
from fhir_models.entries import Entries, Located, document_resources, read_entries
from fhir_models.findings import ReadObservation, read_observations, unknown_codes, unread_answers
from fhir_models.patients import only_patient, read_patient, set_aside_others, told
from fhir_models.problem_list import problem_exams
from fhir_models.reading import AFTER_TODAY, Evidence, Exam, FollowUp, Reading, Unread
from fhir_models.report_exams import report_exams, standalone_exams, withdrawn_exams
from fhir_models.terminology import Terminology
from rules.follow_up import Act
from rules.vocabulary import Laterality, Modality

SAME_WEEK_DAYS = 7
"""Days within which a cancer of the problem list gives a pathology report its side (chart logic 5.3)."""


def read_document(document: object, terminology: Terminology, today: date) -> Reading:
    """Read a resource, a Bundle of any type, or a CDS Hooks request."""
    return read_chart_document(document, terminology, today).reading


def read_chart_document(document: object, terminology: Terminology, today: date) -> Chart:
    """Read a document with everything around its findings."""
    members = cast("dict[str, object]", document) if isinstance(document, dict) else {}
    context = members.get("context")
    patient = cast("dict[str, object]", context).get("patientId") if isinstance(context, dict) else None
    return read_chart(
        document_resources(cast("object", document)), terminology, today, patient if isinstance(patient, str) else None
    )


def read_chart(
    located: Iterable[Located], terminology: Terminology, today: date, patient_id: str | None = None
) -> Chart:
    """Read resources, each with its path. Those of another patient than `patient_id` are reported and not used.

    Nothing is closed by a resource whose subject cannot be told.
    Exams and events after `today` are not used; exams are reported.
    """
    entries = read_entries(located)
    patient_id = patient_id or only_patient(entries)
    untold = set_aside_others(entries, patient_id)
    patient = read_patient(entries, patient_id)
    observations = read_observations(entries, terminology)
    exams, unread = _exams(entries, observations, terminology, today)
    closing = told(entries, untold)
    events = read_events(closing, terminology, today)
    cancers = new_cancers(closing, terminology, today)
    tissue = (*_with_sides(read_tissue(closing, terminology, today, _sampled(events)), cancers), *cancers)
    background = read_background(entries, terminology, today, patient)
    reading = Reading(
        patient=msgspec.structs.replace(patient, sex=background.sex),
        exams=tuple(sorted(exams, key=lambda exam: (exam.date or "", exam.id), reverse=True)),
        history=tuple(history_items(background)),
        follow_ups=(*map(_follow_up, events), *map(_result, tissue)),
        unread=tuple(
            sorted(
                (*entries.unread, *unread, *unread_answers(observations.values())),
                key=lambda item: (item.path, item.resource),
            )
        ),
        unknown_codes=unknown_codes(observations.values()),
    )
    return Chart(reading=reading, events=events, tissue=tissue, background=background)


def _exams(
    entries: Entries, observations: Mapping[str, ReadObservation], terminology: Terminology, today: date
) -> tuple[list[Exam], list[Unread]]:
    """Return the exams, each once, and those that could not be used."""
    reported = [*report_exams(entries, observations, terminology)]
    exams = [exam for exam, _ in reported]
    read = set[str]().union(*(references for _, references in reported))
    left = {key: item for key, item in observations.items() if key not in read}
    exams += standalone_exams(left, observations, exams, entries, terminology)
    exams += withdrawn_exams(entries)
    exams += problem_exams(entries, exams, terminology)
    timely = [exam for exam in exams if exam.days is None or exam.days.is_past(today)]
    unread = [Unread(exam.id, "$", AFTER_TODAY) for exam in exams if exam not in timely]
    mammograms = [exam for exam in timely if exam.modality == Modality.MAMMOGRAPHY]
    if any(exam.days for exam in mammograms):
        unread += [Unread(exam.id, "$", "no day is stated") for exam in mammograms if exam.days is None]
    collapsed = collapse_versions(timely)
    unread += [
        Unread(exam.id, "$", "adds to a report that was not received")
        for exam in collapsed
        if exam.addendum and exam.modality == Modality.OTHER
    ]
    return [*collapsed], unread


def _sampled(events: Iterable[Event]) -> Sampled:
    """Return the biopsies and operations of the breasts that pathology may belong to."""
    taken = [event for event in events if event.acts & {*SURGERY, Act.BIOPSY}]
    done = (event.days for event in taken if event.standing == Standing.DONE and event.kind == "procedure")
    return Sampled(frozenset(event.resource for event in taken), tuple(days for days in done if days))


def _with_sides(results: tuple[TissueResult, ...], cancers: tuple[TissueResult, ...]) -> tuple[TissueResult, ...]:
    """Give a malignant report without side that of the one cancer that the problem list has of the same week."""
    return tuple(_with_side(result, cancers) if _lacks_side(result) else result for result in results)


def _lacks_side(result: TissueResult) -> bool:
    return result.laterality == Laterality.UNKNOWN and result.tissue == TissueClass.MALIGNANT


def _with_side(result: TissueResult, cancers: tuple[TissueResult, ...]) -> TissueResult:
    days = result.days.exact if result.days else None
    near = {
        cancer.laterality
        for cancer in cancers
        if days and cancer.days and cancer.days.exact and abs((cancer.days.exact - days).days) <= SAME_WEEK_DAYS
    }
    return msgspec.structs.replace(result, laterality=near.pop()) if len(near) == 1 else result


def _follow_up(event: Event) -> FollowUp:
    return FollowUp(
        event.kind,
        tuple(sorted(event.acts)),
        event.standing,
        event.laterality,
        str(event.days) if event.days else None,
        (Evidence(event.resource, event.path, event.text),),
    )


def _result(result: TissueResult) -> FollowUp:
    return FollowUp(
        "pathology",
        (result.tissue,),
        result.concordance,
        result.laterality,
        str(result.days) if result.days else None,
        result.evidence or (Evidence(result.resource, result.path, result.quoted),),
    )
