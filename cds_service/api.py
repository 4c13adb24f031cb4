"""The plain interface for people without a shell: `decide` and `read` over HTTP, an object or an array of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import cast

import msgspec

from cds_service.errors import Issue, RequestError, refusing_too_much
from cds_service.knowledge import Knowledge
from fhir_models.read import read_document
from fhir_models.reading import Reading
from fhir_models.strict_json import JsonError, parse_json
from rules.case_json import read_case
from rules.engine import Ruleset, decide, decide_report
from rules.vocabulary import Case, Decision

_OWN_MEMBERS = frozenset({"days", "issued", "revision", "addendum", "identifiers", "based_on", "study"})
"""Members of an exam that are no part of the contract."""


def answer_decide(body: bytes, knowledge: Knowledge) -> bytes:
    """Return the decision for a case, or an array of decisions for an array of cases.

    Raises:
        RequestError: 400, not JSON or not a case; names the field.
    """
    document = _parse(body)
    many = isinstance(document, list)
    documents = cast("list[object]", document) if many else [document]
    read = [_read_case(case, index) for index, case in enumerate(documents)]
    decisions = decide_cases([case for case, _ in read], knowledge.ruleset)
    answers = [decision_json(decision, ignored) for decision, (_, ignored) in zip(decisions, read, strict=True)]
    return msgspec.json.encode(answers if many else answers[0])


def answer_read(body: bytes, knowledge: Knowledge, today: date) -> bytes:
    """Return what is read from a FHIR resource, Bundle or CDS Hooks request, or from each of an array.

    Raises:
        RequestError: 400 not JSON, 413 more than can be read.
    """
    document = _parse(body)
    items = cast("list[object]", document) if isinstance(document, list) else [document]
    with refusing_too_much():
        readings = [reading_json(read_document(item, knowledge.terminology, today)) for item in items]
    return msgspec.json.encode(readings if isinstance(document, list) else readings[0])


def decide_cases(cases: Sequence[Case], ruleset: Ruleset) -> list[Decision]:
    """Return a decision for each case, in order; cases that share a `report_id` are decided as findings of one report."""
    reports: dict[str, list[int]] = {}
    decided: dict[int, Decision] = {}
    for index, case in enumerate(cases):
        if case.report_id is None:
            decided[index] = decide(case, ruleset)
        else:
            reports.setdefault(case.report_id, []).append(index)
    for indexes in reports.values():
        decided.update(zip(indexes, decide_report([cases[index] for index in indexes], ruleset), strict=True))
    return [decided[index] for index in range(len(cases))]


def decision_json(decision: Decision, ignored: Sequence[str] = ()) -> dict[str, object]:
    """Return a decision as the contract shows it; members that belong to some decisions only are left out elsewhere."""
    members = cast("dict[str, object]", msgspec.to_builtins(decision))
    optional = {"case_id": decision.case_id, "report_recommendation": decision.report_recommendation}
    members.update(ignored_fields=list(ignored), policy=list(decision.policy))
    dropped = {name for name, value in optional.items() if value is None}
    dropped |= {name for name in ("ignored_fields", "policy") if not members[name]}
    return {name: value for name, value in members.items() if name not in dropped}


def reading_json(reading: Reading) -> dict[str, object]:
    """Return a reading as the contract shows it: every member there, what only tells versions apart left out."""
    members = cast("dict[str, object]", msgspec.to_builtins(reading))
    exams = cast("list[dict[str, object]]", members["exams"])
    members["exams"] = [{name: value for name, value in exam.items() if name not in _OWN_MEMBERS} for exam in exams]
    return members


def _parse(body: bytes) -> object:
    try:
        return parse_json(body)
    except JsonError as error:
        raise RequestError(400, Issue("structure", f"the body is not acceptable JSON: {error}")) from None


def _read_case(document: object, index: int) -> tuple[Case, tuple[str, ...]]:
    try:
        return read_case(document)
    except ValueError as error:
        raise RequestError(400, Issue("value", str(error), f"[{index}]")) from None
