"""The text of a report: its conclusion, and forms of plain text; what else it brings is reported, not read."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any, cast

from fhir_models.chart.tissue_table import TABLE
from fhir_models.entries import Entries, Resource
from fhir_models.reading import Unread
from fhir_models.views import DiagnosticReport

LONGEST_TEXT = 200_000
"""Characters of one text that are read; ten times what the longest reports have."""

LONGEST_FORM = 200_000
"""Bytes of a plain text form."""

TOO_LONG = "too long to be read to its end"
NOT_READ = "the report's text was not read"


def report_texts(
    resource: Resource, view: DiagnosticReport, entries: Entries
) -> tuple[tuple[tuple[str, str], ...], bool]:
    """Return the texts of a report with their elements, and whether one was too long to be read to its end."""
    texts: list[tuple[str, str]] = []
    cut = False
    found = [("conclusion", view.conclusion or "")]
    for index, form in enumerate(view.presentedForm or ()):
        element = f"presentedForm[{index}]"
        text = _plain_text(form)
        if text is None and _size(form) > LONGEST_FORM and _is_plain(form):
            entries.unread.append(Unread(resource.reference, f"{resource.path}.{element}", TOO_LONG))
            cut = True
        found.append((element, text or ""))
    for element, text in found:
        if len(text) > LONGEST_TEXT:
            entries.unread.append(Unread(resource.reference, f"{resource.path}.{element}", TOO_LONG))
            cut = True
        if text.strip():
            texts.append((element, text[:LONGEST_TEXT]))
    return tuple(texts), cut


def unread_texts(resource: Resource, view: DiagnosticReport) -> Iterator[Unread]:
    """Yield the forms and the narrative that are not read; they count where nothing else said anything."""
    for index, form in enumerate(view.presentedForm or ()):
        if _plain_text(form) is None:
            yield Unread(resource.reference, f"{resource.path}.presentedForm[{index}]", NOT_READ)
    if view.text and view.text.div:
        yield Unread(resource.reference, f"{resource.path}.text", NOT_READ)


def _members(form: object) -> dict[str, Any]:
    return cast("dict[str, Any]", form) if isinstance(form, dict) else {}


def _is_plain(form: object) -> bool:
    kind = _members(form).get("contentType")
    return isinstance(kind, str) and kind.partition(";")[0].strip().lower() == TABLE.reports.plain_text


def _size(form: object) -> int:
    """Bytes of a form once decoded."""
    data = _members(form).get("data")
    return len(data) * 3 // 4 if isinstance(data, str) else 0


def _plain_text(form: object) -> str | None:
    """Return the words of a form of plain text, None where it is another, too long, or no base64."""
    if not _is_plain(form) or not 0 < _size(form) <= LONGEST_FORM + 2:
        return None
    try:
        content = base64.b64decode("".join(_members(form)["data"].split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")
