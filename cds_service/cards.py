"""A breast's answer as a CDS Hooks card. The words stand in `card_text.toml`, the only place with card text."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Any
from uuid import uuid4

import msgspec

from cds_service.answers import BreastAnswer, Decided
from cds_service.markdown import quoted
from fhir_models.cases import FindingCase
from fhir_models.orders import OrderKind, OrderTemplates, add_months, order_text
from fhir_models.reading import Evidence, UnknownCode, Unread
from rules.engine import Ruleset
from rules.table import Source
from rules.vocabulary import Decision, Discordance, Laterality, Recommendation, SizeClass, StudyContext

TEXT: Mapping[str, Any] = tomllib.loads(files("cds_service").joinpath("card_text.toml").read_text(encoding="utf-8"))
SUMMARY_LIMIT = 139
"""Longest summary that every client accepts: CDS Hooks asks for fewer than 140 characters."""

TOPIC_SYSTEM = "urn:fleck:recommendation"
OVERRIDE_SYSTEM = "urn:fleck:override-reason"
SOURCE_LABEL = "Fleck: breast calcification decision table"
MAX_QUOTES = 8
_OVERRIDES = [{**reason, "system": OVERRIDE_SYSTEM} for reason in TEXT["override"]]


class CardContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a card says besides the decision, and how the client wants it.

    `benign_months`: age in months up to which an exam still gets a card that nothing is needed; 0 silences it.
    `fhir_version` is R4 or R5, `order_intent` proposal or order, `selection_behavior` any or at-most-one.
    """

    patient_id: str
    today: date
    fhir_version: str = "R4"
    order_intent: str = "proposal"
    selection_behavior: str = "any"
    benign_months: int = 12
    source_url: str | None = None
    not_received: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()
    unknown_codes: tuple[UnknownCode, ...] = ()


def cards_for(
    answers: Sequence[BreastAnswer], context: CardContext, ruleset: Ruleset, orders: OrderTemplates
) -> list[dict[str, Any]]:
    """Return one card for each breast that has something to say."""
    return [_card(answer, context, ruleset, orders) for answer in answers if _worth_saying(answer, context)]


def unreadable_card(context: CardContext, ruleset: Ruleset) -> dict[str, Any]:
    """Return the card for mammography content that came but could not be read: silence would mean "nothing to do"."""
    recommendation = Recommendation.CLINICIAN_REVIEW
    lines = [
        "Mammography content was received that could not be read; no advice is given on the rest.",
        *_gaps((), context),
    ]
    return {
        "uuid": str(uuid4()),
        "summary": f"{TEXT['side']['unknown']}: {TEXT['act'][recommendation]} - mammography content could not be read",
        "detail": "\n\n".join(lines),
        "indicator": "warning",
        "source": _source(recommendation, context),
        "overrideReasons": _OVERRIDES,
        "extension": {
            "org.fleck.decision": {
                "laterality": Laterality.UNKNOWN,
                "recommendation": recommendation,
                "table_version": ruleset.version,
                "state": "unreadable",
                "missing": [f"{item.resource} {item.why}" for item in context.unread],
            }
        },
    }


def _worth_saying(answer: BreastAnswer, context: CardContext) -> bool:
    if answer.headline.recommendation != Recommendation.NO_FOLLOW_UP:
        return True
    day = answer.findings[0][0].exam.day
    return context.benign_months > 0 and (day is None or add_months(day, context.benign_months) >= context.today)


def _card(answer: BreastAnswer, context: CardContext, ruleset: Ruleset, orders: OrderTemplates) -> dict[str, Any]:
    decision = answer.headline
    card: dict[str, Any] = {
        "uuid": str(uuid4()),
        "summary": _summary(answer),
        "detail": _detail(answer, context, ruleset),
        "indicator": decision.indicator,
        "source": _source(decision.recommendation, context),
        "overrideReasons": _OVERRIDES,
        "extension": {"org.fleck.decision": _extension(answer, context)},
    }
    if suggestion := _suggestion(answer, context, orders):
        card["suggestions"] = [suggestion]
        card["selectionBehavior"] = context.selection_behavior
    return card


def _summary(answer: BreastAnswer) -> str:
    case, decision = answer.findings[0]
    act = _act(decision)
    summary = f"{TEXT['side'][answer.laterality]}: {act}"
    for part in (f" - {_described(case)}" if case.finding else "", _reported(case)):
        if part and len(summary) + len(part) <= SUMMARY_LIMIT:
            summary += part
    return summary


def _act(decision: Decision) -> str:
    return TEXT["act"][decision.recommendation].format(months=decision.interval_months)


def _described(case: FindingCase) -> str:
    finding = case.case
    forms = ", ".join(word.replace("_", " ") for word in finding.morphology)
    return ", ".join((f"{forms} calcifications".strip(), *finding.distribution))


def _reported(case: FindingCase) -> str:
    category = case.case.reported_category
    return f" (reported {case.case.system} {category})" if category else ""


def _detail(answer: BreastAnswer, context: CardContext, ruleset: Ruleset) -> str:
    case, decision = answer.findings[0]
    parts = [
        _what_was_read(case),
        _calls_for(case, decision, ruleset),
        _question(case, decision),
        *(f"**Note.** {TEXT['flag'][flag]}" for flag in decision.flags),
        _others(answer.findings[1:]),
        *_gaps(case.missing, context),
        f"**Alternatives.** {'; '.join(TEXT['alternatives'][decision.recommendation])}.",
        _footer(decision, ruleset),
    ]
    return "\n\n".join(part for part in parts if part)


def _what_was_read(case: FindingCase) -> str:
    exam = case.exam
    kind = "" if exam.study_context == StudyContext.UNKNOWN else f"{exam.study_context} "
    dated = f"of {exam.date[:10]}" if exam.date else "without a date"
    lines = [f"**What was read.** {kind.capitalize() or 'Mammography '}exam {dated} ({quoted(exam.id)}):"]
    lines += [
        f"- “{quoted(item.text)}” ({quoted(item.resource)})" for item in _evidence(case)[:MAX_QUOTES] if item.text
    ]
    if case.finding is None:
        lines.append("- no coded calcification finding")
    else:
        lines += [f"- {note}" for note in case.finding.notes]
        if size := _size_words(case):
            lines.append(f"- {size}")
    reported = case.case.reported_category
    lines.append(f"- reported category: {case.case.system} {reported}" if reported else "- no category reported")
    if exam.category.conflict:
        lines.append("- code and words give different categories; the higher is taken")
    return "\n".join(lines)


def _size_words(case: FindingCase) -> str | None:
    finding = case.case
    stated = [f"extent {finding.extent_mm:g} mm"] if finding.extent_mm else []
    if finding.count:
        stated.append(f"{finding.count} particles")
    return ", ".join(stated) or None


def _calls_for(case: FindingCase, decision: Decision, ruleset: Ruleset) -> str:
    lines = [f"**What it usually calls for.** {TEXT['act_detail'][decision.recommendation]}", decision.rationale]
    if decision.category_if_confirmed not in ("NA", "undetermined") and not case.case.reported_category:
        lines.append(f"If work-up confirms the description: category {decision.category_if_confirmed}.")
    if decision.expected_ppv:
        lines.append(f"Published malignancy in such series, percent: {decision.expected_ppv}.")
    if decision.timeframe:
        lines.append(f"Timeframe: {decision.timeframe}.")
    if decision.size_class != SizeClass.NOT_DETERMINED:
        lines.append(f"Size class: {decision.size_class}.")
    lines.append(f"Rules {', '.join(decision.rules)}; sources: {_sources(decision.rules, ruleset)}.")
    return " ".join(lines)


@lru_cache(1024)
def _sources(rules: tuple[str, ...], ruleset: Ruleset) -> str:
    """Short citations of the rules that gave the answer; the decision's own citations are complete."""
    keys = dict.fromkeys(key for rule in ruleset.explain(rules).deciding for key in ruleset.rules[rule].citations)
    return "; ".join(_short(ruleset.sources[key]) for key in keys)


def _short(source: Source) -> str:
    author, found, _ = source.citation.partition(" et al.")
    name = f"{author} et al." if found else source.citation.partition(". ")[0].partition(" (")[0]
    return quoted(f"{name} {source.year}" if str(source.year) not in name else name, 110)


def _question(case: FindingCase, decision: Decision) -> str | None:
    if decision.discordance == Discordance.NONE:
        return None
    derived = decision.category_if_confirmed
    words = TEXT["discordance"][decision.discordance]
    reported = case.case.reported_category or "none"
    return f"**Question to the radiologist.** {words.format(reported=reported, derived=_range(derived))}"


def _range(derived: str) -> str:
    return "another category range" if derived in ("NA", "undetermined") else f"category {derived}"


def _others(findings: Sequence[Decided]) -> str | None:
    if not findings:
        return None
    lines = [f"- {_described(case)}{_reported(case)}: {_act(decision)}" for case, decision in findings]
    return "\n".join(["**Other findings of this breast**, each judged for itself:", *lines])


def _gaps(missing: Sequence[str], context: CardContext) -> list[str]:
    gaps: list[str] = []
    if missing:
        gaps.append(f"**Not stated:** {'; '.join(missing)}.")
    if context.not_received:
        gaps.append(f"**Not part of the data received:** {', '.join(context.not_received)}.")
    if context.unread:
        shown = [f"{quoted(item.resource)} ({item.why})" for item in context.unread[:MAX_QUOTES]]
        more = len(context.unread) - len(shown)
        gaps.append(f"**Could not be used:** {'; '.join(shown)}{f'; {more} more' if more else ''}.")
    if context.unknown_codes:
        codes = [f"{quoted(item.code, 60)} ({item.count})" for item in context.unknown_codes[:MAX_QUOTES]]
        gaps.append(f"**Unknown codes near the finding:** {', '.join(codes)}.")
    return gaps


def _footer(decision: Decision, ruleset: Ruleset) -> str:
    policy = f" Local policy: {', '.join(decision.policy)}." if decision.policy else ""
    return f"Derived from the report's words, not from images; table {ruleset.version}.{policy}"


def _evidence(case: FindingCase) -> list[Evidence]:
    own = case.finding.evidence if case.finding else ()
    category = case.exam.category.evidence if not case.finding or case.finding.category is None else ()
    return list({(item.resource, item.text): item for item in (*own, *category)}.values())


def _source(recommendation: Recommendation, context: CardContext) -> dict[str, Any]:
    source: dict[str, Any] = {
        "label": SOURCE_LABEL,
        "topic": {"system": TOPIC_SYSTEM, **TEXT["topic"][recommendation]},
    }
    if context.source_url:
        source["url"] = context.source_url
    return source


def _extension(answer: BreastAnswer, context: CardContext) -> dict[str, Any]:
    case, decision = answer.findings[0]
    members: dict[str, Any] = {
        "laterality": answer.laterality,
        "recommendation": decision.recommendation,
        "interval_months": decision.interval_months,
        "estimated_category": decision.estimated_category,
        "category_if_confirmed": decision.category_if_confirmed,
        "reported_category": case.case.reported_category,
        "discordance": decision.discordance,
        "size_class": decision.size_class,
        "flags": decision.flags,
        "rules": decision.rules,
        "policy": decision.policy,
        "table_version": decision.table_version,
        "state": "open",
        "exam": case.exam.id,
        "evidence": [{"resource": item.resource, "path": item.path, "text": item.text} for item in _evidence(case)],
        "missing": [*case.missing, *(f"{key} not received" for key in context.not_received)],
    }
    return {name: value for name, value in members.items() if value}


def _suggestion(answer: BreastAnswer, context: CardContext, orders: OrderTemplates) -> dict[str, Any] | None:
    case, decision = answer.findings[0]
    order = orders.draft(
        recommendation=decision.recommendation,
        laterality=answer.laterality,
        size_class=decision.size_class,
        months=decision.interval_months,
        exam_day=case.exam.day,
        today=context.today,
        patient_id=context.patient_id,
        version=context.fhir_version,
        intent=context.order_intent,
    )
    if order is None:
        return None
    label = _order_label(decision, answer.laterality)
    return {
        "label": f"Draft order: {label}",
        "uuid": str(uuid4()),
        "isRecommended": True,
        "actions": [{"type": "create", "description": f"Draft order: {label}", "resource": order}],
    }


@lru_cache(256)
def _label(recommendation: Recommendation, laterality: Laterality, months: str | None) -> str:
    return order_text(OrderKind(recommendation, laterality, months, True, "R4", "proposal"))


def _order_label(decision: Decision, laterality: Laterality) -> str:
    return _label(decision.recommendation, laterality, decision.interval_months)
