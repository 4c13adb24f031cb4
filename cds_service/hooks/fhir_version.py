"""Which FHIR version a client speaks. The protocol does not say, so it is told by elements that one version alone has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cds_service.errors import Issue, RequestError
from fhir_models.entries import Located

R5_ELEMENTS: Mapping[str, frozenset[str]] = {
    "DiagnosticReport": frozenset({"study", "supportingInfo", "composition"}),
    "Observation": frozenset({"triggeredBy", "bodyStructure", "instantiatesCanonical", "instantiatesReference"}),
    "Procedure": frozenset({"occurrenceDateTime", "occurrencePeriod", "recorded", "reportedBoolean", "focus"}),
    "ServiceRequest": frozenset({"reason", "bodyStructure", "focus"}),
    "Appointment": frozenset({"reason", "virtualService", "account"}),
}
"""Elements that R5 has and R4 and R4B have not."""

REPORT_BEFORE_R4 = "codedDiagnosis"
"""Where DSTU2 and STU3 put the assessment category. It would go unread, and the report seem to have none."""

ORDERS_BEFORE_R4 = frozenset({"DiagnosticOrder", "DiagnosticRequest", "ProcedureRequest", "ReferralRequest"})
"""What DSTU2 and STU3 call an order of an exam. It would go unread, and nothing seem to be ordered."""

EPIC_EXTENSION = "com.epic.cdshooks.request.fhir-version"


def fhir_version(resources: Iterable[Located], default: str) -> str:
    """Return "R5" if a resource has an element that only R5 knows, else `default`."""
    for _, resource, _ in resources:
        marks = R5_ELEMENTS.get(str(resource.get("resourceType")))
        code = resource.get("code")
        if marks and (not marks.isdisjoint(resource) or (isinstance(code, dict) and "concept" in code)):
            return "R5"
    return default


def refuse_old_versions(extension: Mapping[str, object], resources: Iterable[Located]) -> None:
    """Refuse what says that it is DSTU2 or STU3.

    Raises:
        RequestError: 412 naming the extension or the element.
    """
    if extension.get(EPIC_EXTENSION) in ("DSTU2", "STU3"):
        raise _not_supported(f"extension.{EPIC_EXTENSION}")
    for path, resource, _ in resources:
        if REPORT_BEFORE_R4 in resource and resource["resourceType"] == "DiagnosticReport":
            raise _not_supported(f"{path}.{REPORT_BEFORE_R4}")


def refuse_old_orders(resources: Iterable[Located]) -> None:
    """Refuse orders of DSTU2 or STU3.

    Raises:
        RequestError: 412 naming the order.
    """
    for path, resource, _ in resources:
        if str(resource.get("resourceType")) in ORDERS_BEFORE_R4:
            raise _not_supported(path)


def _not_supported(path: str) -> RequestError:
    return RequestError(412, Issue("not-supported", "FHIR before R4 is not read; send R4, R4B or R5", path))
