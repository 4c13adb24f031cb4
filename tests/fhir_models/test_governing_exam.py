"""Which exam answers for a breast: the newest; on one day by context, version and severity; undated ones are named."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from fhir_models.read import read_document
from fhir_models.terminology import load_terminology
from tests.fhir_models.reading_cases import cases_for

TERMINOLOGY = load_terminology()
TODAY = date(2026, 3, 1)
SCREENING, DIAGNOSTIC = "24606-6", "26346-7"


def report(identity: str, category: str, day: str | None = "2026-02-10", **members: Any) -> dict[str, Any]:
    code = members.pop("code", DIAGNOSTIC)
    return {
        "resourceType": "DiagnosticReport", "id": identity, "status": "final", "conclusion": f"BI-RADS {category}",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        **({"effectiveDateTime": day} if day else {}), **members,
    }  # fmt: skip


def answers(*reports: dict[str, Any]) -> list[str]:
    entries = [{"resource": resource} for resource in reports]
    reading = read_document({"resourceType": "Bundle", "entry": entries}, TERMINOLOGY, TODAY)
    return [f"{case.exam.id.partition('/')[2]} {case.case.reported_category}" for case in cases_for(reading, TODAY)]


@pytest.mark.parametrize(
    ("reports", "answer"),
    [
        ([report("a", "4", "2025-02-10"), report("b", "3")], ["b 3"]),
        ([report("a", "4", "2025-02-10"), report("b", "2")], []),
        ([report("a", "4"), report("b", "0", code=SCREENING)], ["a 4"]),
        ([report("a", "4", code=SCREENING), report("b", "0")], ["b 0"]),
        ([report("a", "4", status="amended"), report("b", "2")], ["a 4"]),
        ([report("a", "3", status="amended"), report("b", "4")], ["a 3"]),
        ([report("a", "4"), report("b", "2")], ["a 4"]),
        ([report("a", "0"), report("b", "4", status="preliminary")], ["a 0"]),
        ([report("a", "4C", "2026-02-01"), report("b", "2", status="preliminary")], ["a 4C"]),
        ([report("a", "2", "2026-02-01"), report("b", "4", status="preliminary")], ["b 4"]),
        ([report("a", "4", "2026-02-01"), report("b", "0", status="registered")], ["b 0", "a 4"]),
        ([report("a", "4", "2026-02-01"), report("b", "2", status="FINAL")], []),
        ([report("a", "2"), report("u", "5", None)], ["u None"]),
        ([report("a", "2"), report("u", "5", "2026-02")], ["u 5"]),
        ([report("a", "4"), report("u", "5", None)], ["a 4", "u None"]),
        ([report("a", "2"), report("u", "2", None)], []),
        ([report("u", "5", None)], ["u 5"]),
    ],
    ids=[
        "the newest", "the newest, benign", "diagnostic before screening", "diagnostic before a higher screening",
        "amended before final", "amended before a higher final", "the more severe of two alike", "final first",
        "a newer preliminary does not silence a final one", "a newer preliminary is named", "both are named",
        "a status in capitals", "undated and actionable is asked about",
        "partly dated and perhaps as late governs too", "beside the one that governs",
        "undated and benign is silent", "undated alone governs",
    ],
)  # fmt: skip
def test_the_exam_that_governs(reports: list[dict[str, Any]], answer: list[str]) -> None:
    assert answers(*reports) == answers(*reversed(reports)) == answer


def test_an_undated_report_beside_a_dated_one_is_reported() -> None:
    entries = [{"resource": report("a", "2")}, {"resource": report("u", "2", None)}]
    reading = read_document({"resourceType": "Bundle", "entry": entries}, TERMINOLOGY, TODAY)
    assert [(item.resource, item.why) for item in reading.unread] == [("DiagnosticReport/u", "no day is stated")]
