"""JSON as people hand it over: one document over many lines, or JSON Lines. A bad line keeps its place as an error."""

from __future__ import annotations

from cds_service.errors import Issue, operation_outcome
from fhir_models.strict_json import JsonError, parse_json


class BadLineError(Exception):
    """A line that is not JSON; `outcome` is the OperationOutcome that stands in its place."""

    def __init__(self, issue: Issue) -> None:
        super().__init__(issue.text)
        self.outcome = operation_outcome([issue])


def read_documents(data: bytes) -> list[object]:
    """Return the documents in order; a line that cannot be read is a `BadLineError` in its place."""
    try:
        return [parse_json(data)]
    except JsonError as whole:
        lines = [(number, line) for number, line in enumerate(data.split(b"\n"), 1) if line.strip()]
        if len(lines) < 2 or not any(_is_document(line) for _, line in lines):
            return [BadLineError(Issue("structure", str(whole)))]
    return [_read_line(number, line) for number, line in lines]


def _is_document(line: bytes) -> bool:
    try:
        return isinstance(parse_json(line), dict)
    except JsonError:
        return False


def _read_line(number: int, line: bytes) -> object:
    try:
        return parse_json(line)
    except JsonError as error:
        return BadLineError(Issue("structure", f"line {number}: {error}", f"line {number}"))
