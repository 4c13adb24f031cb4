"""The texts of a pathology report that are read: conclusion and plain text, of bounded length; the rest is reported."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fhir_models.entries import Entries, Resource
from fhir_models.reading import Unread
from fhir_models.report_texts import plain_text
from fhir_models.report_texts import report_texts as texts_of
from fhir_models.views import DiagnosticReport

LONGEST_TEXT = 20_000
"""Characters of one text that are read; more than the longest pathology reports have."""

TEXT_OF_A_CALL = 60_000
"""Characters of all texts of one call that are read, newest report first, so that no call takes seconds."""

TOO_LONG = "too long to be read to its end"
NOT_READ = "the report's text was not read"


class Allowance(msgspec.Struct):
    """How many characters may still be read in this call."""

    left: int = TEXT_OF_A_CALL

    def take(self, text: str) -> str:
        """Return as much of a text as may be read, and count it."""
        taken = text[: min(LONGEST_TEXT, self.left)]
        self.left -= len(taken)
        return taken


def report_texts(
    resource: Resource, view: DiagnosticReport, entries: Entries, allowance: Allowance
) -> tuple[tuple[tuple[str, str], ...], bool]:
    """Return the texts of a report with their elements, and whether one was too long to be read to its end."""
    texts: list[tuple[str, str]] = []
    cut = False
    for element, text in texts_of(view):
        taken = allowance.take(text)
        if len(taken) < len(text):
            entries.unread.append(Unread(resource.reference, f"{resource.path}.{element}", TOO_LONG))
            cut = True
        if taken.strip():
            texts.append((element, taken))
    return tuple(texts), cut


def unread_texts(resource: Resource, view: DiagnosticReport) -> Iterator[Unread]:
    """Yield the forms and the narrative that are not read; they count where nothing else said anything."""
    for index, form in enumerate(view.presentedForm or ()):
        if plain_text(form) is None:
            yield Unread(resource.reference, f"{resource.path}.presentedForm[{index}]", NOT_READ)
    if view.text and view.text.div:
        yield Unread(resource.reference, f"{resource.path}.text", NOT_READ)
