"""The assessment categories of an exam: overall and for each breast, from codes first, then from numbers in words."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from fhir_models.category_text import category_mentions, has_addendum, most_severe, reconcile, severity
from fhir_models.reading import Evidence, ExamCategory
from fhir_models.terminology import Terminology
from fhir_models.views import CodeableConcept
from rules.vocabulary import Laterality

OVERALL = "overall"

LEGEND = 4
"""So many numbers in one text explain the scheme: none of them is taken to raise the code."""


class Stated(msgspec.Struct, frozen=True):
    """One category as stated; `side` is overall, left or right."""

    category: str
    system: str
    basis: str
    side: str
    conflict: bool
    evidence: Evidence


def coded_category(value: CodeableConcept, side: str, evidence: Evidence, terminology: Terminology) -> Iterable[Stated]:
    """Yield the category that a CodeableConcept in the place of an assessment states for a side."""
    found = terminology.meaning(value).answer
    if found is not None:
        yield Stated(found.category, found.system, found.basis, side, found.conflict, evidence)


def worded_categories(text: str, evidence: Evidence) -> Iterable[Stated]:
    """Yield the numbered categories of a report's conclusion, for the side that their sentence names."""
    for mention in category_mentions(text):
        yield Stated(mention.category, mention.system, "number", mention.laterality or OVERALL, False, evidence)


def exam_category(stated: Iterable[Stated]) -> ExamCategory:
    """Join what was stated: codes of one place are weighed against the words of the same place."""
    everything = list(stated)
    systems = {item.system for item in everything}
    system = "RCR" if systems == {"RCR"} else "BI-RADS"
    used = [item for item in everything if item.system == system]
    words = [item.category for item in used if item.basis == "number"]
    conflict = any(item.conflict for item in used)
    joined: dict[str, str | None] = {}
    for side in (OVERALL, "left", "right"):
        coded = most_severe(item.category for item in used if item.side == side and item.basis == "coded")
        worded = [item.category for item in used if item.side == side and item.basis == "number"]
        if coded is None:
            joined[side] = most_severe(worded)
            continue
        joined[side], differs = reconcile(coded, (words if side == OVERALL else worded) or ())
        numbered = (item for item in used if item.side == side and item.basis == "number")
        raised = most_severe(_amended(numbered, coded))
        if raised and severity(raised) > severity(joined[side] or ""):
            joined[side], differs = raised, True
        conflict = conflict or differs
    coded_any = any(item.basis == "coded" for item in used)
    return ExamCategory(
        overall=joined[OVERALL],
        left=joined["left"],
        right=joined["right"],
        basis=None if not used else "coded" if coded_any else "number",
        system=system,
        conflict=conflict,
        evidence=tuple(dict.fromkeys(item.evidence for item in used)),
    )


def _amended(worded: Iterable[Stated], coded: str) -> Iterable[str]:
    """Yield the categories in words that may raise the code, though it stands there too: an addendum leaves it.

    Behind the code's own they amend it; before it they mostly are of an earlier exam, unless the text has an addendum.
    """
    by_text: dict[Evidence, list[str]] = {}
    for item in worded:
        by_text.setdefault(item.evidence, []).append(item.category)
    for evidence, categories in by_text.items():
        if len({category[0] for category in categories}) < LEGEND:
            is_behind = coded in categories and not has_addendum(evidence.text)
            yield from categories[categories.index(coded) :] if is_behind else categories


def category_side(laterality: Laterality) -> str:
    """Return the place of a category that stands on an Observation of this side."""
    return laterality if laterality in (Laterality.LEFT, Laterality.RIGHT) else OVERALL
