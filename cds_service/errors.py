"""Errors that leave the service: a status and a FHIR OperationOutcome that names the field, never patient data."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager

import msgspec
import orjson

from fhir_models.reading import TooMuchError


class Issue(msgspec.Struct, frozen=True):
    """One fault of a request.

    `code` is a FHIR IssueType (structure, required, value, not-found, not-supported, too-long, ...), `expression` the
    path of the field in the request ("context.patientId"), `severity` an IssueSeverity. No member may repeat what the
    client sent.
    """

    code: str
    text: str
    expression: str | None = None
    diagnostics: str | None = None
    severity: str = "error"


class RequestError(Exception):
    """The request cannot be answered: `status` is 4xx or 5xx, `headers` go with the answer."""

    def __init__(self, status: int, *issues: Issue, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, *(issue.text for issue in issues))
        self.status = status
        self.issues = issues
        self.headers = headers or {}


@contextmanager
def refusing_too_much() -> Generator[None]:
    """Answer a chart that is more than can be read and judged in one call.

    Raises:
        RequestError: 413.
    """
    try:
        yield
    except TooMuchError as error:
        raise RequestError(413, Issue("too-costly", str(error), "prefetch")) from None


def operation_outcome(issues: Sequence[Issue]) -> bytes:
    """Return the issues as a FHIR OperationOutcome (the same in R4 and R5), encoded."""
    return orjson.dumps({"resourceType": "OperationOutcome", "issue": [_issue(issue) for issue in issues]})


def _issue(issue: Issue) -> dict[str, object]:
    fields: dict[str, object] = {"severity": issue.severity, "code": issue.code, "details": {"text": issue.text}}
    if issue.diagnostics:
        fields["diagnostics"] = issue.diagnostics
    if issue.expression:
        fields["expression"] = [issue.expression]
    return fields
