"""The plain interface for people without a shell: `decide` and `read` over HTTP, an object or an array of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import cast

import msgspec

from cds_service.errors import Issue, RequestError
from cds_service.knowledge import Knowledge
from fhir_models.read import read_document
from fhir_models.strict_json import JsonError, parse_json
from rules.case_json import read_case
from rules.engine import Ruleset, decide_report
from rules.vocabulary import Case, Decision


def answer_decide(body: bytes, knowledge: Knowledge) -> bytes:
    """Return the decision for a case, or an array of decisions for an array of cases.

    Raises:
        RequestError: 400, not JSON or not a case; names the field.
    """
    document = _parse(body)
    many = isinstance(document, list)
    documents = cast("list[object]", document) if many else [document]
    decisions = decide_cases([_read_case(case, index) for index, case in enumerate(documents)], knowledge.ruleset)
    return msgspec.json.encode(decisions if many else decisions[0])


def answer_read(body: bytes, knowledge: Knowledge, today: date) -> bytes:
    """Return what is read from a FHIR resource, Bundle or CDS Hooks request, or from each of an array.

    Raises:
        RequestError: 400, not JSON.
    """
    document = _parse(body)
    if isinstance(document, list):
        readings = [read_document(item, knowledge.terminology, today) for item in cast("list[object]", document)]
        return msgspec.json.encode(readings)
    return msgspec.json.encode(read_document(document, knowledge.terminology, today))


def decide_cases(cases: Sequence[Case], ruleset: Ruleset) -> list[Decision]:
    """Return a decision for each case, in order; cases that share a `report_id` are decided as findings of one report."""
    reports: dict[object, list[int]] = {}
    for index, case in enumerate(cases):
        reports.setdefault(index if case.report_id is None else case.report_id, []).append(index)
    decided: dict[int, Decision] = {}
    for indexes in reports.values():
        decided.update(zip(indexes, decide_report([cases[index] for index in indexes], ruleset), strict=True))
    return [decided[index] for index in range(len(cases))]


def _parse(body: bytes) -> object:
    try:
        return parse_json(body)
    except JsonError as error:
        raise RequestError(400, Issue("structure", f"the body is not acceptable JSON: {error}")) from None


def _read_case(document: object, index: int) -> Case:
    try:
        case, _ = read_case(document)
    except ValueError as error:
        raise RequestError(400, Issue("value", str(error), f"[{index}]")) from None
    return case
