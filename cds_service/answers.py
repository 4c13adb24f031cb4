"""What each breast calls for: every finding is decided, the most urgent one leads (evidence section 6, P6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from fhir_models.cases import FindingCase
from fhir_models.category_text import severity
from rules.engine import Ruleset, decide
from rules.vocabulary import URGENCY, Decision, Indicator, Laterality, Recommendation

SILENT = (Recommendation.NO_CARD, Recommendation.ROUTINE_SCREENING)
"""Withdrawn reports, and calcifications that a report denies without asking for anything else."""

Decided = tuple[FindingCase, Decision]


class BreastAnswer(msgspec.Struct, frozen=True):
    """The findings of one breast with their decisions, most urgent first. Bilateral: the same holds for both."""

    laterality: Laterality
    findings: tuple[Decided, ...]

    @property
    def headline(self) -> Decision:
        """The decision that leads."""
        return self.findings[0][1]


def answer_breasts(cases: Sequence[FindingCase], ruleset: Ruleset) -> tuple[BreastAnswer, ...]:
    """Decide every finding and group by breast; a bilateral finding speaks for both, one without side for itself."""
    decided = [
        (case, decision) for case in cases if (decision := decide(case.case, ruleset)).recommendation not in SILENT
    ]
    both = [item for item in decided if item[0].laterality == Laterality.BILATERAL]
    answers: list[BreastAnswer] = []
    for side in (Laterality.LEFT, Laterality.RIGHT):
        own = [item for item in decided if item[0].laterality == side]
        if own:
            answers.append(_answer(side, [*own, *both]))
        elif both:
            answers.append(_answer(side, both))
    if len(answers) == 2 and _same(*answers):
        answers = [_answer(Laterality.BILATERAL, _distinct((*answers[0].findings, *answers[1].findings)))]
    sideless = [item for item in decided if item[0].laterality == Laterality.UNKNOWN]
    if sideless:
        answers.append(_answer(Laterality.UNKNOWN, sideless))
    return tuple(answers)


def _answer(laterality: Laterality, findings: Iterable[Decided]) -> BreastAnswer:
    return BreastAnswer(laterality, tuple(sorted(findings, key=_precedence, reverse=True)))


def _precedence(item: Decided) -> tuple[int, ...]:
    """Most urgent first; of equally urgent ones the one with the graver indicator, then the more severe category."""
    decision = item[1]
    categories = (decision.estimated_category, decision.category_if_confirmed)
    gravest = max(severity(part) for stated in categories for part in stated.split("-"))
    return URGENCY[decision.recommendation], tuple(Indicator).index(decision.indicator), gravest


def _same(left: BreastAnswer, right: BreastAnswer) -> bool:
    def lead(answer: BreastAnswer) -> tuple[object, ...]:
        decision = answer.headline
        return (
            answer.findings[0][0].exam.id,
            decision.recommendation,
            decision.interval_months,
            decision.estimated_category,
            decision.discordance,
            decision.flags,
        )

    return lead(left) == lead(right)


def _distinct(findings: Iterable[Decided]) -> Iterable[Decided]:
    seen: set[int] = set()
    for item in findings:
        if id(item[0]) not in seen:
            seen.add(id(item[0]))
            yield item
