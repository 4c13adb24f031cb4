"""The card for the radiologist who reads or signs a report: what in it disagrees, before anything is ordered by it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import uuid4

from cds_service.cards.answers import BreastAnswer, Decided
from cds_service.cards.card_context import CardContext
from cds_service.cards.cards import OVERRIDES, SUMMARY_LIMIT, decision_members, source_of
from cds_service.cards.detail import basis, classified, gap_lines, what_was_read
from cds_service.cards.report_questions import NOTED_ONLY, other_category, questions_of
from cds_service.cards.text import TEXT, category_of, described, first_of, reported
from rules.engine import Ruleset
from rules.vocabulary import Indicator

TOPIC = "report_review"


def report_card(answer: BreastAnswer, status: str | None, context: CardContext, ruleset: Ruleset) -> dict[str, Any]:
    """Return the card of a breast whose findings disagree with what the report makes of them.

    `status` is the report's as sent, named where it is not final yet.
    """
    item = answer.headline
    questions = questions_of(item)
    noted = all(name in NOTED_ONLY for finding in answer.findings for name in questions_of(finding))
    members = {**decision_members(answer, context), "questions": list(questions)}
    return {
        "uuid": str(uuid4()),
        "summary": _summary(answer, questions[0]),
        "detail": "\n\n".join(part for part in _detail(answer, status, context, ruleset) if part),
        "indicator": Indicator.INFO if noted else Indicator.WARNING,
        "source": source_of(TOPIC, context),
        "overrideReasons": OVERRIDES,
        "extension": {"org.fleck.decision": members},
    }


def _summary(answer: BreastAnswer, question: str) -> str:
    item = answer.headline
    side = TEXT["report_side"].get(question) or TEXT["side"][answer.laterality]
    summary = f"{side}: {TEXT['report_summary'][question].format(**_words(item))}"
    words = f" ({described(item.finding)})" if item.finding.finding else ""
    return summary + words if len(summary) + len(words) <= SUMMARY_LIMIT else summary


def _detail(answer: BreastAnswer, status: str | None, context: CardContext, ruleset: Ruleset) -> Iterable[str | None]:
    item = answer.headline
    yield "\n".join(["**To check before signing:**" if status else "**To check:**", *_questions(item)])
    yield what_was_read(item.finding)
    yield classified(item.finding, item.decision)
    yield f"**Why.** {item.decision.rationale}"
    yield _others(answer.findings[1:])
    yield TEXT["report_status"].format(status=status) if status else None
    yield from gap_lines(item.finding, context.gaps)
    yield basis(item, ruleset)


def _others(findings: Sequence[Decided]) -> str | None:
    asked = (
        f"- {described(item.finding)}{reported(item.finding)}: {line.removeprefix('- ')}"
        for item in findings
        for line in _questions(item)
    )
    return "\n".join(["**Other findings of this breast:**", *first_of(asked)]) if findings else None


def _questions(item: Decided) -> list[str]:
    return [f"- {TEXT['report_question'][name].format(**_words(item))}" for name in questions_of(item)]


def _words(item: Decided) -> dict[str, str]:
    derived = item.decision.category_if_confirmed
    case = item.finding
    return {
        "reported": category_of(case) or "no category",
        "derived": "" if derived in ("NA", "undetermined") else f" (category {derived})",
        "other": f"{case.exam.category.system} {other_category(item)}",
    }
