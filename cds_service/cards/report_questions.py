"""What in one report disagrees: words with category, category with context and management, sides with each other."""

from __future__ import annotations

from cds_service.cards.answers import Decided
from fhir_models.chart.governing import ACTIONABLE
from fhir_models.findings import SIDE_CONFLICT
from fhir_models.sides import ONE_BREAST
from rules.vocabulary import Discordance, Laterality, MorphologyClass, Presence

NOTED_ONLY = (Discordance.DESCRIPTOR_HIGHER_MINOR,)
"""Questions that change nothing if they stay open."""


def questions_of(item: Decided) -> tuple[str, ...]:
    """Return what disagrees in a finding and its category, as the card text names it; nothing where all fits together."""
    case, finding = item.finding, item.finding.finding
    discordance = item.decision.discordance
    asked = {
        "side_conflict": finding is not None and SIDE_CONFLICT in finding.notes,
        "breast_removed": item.loop.facts.breast == "removed_before",
        "presence_conflict": case.case.presence == Presence.CONFLICT,
        str(discordance): discordance != Discordance.NONE,
        "category_on_other_side": _is_rated_elsewhere(item),
        "category_conflict": case.exam.category.conflict,
    }
    return tuple(name for name, holds in asked.items() if holds)


def other_category(item: Decided) -> str | None:
    """Return the category of the breast that a finding is not in."""
    category = item.finding.exam.category
    return {Laterality.LEFT: category.right, Laterality.RIGHT: category.left}.get(item.finding.laterality)


def _is_rated_elsewhere(item: Decided) -> bool:
    """Whether calcifications that may matter stand in one breast, and only the other, without any, has a category."""
    case, exam = item.finding, item.finding.exam
    if case.finding is None or case.laterality not in ONE_BREAST or case.case.reported_category:
        return False
    described = {finding.laterality for finding in exam.findings if finding.presence != "absent"}
    matters = item.decision.morphology_class != MorphologyClass.TYPICALLY_BENIGN
    return matters and described == {case.laterality} and other_category(item) in ACTIONABLE
