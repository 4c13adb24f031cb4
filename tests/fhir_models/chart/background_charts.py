"""Builders of FHIR resources and events for the tests of the patient's background."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from fhir_models.chart.background.facts import read_background
from fhir_models.chart.background.of_finding import case_background
from fhir_models.chart.records import Background, CaseBackground, Event, Standing
from fhir_models.days import Days, written_days
from fhir_models.entries import document_resources, read_entries
from fhir_models.patients import read_patient
from fhir_models.reading import Unread
from fhir_models.sides import Place
from fhir_models.terminology import load_terminology
from rules.follow_up import Act, Limits
from rules.vocabulary import Laterality

TERMINOLOGY = load_terminology()
TODAY = date(2026, 11, 20)
EXAM = Days(date(2026, 11, 3), date(2026, 11, 3))
LEFT, RIGHT, BOTH, UNKNOWN = Laterality.LEFT, Laterality.RIGHT, Laterality.BILATERAL, Laterality.UNKNOWN
SNOMED, LOINC, ICD = "http://snomed.info/sct", "http://loinc.org", "http://hl7.org/fhir/sid/icd-10-cm"
DICOM, CORE = "http://dicom.nema.org/resources/ontology/DCM", "http://hl7.org/fhir/us/core/StructureDefinition"
LIMITS = Limits(
    closing={},
    grace_days=92,
    result_days=14,
    refusal_months=12,
    old_months=36,
    screening_closes_suspicion=False,
    ultrasound_closes_incomplete=False,
    unstated_concordance="review",
    pregnancy_days=294,
    lactation_days=730,
    symptom_days=365,
    anticoagulant_note=True,
)


def code(system: str, value: str, text: str | None = None) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": value}], **({"text": text} if text else {})}


SITES = {"left": "80248007", "right": "73056007", "bare left": "7771000", "bare right": "24028007"}
QUADRANTS = {"upper outer": "76365002", "lower inner": "19100000"}


def site(*names: str) -> list[dict[str, Any]]:
    return [{"coding": [{"system": SNOMED, "code": (SITES | QUADRANTS)[name]} for name in names]}]


def condition(concept: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A confirmed, active Condition "k"; `verified` and `clinical` are its statuses."""
    statuses = {"verificationStatus": members.pop("verified", "confirmed")}
    statuses["clinicalStatus"] = members.pop("clinical", "active")
    coded = {name: {"coding": [{"code": value}]} for name, value in statuses.items() if value}
    return {"resourceType": "Condition", "id": "k", "code": concept, **coded, **members}


def observation(concept: dict[str, Any], value: Any = None, day: str = "2026-11-01", **members: Any) -> dict[str, Any]:
    name = {bool: "valueBoolean", str: "valueString", dict: "valueCodeableConcept"}.get(type(value))
    said = {name: value} if name else {}
    return {
        "resourceType": "Observation", "id": "o", "status": "final", "code": concept,
        "effectiveDateTime": day, **said, **members,
    }  # fmt: skip


def patient(**members: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "p", **members}


def read_all(resources: Iterable[dict[str, Any]]) -> tuple[Background, list[Unread]]:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": item} for item in resources]}
    entries = read_entries(document_resources(bundle))
    return read_background(entries, TERMINOLOGY, TODAY, read_patient(entries, None)), entries.unread


def read(*resources: dict[str, Any]) -> Background:
    return read_all(resources)[0]


def event(name: str, act: Act, when: str | None, side: Laterality = LEFT, **members: Any) -> Event:
    """A Procedure that was done, unless `standing` says otherwise; "start/end" is a period."""
    start, _, end = (when or "").partition("/")
    if quadrant := members.pop("quadrant", None):
        members["place"] = Place(laterality=side, quadrant=quadrant)
    details = {"standing": Standing.DONE, "days": written_days(start), "end": written_days(end), **members}
    return Event(
        resource=f"Procedure/{name}", path=name, kind="procedure", acts=frozenset({act}), laterality=side, **details
    )


def left_case(
    background: Background,
    *events: Event,
    side: Laterality = LEFT,
    quadrant: str | None = "upper_outer",
    exam: Days | None = EXAM,
    limits: Limits = LIMITS,
    first: Days | None = None,
) -> CaseBackground:
    place = Place(laterality=side, quadrant=quadrant)
    return case_background(background, events, side, place, exam, TODAY, limits, first)


CANCER, OLD_CANCER, NO_SIDE_CANCER = code(ICD, "C50.412"), code(ICD, "Z85.3"), code(SNOMED, "254837009")
LUMP, PREGNANT, LACTATING = code(SNOMED, "89164003"), code(SNOMED, "77386006"), code(ICD, "Z39.1")
IMPLANT, ABSENT, SCAR = code(ICD, "Z98.82"), code(SNOMED, "248802009"), code(SNOMED, "63130001")
PREGNANCY_STATUS, BREASTFEEDING, GERMLINE = code(LOINC, "82810-3"), code(LOINC, "63895-7"), code(SNOMED, "55446002")
NOT_PREGNANT = code(SNOMED, "60001007")
SEX_AT_BIRTH = code(LOINC, "76689-9")
BRCA1, BRCA_NEGATIVE, GENE = code(SNOMED, "412734009"), code(SNOMED, "445180002"), code(DICOM, "111556")
CHEMOTHERAPY = event("c", Act.CHEMOTHERAPY, "2026-09-01", UNKNOWN, standing=Standing.UNDER_WAY)
FOUND = {"onsetDateTime": "2026-08-05"}
