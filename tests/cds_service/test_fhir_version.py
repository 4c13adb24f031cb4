"""The FHIR version shows in the elements; what is too old to be read is refused instead of half read."""

from __future__ import annotations

from typing import Any

import pytest
from fhir.resources import get_fhir_model_class
from fhir.resources.R4B import get_fhir_model_class as get_r4b_model_class
from fhir.resources.STU3 import get_fhir_model_class as get_stu3_model_class

from cds_service.errors import RequestError
from cds_service.hooks.fhir_version import (
    EPIC_EXTENSION,
    R5_ELEMENTS,
    REPORT_BEFORE_R4,
    fhir_version,
    refuse_old_versions,
)
from fhir_models.entries import Located


def elements(model: Any) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


@pytest.mark.parametrize(("kind", "element"), [(kind, name) for kind, names in R5_ELEMENTS.items() for name in names])
def test_each_mark_of_r5_is_an_element_of_r5_and_of_no_earlier_version(kind: str, element: str) -> None:
    assert element in elements(get_fhir_model_class(kind))
    assert element not in elements(get_r4b_model_class(kind))


@pytest.mark.parametrize(
    ("resource", "version"),
    [
        ({"resourceType": "DiagnosticReport", "imagingStudy": []}, "R4"),
        ({"resourceType": "DiagnosticReport", "study": []}, "R5"),
        ({"resourceType": "Procedure", "performedDateTime": "2026"}, "R4"),
        ({"resourceType": "Procedure", "occurrenceDateTime": "2026"}, "R5"),
        ({"resourceType": "ServiceRequest", "occurrenceDateTime": "2026"}, "R4"),
        ({"resourceType": "Task", "focus": {}}, "R4"),
    ],
)
def test_the_fhir_version_shows_in_the_elements(resource: dict[str, Any], version: str) -> None:
    assert fhir_version([Located("prefetch.reports", resource)], "R4") == version


def test_the_mark_of_an_old_report_is_an_element_of_no_version_that_is_read() -> None:
    assert REPORT_BEFORE_R4 in elements(get_stu3_model_class("DiagnosticReport"))
    assert REPORT_BEFORE_R4 not in elements(get_r4b_model_class("DiagnosticReport"))
    assert REPORT_BEFORE_R4 not in elements(get_fhir_model_class("DiagnosticReport"))


@pytest.mark.parametrize(
    ("extension", "resource", "named"),
    [
        ({EPIC_EXTENSION: "STU3"}, {"resourceType": "DiagnosticReport"}, f"extension.{EPIC_EXTENSION}"),
        ({}, {"resourceType": "DiagnosticReport", "codedDiagnosis": []}, "prefetch.reports.codedDiagnosis"),
    ],
)
def test_a_version_before_r4_is_refused(extension: dict[str, str], resource: dict[str, Any], named: str) -> None:
    """Its category would go unread, and an unread category must not look like none."""
    with pytest.raises(RequestError) as caught:
        refuse_old_versions(extension, [Located("prefetch.reports", resource)])
    assert (caught.value.status, caught.value.issues[0].expression) == (412, named)


def test_a_version_that_is_read_is_not_refused() -> None:
    resource = {"resourceType": "DiagnosticReport", "conclusionCode": []}
    refuse_old_versions({EPIC_EXTENSION: "R4"}, [Located("prefetch.reports", resource)])
