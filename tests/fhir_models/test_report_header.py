"""What a report says of itself: its day, its context by the reason of its order, and the plain texts attached to it."""

from __future__ import annotations

import base64
from datetime import date
from typing import Any

import pytest

from fhir_models.read import read_document
from fhir_models.reading import Exam
from fhir_models.terminology import load_terminology

TERMINOLOGY = load_terminology()
TODAY = date(2026, 11, 20)
GENERIC, SCREENING = "36626-0", "24606-6"


def exam(*others: dict[str, Any], code: str = GENERIC, **members: Any) -> Exam:
    report = {
        "resourceType": "DiagnosticReport", "id": "r1", "status": "final", "conclusion": "BI-RADS 2",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]}, **members,
    }  # fmt: skip
    entries = [{"resource": resource} for resource in (report, *others)]
    return next(
        one
        for one in read_document({"resourceType": "Bundle", "entry": entries}, TERMINOLOGY, TODAY).exams
        if one.id == "DiagnosticReport/r1"
    )


OBSERVED = {"resourceType": "Observation", "id": "o1", "status": "final", "effectiveDateTime": "2026-03-02"}
STUDY = {"resourceType": "ImagingStudy", "id": "s1", "status": "available", "started": "2026-03-03T08:00:00Z"}
RESULT, IMAGES = [{"reference": "Observation/o1"}], [{"reference": "ImagingStudy/s1"}]


@pytest.mark.parametrize(
    ("members", "day"),
    [
        ({"effectiveDateTime": "2026-03-01", "issued": "2026-03-09T08:00:00Z", "result": RESULT}, "2026-03-01"),
        ({"effectivePeriod": {"start": "2026-03-01"}, "issued": "2026-03-09T08:00:00Z"}, "2026-03-01"),
        ({"result": RESULT, "imagingStudy": IMAGES, "issued": "2026-03-09T08:00:00Z"}, "2026-03-02"),
        ({"imagingStudy": IMAGES, "issued": "2026-03-09T08:00:00Z"}, "2026-03-03"),
        ({"study": IMAGES, "issued": "2026-03-09T08:00:00Z"}, "2026-03-03"),
        ({"issued": "2026-03-09T08:00:00Z", "imagingStudy": [{"reference": "ImagingStudy/lost"}]}, "2026-03-09"),
        ({"meta": {"lastUpdated": "2026-03-10T08:00:00Z"}}, "None"),
    ],
)
def test_the_day_of_an_exam(members: dict[str, Any], day: str) -> None:
    assert str(exam(OBSERVED, STUDY, **members).days) == day


def order(system: str, code: str) -> dict[str, Any]:
    reason = {"coding": [{"system": system, "code": code}]}
    return {
        "resourceType": "ServiceRequest",
        "id": "q1",
        "status": "completed",
        "intent": "order",
        "reasonCode": [reason],
    }


ICD, DCM = "http://hl7.org/fhir/sid/icd-10-cm", "http://dicom.nema.org/resources/ontology/DCM"


@pytest.mark.parametrize(
    ("code", "reason", "context"),
    [
        (GENERIC, order(ICD, "Z12.31"), "screening"),
        (GENERIC, order(DCM, "111591"), "diagnostic"),
        (GENERIC, order(ICD, "R92.0"), "unknown"),
        (GENERIC, {**order(ICD, "Z12.31"), "id": "other"}, "unknown"),
        (SCREENING, order(DCM, "111591"), "screening"),
    ],
)
def test_the_reason_of_the_order_tells_the_context_where_the_code_does_not(
    code: str, reason: dict[str, Any], context: str
) -> None:
    assert exam(reason, code=code, basedOn=[{"reference": "ServiceRequest/q1"}]).study_context == context


def attached(text: bytes, kind: str = "text/plain") -> list[dict[str, Any]]:
    return [{"contentType": kind, "data": base64.b64encode(text).decode()}]


@pytest.mark.parametrize(
    ("form", "category"),
    [
        (attached(b"IMPRESSION: suspicious. BI-RADS 4."), "4"),
        (attached("Größer geworden. BI-RADS 4.".encode("cp1252"), "text/plain; charset=windows-1252"), "4"),
        (attached(b"\xef\xbb\xbfBI-RADS 4."), "4"),
        (attached(b"BI-RADS 4.", "application/pdf"), None),
        ([{"contentType": "text/plain", "data": "not base64!"}], None),
        ([{"contentType": "text/plain", "url": "https://example.org/report"}], None),
        ([{"contentType": None, "data": 4}], None),
        (["text"], None),
    ],
)
def test_a_plain_text_attachment_is_read_for_its_category(form: list[Any], category: str | None) -> None:
    assert exam(conclusion=None, presentedForm=form, effectiveDateTime="2026-03-01").category.overall == category
