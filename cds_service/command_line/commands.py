"""What the commands print: each input gives one output in its place, and the exit code says whether all were understood."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, TypeAlias, cast

import msgspec
import orjson

from cds_service.api import decide_cases, decision_json, reading_json
from cds_service.command_line.json_documents import BadLineError, read_documents
from cds_service.command_line.timeline import Timeline, timeline_of
from cds_service.errors import Issue, RequestError, operation_outcome, refusing_too_much
from cds_service.hooks.fhir_version import fhir_version
from cds_service.hooks.service_call import CallContext, Offered, answer_as_sent, context_for
from cds_service.hooks.services import SERVICES
from cds_service.knowledge import Knowledge
from cds_service.protocol.hook_request import encode_answer, read_hook_request
from cds_service.settings import Settings
from fhir_models.read import read_chart_document, read_document
from rules.case_json import read_case
from rules.engine import Ruleset
from rules.vocabulary import Case

if TYPE_CHECKING:
    from fhir_models.conformance import Nonconformity

Checked: TypeAlias = "tuple[Nonconformity, ...]"
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
    return [_read(document, knowledge, today) for document in read_documents(data)]


def _read(document: object, knowledge: Knowledge, today: date) -> Output:
    if isinstance(document, BadLineError):
        return document.outcome, False
    try:
        with refusing_too_much():
            reading = read_document(document, knowledge.terminology, today)
    except RequestError as error:
        return operation_outcome(error.issues), False
    return msgspec.json.encode(reading_json(reading)), True


def call_lines(data: bytes, service: str, knowledge: Knowledge, settings: Settings, today: date) -> list[Output]:
    """Send every request through the service, in process, as the server would answer it."""
    if service not in SERVICES:
        issue = Issue("not-found", f"no service {service}; there are {', '.join(SERVICES)}")
        return [(operation_outcome([issue]), False)]
    context = context_for(knowledge, settings, settings.profile, today)
    return [_call(document, SERVICES[service], context) for document in read_documents(data)]


def timeline_lines(data: bytes, knowledge: Knowledge, today: date) -> list[Timeline | bytes]:
    """Return the timeline of every document, an encoded OperationOutcome for one that cannot be read."""
    return [_timeline(document, knowledge, today) for document in read_documents(data)]


def _timeline(document: object, knowledge: Knowledge, today: date) -> Timeline | bytes:
    if isinstance(document, BadLineError):
        return document.outcome
    try:
        with refusing_too_much():
            return timeline_of(read_chart_document(document, knowledge.terminology, today), knowledge.ruleset, today)
    except RequestError as error:
        return operation_outcome(error.issues)


def check_lines(
    data: bytes, knowledge: Knowledge, settings: Settings, today: date, version: str | None
) -> list[Checked]:
    """Return what is wrong with each document; `version` is R4 or R5, None to tell it by the elements."""
    return [_check(document, knowledge, settings, today, version) for document in read_documents(data)]


def outcome_of(checked: Checked) -> bytes:
    """Return what was found as an OperationOutcome; one that found nothing says so, as it must hold an issue."""
    nothing = Issue("informational", "nothing found", severity="information")
    issues = [Issue(item.code, item.text, item.path, _checked_as(item), item.severity) for item in checked]
    return operation_outcome(issues or [nothing])


def _checked_as(item: Nonconformity) -> str | None:
    return f"checked as FHIR {item.version}" if item.version else None


def _check(document: object, knowledge: Knowledge, settings: Settings, today: date, version: str | None) -> Checked:
    from fhir_models.conformance import Nonconformity, check_document, every_resource  # slow to import

    if isinstance(document, BadLineError):
        return (Nonconformity("error", "structure", "$", str(document)),)
    version = version or fhir_version(every_resource(document), settings.fhir_version)
    envelope = [
        Nonconformity(issue.severity, issue.code, issue.expression or "$", issue.text)
        for issue in _hook_faults(document)
    ]
    return (*envelope, *check_document(document, knowledge.terminology, today, version))


def _hook_faults(document: object) -> Sequence[Issue]:
    """What the services would refuse of a CDS Hooks request; nothing for anything else. Of no hook of ours, patient-view."""
    if not isinstance(document, dict) or "resourceType" in document:
        return ()
    hook = cast("dict[str, object]", document).get("hook")
    ours = [offered.service.hook for offered in SERVICES.values()]
    try:
        read_hook_request(orjson.dumps(document), str(hook) if hook in ours else ours[0])
    except RequestError as error:
        return error.issues
    return ()


def _call(document: object, offered: Offered, context: CallContext) -> Output:
    if isinstance(document, BadLineError):
        return document.outcome, False
    try:
        request = read_hook_request(orjson.dumps(document), offered.service.hook)
        return encode_answer(answer_as_sent(offered, request, context).cards), True
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
