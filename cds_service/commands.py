"""What the commands print: each input gives one output in its place, and the exit code says whether all were understood."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import cast

import msgspec
import orjson

from cds_service import patient_view
from cds_service.api import decide_cases, decision_json, reading_json
from cds_service.errors import Issue, RequestError, operation_outcome
from cds_service.json_documents import BadLineError, read_documents
from cds_service.knowledge import Knowledge
from cds_service.settings import Settings
from fhir_models.read import read_document
from rules.case_json import read_case
from rules.engine import Ruleset
from rules.vocabulary import Case

Output = tuple[bytes, bool]
"""One line of output, and whether the input was understood."""


def decide_lines(data: bytes, ruleset: Ruleset) -> list[Output]:
    """Decide every case; one that cannot be read is answered by an OperationOutcome that names its field."""
    read = [_case_or_outcome(document, number) for number, document in enumerate(_spread(read_documents(data)), 1)]
    decisions = iter(decide_cases([item[0] for item in read if not isinstance(item, bytes)], ruleset))
    lines: list[Output] = []
    for item in read:
        if isinstance(item, bytes):
            lines.append((item, False))
        else:
            lines.append((msgspec.json.encode(decision_json(next(decisions), item[1])), True))
    return lines


def read_lines(data: bytes, knowledge: Knowledge, today: date) -> list[Output]:
    """Return a reading for every document."""
    return [
        (document.outcome, False)
        if isinstance(document, BadLineError)
        else (msgspec.json.encode(reading_json(read_document(document, knowledge.terminology, today))), True)
        for document in read_documents(data)
    ]


def call_lines(data: bytes, service: str, knowledge: Knowledge, settings: Settings, today: date) -> list[Output]:
    """Send every request through the service, in process, as the server would answer it."""
    if service != patient_view.SERVICE.id:
        issue = Issue("not-found", f"no service {service}; there is {patient_view.SERVICE.id}")
        return [(operation_outcome([issue]), False)]
    return [_call(document, knowledge, settings, today) for document in read_documents(data)]


def _call(document: object, knowledge: Knowledge, settings: Settings, today: date) -> Output:
    if isinstance(document, BadLineError):
        return document.outcome, False
    try:
        return patient_view.answer(orjson.dumps(document), knowledge, settings, today), True
    except RequestError as error:
        return operation_outcome(error.issues), False


def _spread(documents: Iterable[object]) -> Iterable[object]:
    for document in documents:
        if isinstance(document, list):
            yield from cast("list[object]", document)
        else:
            yield document


def _case_or_outcome(document: object, number: int) -> tuple[Case, tuple[str, ...]] | bytes:
    if isinstance(document, BadLineError):
        return document.outcome
    try:
        return read_case(document)
    except ValueError as error:
        return operation_outcome([Issue("value", str(error), f"case {number}")])
