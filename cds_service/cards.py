"""A breast's answer as a CDS Hooks card. The words stand in `card_text.toml`, the only place with card text."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Any
from uuid import uuid4

import msgspec

from cds_service.answers import BreastAnswer, Decided
from cds_service.markdown import quoted
from fhir_models.cases import FindingCase
from fhir_models.days import add_months
from fhir_models.orders import OrderKind, OrderTemplates, order_text
from fhir_models.reading import Evidence, UnknownCode, Unread
from rules.engine import Ruleset
from rules.table import Source
from rules.vocabulary import Decision, Discordance, Laterality, Presence, Recommendation, ReportStatus, StudyContext

TEXT: Mapping[str, Any] = tomllib.loads(files("cds_service").joinpath("card_text.toml").read_text(encoding="utf-8"))
SUMMARY_LIMIT = 139
"""Longest summary that every client accepts: CDS Hooks asks for fewer than 140 characters."""

TOPIC_SYSTEM = "urn:fleck:recommendation"
OVERRIDE_SYSTEM = "urn:fleck:override-reason"
SOURCE_LABEL = "Fleck: breast calcification decision table"
MAX_QUOTES = 8
MAX_EVIDENCE, LONGEST_EVIDENCE = 100, 1000
"""Pieces of evidence in the extension, and characters of each; the path leads to the rest."""

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
    sideless = next((_elsewhere(answer) for answer in answers if answer.laterality == Laterality.UNKNOWN), None)
    return [
        _card(answer, None if answer.laterality == Laterality.UNKNOWN else sideless, context, ruleset, orders)
        for answer in answers
        if _worth_saying(answer, context)
    ]


def unreadable_card(context: CardContext, ruleset: Ruleset) -> dict[str, Any]:
    """Return the card for mammography content that came but could not be read: silence would mean "nothing to do"."""
    recommendation = Recommendation.CLINICIAN_REVIEW
    lines = [
        "Mammography content was received that could not be read; no advice is given on the rest.",
        *_data_gaps(context),
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
                "missing": [f"{item.resource} {item.why}" for item in context.unread[:MAX_EVIDENCE]],
            }
        },
    }


def _worth_saying(answer: BreastAnswer, context: CardContext) -> bool:
    if answer.headline.recommendation != Recommendation.NO_FOLLOW_UP:
        return True
    day = answer.findings[0][0].exam.day
    return context.benign_months > 0 and (day is None or add_months(day, context.benign_months) >= context.today)


def _elsewhere(answer: BreastAnswer) -> str:
    case, decision = answer.findings[0]
    return f"**Also in what was read, side not stated:** {_act(decision)}{_reported(case)}. It may be this breast."


def _card(
    answer: BreastAnswer, sideless: str | None, context: CardContext, ruleset: Ruleset, orders: OrderTemplates
) -> dict[str, Any]:
    decision = answer.headline
    card: dict[str, Any] = {
        "uuid": str(uuid4()),
        "summary": _summary(answer),
        "detail": _detail(answer, sideless, context, ruleset),
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
    summary = f"{TEXT['side'][answer.laterality]}: {_act(decision)}"
    for part in (_reason(case), _reported(case)):
        if part and len(summary) + len(part) <= SUMMARY_LIMIT:
            summary += part
    return summary


def _reason(case: FindingCase) -> str:
    """What the summary names beside the act: the calcifications, or why nothing is said of them."""
    if case.case.report_status == ReportStatus.PRELIMINARY:
        return " - preliminary report"
    if case.finding is not None:
        return f" - {_described(case)}"
    return f" - {case.exam.abstained}" if case.exam.abstained else ""


def _act(decision: Decision) -> str:
    return TEXT["act"][decision.recommendation].format(months=decision.interval_months)


def _described(case: FindingCase) -> str:
    forms = ", ".join(TEXT["word"].get(word, word.replace("_", " ")) for word in case.case.morphology)
    noun = "" if forms.endswith("calcium") else "calcifications"
    return ", ".join((f"{forms} {noun}".strip(), *case.case.distribution))


def _reported(case: FindingCase) -> str:
    category = _category(case)
    return f" (reported {category})" if category else ""


def _category(case: FindingCase) -> str | None:
    """The radiologist's category as the scheme names it."""
    category = case.case.reported_category
    return f"{case.case.system} {TEXT['category'].get(category, category)}" if category else None


def _detail(answer: BreastAnswer, sideless: str | None, context: CardContext, ruleset: Ruleset) -> str:
    case, decision = answer.findings[0]
    parts = [
        _what_was_read(case),
        _classified(case, decision),
        _calls_for(decision),
        _why(case, decision),
        _question(case, decision),
        *(f"**Note.** {TEXT['flag'][flag]}" for flag in decision.flags),
        _others(answer.findings[1:]),
        sideless,
        *_gaps(case, context),
        f"**Alternatives.** {'; '.join(_alternatives(decision))}.",
        _basis(decision, ruleset),
    ]
    return "\n\n".join(part for part in parts if part)


def _what_was_read(case: FindingCase) -> str:
    exam = case.exam
    kind = "" if exam.study_context == StudyContext.UNKNOWN else f"{exam.study_context} "
    dated = f"of {quoted(exam.date[:10])}" if exam.date else "without a date"
    lines = [f"**What was read.** {kind.capitalize() or 'Mammography '}exam {dated} ({quoted(exam.id)}):"]
    lines += _first(f"- “{quoted(item.text)}” ({quoted(item.resource)})" for item in _evidence(case) if item.text)
    if case.finding is None:
        others = any(finding.presence != "absent" for finding in exam.findings)
        lines.append(f"- no coded calcification finding{' has this category' if others else ''}")
    else:
        lines += _first(f"- {quoted(note)}" for note in case.finding.notes)
        if size := _size_words(case):
            lines.append(f"- {size}")
    if case.case.presence == Presence.CONFLICT:
        denials = (item for finding in exam.findings if finding.presence == "absent" for item in finding.evidence)
        lines += _first(f"- absent by “{quoted(item.text)}” ({quoted(item.resource)})" for item in denials)
    if reported := _category(case):
        lines.append(f"- reported category: {reported}")
    elif exam.category.basis is None:
        lines.append("- no category reported")
    if exam.category.conflict:
        lines.append("- code and words give different categories; the higher is taken")
    return "\n".join(lines)


def _first(lines: Iterable[str]) -> list[str]:
    """Return the first lines, and how many more there are: no card grows with what a sender repeats."""
    everything = list(lines)
    more = len(everything) - MAX_QUOTES
    return [*everything[:MAX_QUOTES], *([f"- {more} more"] if more > 0 else [])]


def _size_words(case: FindingCase) -> str | None:
    finding = case.case
    stated = [f"extent {finding.extent_mm:g} mm"] if finding.extent_mm else []
    if finding.count:
        stated.append(f"{finding.count} particles")
    return ", ".join(stated) or None


def _classified(case: FindingCase, decision: Decision) -> str | None:
    if case.finding is None:
        return None
    words = (
        TEXT["size_class"][decision.size_class],
        TEXT["morphology_class"][decision.morphology_class],
        TEXT["distribution_class"][decision.distribution_class],
    )
    return f"**In short.** {'; '.join(words)}."


def _calls_for(decision: Decision) -> str:
    timeframe = f" Timeframe: {decision.timeframe}." if decision.timeframe else ""
    return f"**What it usually calls for.** {TEXT['act_detail'][decision.recommendation]}{timeframe}"


def _why(case: FindingCase, decision: Decision) -> str:
    parts = [f"**Why.** {decision.rationale}"]
    if decision.category_if_confirmed not in ("NA", "undetermined") and not case.case.reported_category:
        parts.append(f"If work-up confirms the description: category {decision.category_if_confirmed}.")
    if decision.expected_ppv not in (None, "NA"):
        parts.append(f"Published malignancy in such series, percent: {decision.expected_ppv}.")
    return " ".join(parts)


def _alternatives(decision: Decision) -> Sequence[str]:
    """What else may be right: by the row that answered where it has its own, else by the recommendation."""
    own = TEXT["alternatives_of"].get(decision.rules[-1])
    return own or TEXT["alternatives"][decision.recommendation]


@lru_cache(1024)
def _sources(rules: tuple[str, ...], ruleset: Ruleset) -> str:
    """Short citations of the rules that gave the answer; the decision's own citations are complete."""
    keys = dict.fromkeys(key for rule in ruleset.explain(rules).deciding for key in ruleset.rules[rule].citations)
    return "; ".join(_short(ruleset.sources[key]) for key in keys)


def _short(source: Source) -> str:
    author, found, _ = source.citation.partition(" et al.")
    name = f"{author} et al." if found else re.split(r"\. | \(|;", source.citation, maxsplit=1)[0]
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
    lines = _first(f"- {_described(case)}{_reported(case)}: {_act(decision)}" for case, decision in findings)
    return "\n".join(["**Other findings of this breast**, each judged for itself:", *lines])


def _gaps(case: FindingCase, context: CardContext) -> list[str]:
    gaps = [f"**Limit.** In this exam {case.exam.abstained}."] if case.exam.abstained else []
    if case.missing:
        gaps.append(f"**Not stated:** {'; '.join(case.missing)}.")
    return [*gaps, *_data_gaps(context)]


def _data_gaps(context: CardContext) -> list[str]:
    gaps: list[str] = []
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


def _basis(decision: Decision, ruleset: Ruleset) -> str:
    policy = f" Local policy: {', '.join(decision.policy)}." if decision.policy else ""
    rules = f"Rules {', '.join(decision.rules)} of table {ruleset.version}.{policy}"
    return (
        f"**Basis.** {rules} Sources: {_sources(decision.rules, ruleset)}. "
        "Derived from the report's words, not from images."
    )


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
        "morphology_class": decision.morphology_class,
        "distribution_class": decision.distribution_class,
        "flags": decision.flags,
        "rules": decision.rules,
        "policy": decision.policy,
        "table_version": decision.table_version,
        "state": "open",
        "exam": case.exam.id,
        "evidence": [
            {"resource": item.resource, "path": item.path, "text": item.text[:LONGEST_EVIDENCE]}
            for item in _evidence(case)[:MAX_EVIDENCE]
        ],
        "missing": [
            *case.missing,
            *filter(None, (case.exam.abstained,)),
            *(f"{key} not received" for key in context.not_received),
        ],
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
