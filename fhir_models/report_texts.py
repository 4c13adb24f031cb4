"""The texts of a report that are read for its categories: the conclusion, and attachments of plain text."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

from fhir_models.views import DiagnosticReport

LONGEST_TEXT = 200_000
"""Characters; ten times what the longest reports have. A longer one is reported and not read."""

_PLAIN = "text/plain"


class ReportText(NamedTuple):
    """A text with the element in which it stands."""

    element: str
    text: str


def report_texts(report: DiagnosticReport) -> Iterator[ReportText]:
    """Yield the conclusion and every plain text attachment; other forms, and addresses, are not opened."""
    if report.conclusion:
        yield ReportText("conclusion", report.conclusion)
    for index, form in enumerate(report.presentedForm or ()):
        text = plain_text(form)
        if text:
            yield ReportText(f"presentedForm[{index}].data", text)


def plain_text(form: object) -> str | None:
    """Return the words of an attachment of plain text, None where it is of another form, too long, or no base64."""
    members = cast("dict[str, Any]", form) if isinstance(form, dict) else {}
    kind, data = members.get("contentType"), members.get("data")
    if not isinstance(kind, str) or not isinstance(data, str) or kind.partition(";")[0].strip().lower() != _PLAIN:
        return None
    if len(data) > LONGEST_TEXT * 4:
        return None
    try:
        content = base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")
