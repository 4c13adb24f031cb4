"""A breast's answer as a CDS Hooks card. The words stand in `text.toml`, the only place with card text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import msgspec

from cds_service.cards.answers import BreastAnswer, Decided
from cds_service.cards.card_context import CardContext
from cds_service.cards.detail import data_gaps, detail_of, evidence_of
from cds_service.cards.state import state_reason, state_summary
from cds_service.cards.suggestions import Suggestion, usual_suggestion
from cds_service.cards.text import TEXT, act_of, described, reported
from fhir_models.days import add_months
from fhir_models.orders import OrderTemplates
from rules.engine import Ruleset
from rules.follow_up import LoopState
from rules.vocabulary import Indicator, Laterality, Recommendation, ReportStatus

SUMMARY_LIMIT = 139
"""Longest summary that every client accepts: CDS Hooks asks for fewer than 140 characters."""

TOPIC_SYSTEM = "urn:fleck:recommendation"
OVERRIDE_SYSTEM = "urn:fleck:override-reason"
SOURCE_LABEL = "Fleck: breast calcification decision table"
MAX_EVIDENCE, LONGEST_EVIDENCE = 100, 1000
"""Pieces of evidence in the extension, and characters of each; the path leads to the rest."""

OVERRIDES = [{**reason, "system": OVERRIDE_SYSTEM} for reason in TEXT["override"]]


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """What is being placed, and why it is not what the breast's finding calls for: said first on the finding's card.

    `summary` stands after the act where there is room, `detail` before everything else; `indicator` is the card's;
    `suggestion` stands in the place of the usual one, or of none; `members` join the card's extension.
    """

    summary: str | None
    detail: str
    indicator: Indicator
    suggestion: Suggestion | None
    members: Mapping[str, str]


def cards_for(
    answers: Sequence[BreastAnswer], context: CardContext, ruleset: Ruleset, orders: OrderTemplates
) -> list[dict[str, Any]]:
    """Return one card for each breast that has something to say."""
    sideless = next((_elsewhere(answer) for answer in answers if answer.laterality == Laterality.UNKNOWN), None)
    return [
        _card(
            answer,
            None if answer.laterality == Laterality.UNKNOWN else sideless,
            context,
            ruleset,
            usual_suggestion(answer, context, orders),
        )
        for answer in answers
        if _worth_saying(answer, context)
    ]


def unreadable_card(context: CardContext, ruleset: Ruleset) -> dict[str, Any]:
    """Return the card for mammography content that came but could not be read: silence would mean "nothing to do"."""
    recommendation = Recommendation.CLINICIAN_REVIEW
    lines = [
        "Mammography content was received that could not be read; no advice is given on the rest.",
        *data_gaps(context.gaps),
    ]
    return {
        "uuid": str(uuid4()),
        "summary": f"{TEXT['side']['unknown']}: {TEXT['act'][recommendation]} - mammography content could not be read",
        "detail": "\n\n".join(lines),
        "indicator": "warning",
        "source": source_of(recommendation, context),
        "overrideReasons": OVERRIDES,
        "extension": {
            "org.fleck.decision": {
                "laterality": Laterality.UNKNOWN,
                "recommendation": recommendation,
                "table_version": ruleset.version,
                "state": "unreadable",
                "missing": [f"{item.resource} {item.why}" for item in context.gaps.unread[:MAX_EVIDENCE]],
            }
        },
    }


def remarked_card(answer: BreastAnswer, remark: Remark, context: CardContext, ruleset: Ruleset) -> dict[str, Any]:
    """Return the card of a breast whose finding asks for something else than what is being placed."""
    card = _card(answer, None, context, ruleset, remark.suggestion)
    card["summary"] = _summary(answer, remark.summary)
    card["detail"] = f"{remark.detail}\n\n{card['detail']}"
    card["indicator"] = remark.indicator
    card["extension"]["org.fleck.decision"].update(remark.members)
    return card


def _worth_saying(answer: BreastAnswer, context: CardContext) -> bool:
    """A breast whose most urgent finding the site hides gets no card: a lesser one would play it down."""
    if not context.profile.shows(answer.headline.now.recommendation):
        return False
    if answer.headline.now.recommendation != Recommendation.NO_FOLLOW_UP:
        return True
    days = answer.headline.finding.exam.days
    months = context.profile.benign_card_months
    return months > 0 and (days is None or add_months(days.last, months) >= context.today)


def _elsewhere(answer: BreastAnswer) -> str:
    item = answer.headline
    return f"**Also in what was read, side not stated:** {act_of(item)}{reported(item.finding)}. It may be this breast."


def _card(
    answer: BreastAnswer, sideless: str | None, context: CardContext, ruleset: Ruleset, suggested: Suggestion | None
) -> dict[str, Any]:
    now = answer.headline.now
    card: dict[str, Any] = {
        "uuid": str(uuid4()),
        "summary": _summary(answer),
        "detail": detail_of(answer, sideless, context.gaps, context.today, ruleset),
        "indicator": now.indicator,
        "source": source_of(now.recommendation, context),
        "overrideReasons": OVERRIDES,
        "extension": {"org.fleck.decision": decision_members(answer, context)},
    }
    if suggested:
        card["suggestions"] = [suggested]
        card["selectionBehavior"] = context.profile.selection_behavior
    if links := _links(now.recommendation, context):
        card["links"] = links
    return card


def _summary(answer: BreastAnswer, remark: str | None = None) -> str:
    item = answer.headline
    summary = f"{TEXT['side'][answer.laterality]}: {state_summary(item)}"
    reason = state_reason(item)
    parts = (remark, reason) if remark else (reason, _reason(item))
    for part in (*(f" - {part}" for part in parts if part), reported(item.finding)):
        if part and len(summary) + len(part) <= SUMMARY_LIMIT:
            summary += part
    return summary


def _reason(item: Decided) -> str:
    """What the summary names beside the act: the calcifications, or why nothing is said of them."""
    case = item.finding
    if case.case.report_status == ReportStatus.PRELIMINARY and item.now.state != LoopState.AWAIT_FINAL:
        return "preliminary report"
    return described(case) if case.finding is not None else case.exam.abstained or ""


def source_of(topic: str, context: CardContext) -> dict[str, Any]:
    """Return where a card says it comes from; `topic` is a key of the card text, mostly a recommendation."""
    source: dict[str, Any] = {
        "label": SOURCE_LABEL,
        "topic": {"system": TOPIC_SYSTEM, **TEXT["topic"][topic]},
    }
    if context.source_url:
        source["url"] = context.source_url
    return source


def _links(recommendation: Recommendation, context: CardContext) -> list[dict[str, str]]:
    """Return the site's own links for a recommendation."""
    return [
        {"label": link.label, "url": link.url, "type": link.type}
        | ({"appContext": link.app_context} if link.app_context else {})
        for link in context.profile.links
        if recommendation in link.recommendations
    ]


def decision_members(answer: BreastAnswer, context: CardContext) -> dict[str, Any]:
    """Return the decision as the extension of a card shows it, without what has no value."""
    item = answer.headline
    case, decision, now = item.finding, item.decision, item.now
    as_decided = now.recommendation == decision.recommendation
    members: dict[str, Any] = {
        "laterality": answer.laterality,
        "recommendation": now.recommendation,
        "interval_months": decision.interval_months if as_decided else None,
        "estimated_category": decision.estimated_category,
        "category_if_confirmed": decision.category_if_confirmed,
        "reported_category": case.case.reported_category,
        "discordance": decision.discordance,
        "size_class": decision.size_class,
        "morphology_class": decision.morphology_class,
        "distribution_class": decision.distribution_class,
        "flags": decision.flags,
        "rules": decision.rules,
        "policy": decision.policy,
        "table_version": decision.table_version,
        "state": now.state,
        "state_rule": now.rule,
        "exam": case.exam.id,
        "evidence": [
            {"resource": piece.resource, "path": piece.path, "text": piece.text[:LONGEST_EVIDENCE]}
            for piece in evidence_of(case)[:MAX_EVIDENCE]
        ],
        "missing": [
            *case.missing,
            *filter(None, (case.exam.abstained,)),
            *(f"{key} not received" for key in context.gaps.named),
        ],
        "closed_by": item.closed_by,
        "due": str(item.due) if item.due else None,
        "overdue_days": item.overdue,
    }
    return {name: value for name, value in members.items() if value}
