"""The problem list: calcifications that a Condition names stand in for an exam where no mammogram came at all."""

from __future__ import annotations

from collections.abc import Iterable

from fhir_models.days import written_days
from fhir_models.entries import Entries, Resource
from fhir_models.reading import Evidence, Exam, ExamCategory, ReadFinding
from fhir_models.sides import condition_side
from fhir_models.terminology import Concept, Terminology
from fhir_models.views import CodeableConcept, Condition
from rules.vocabulary import Laterality, Modality, StudyContext, WorkupDone

_UNCONFIRMED = frozenset({"refuted", "entered-in-error", "unconfirmed", "differential"})


def problem_exams(entries: Entries, exams: Iterable[Exam], terminology: Terminology) -> Iterable[Exam]:
    """A problem-list calcification stands in for an exam only where no mammogram was received at all."""
    if any(exam.modality == Modality.MAMMOGRAPHY for exam in exams):
        return
    for resource, condition in _conditions(entries):
        concepts = _condition_concepts(condition, terminology)
        if not any(concept.kind == "calcification" for concept in concepts):
            continue
        evidence = Evidence(resource.reference, f"{resource.path}.code", terminology.meaning(condition.code).quoted)
        yield Exam(
            id=resource.reference,
            date=condition.onsetDateTime or condition.recordedDate,
            days=written_days(condition.onsetDateTime or condition.recordedDate),
            status="final",
            study_context=StudyContext.UNKNOWN,
            workup_done=WorkupDone.UNKNOWN,
            modality=Modality.MAMMOGRAPHY,
            laterality=Laterality.UNKNOWN,
            density=None,
            category=ExamCategory(),
            recommendation_stated=(),
            findings=(
                ReadFinding(
                    laterality=condition_side(condition.bodySite or (), terminology),
                    notes=("from the problem list: the report itself was not received",),
                    evidence=(evidence,),
                ),
            ),
        )


def _conditions(entries: Entries) -> Iterable[tuple[Resource, Condition]]:
    for resource in entries.of("Condition"):
        view = resource.view
        if isinstance(view, Condition):
            status = {coding.code for coding in (view.verificationStatus or CodeableConcept()).coding or ()}
            if not status & _UNCONFIRMED:
                yield resource, view


def _condition_concepts(condition: Condition, terminology: Terminology) -> list[Concept]:
    codings = condition.code.coding if condition.code else None
    return [concept for coding in codings or () if (concept := terminology.concept(coding.system, coding.code))]
