"""The detail of a card in Markdown: what was read, what it calls for and why, where it stands, what is missing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache

import msgspec

from cds_service.cards.answers import BreastAnswer, Decided
from cds_service.cards.markdown import quoted
from cds_service.cards.state import state_summary, where_it_stands
from cds_service.cards.text import MAX_QUOTES, TEXT, category_of, described, first_of, reported
from fhir_models.cases import FindingCase
from fhir_models.chart.records import TissueResult
from fhir_models.days import certainly_before, written_days
from fhir_models.reading import Evidence, UnknownCode, Unread
from rules.engine import Ruleset
from rules.table import Source
from rules.vocabulary import Decision, Discordance, Laterality, Presence, StudyContext


class Gaps(msgspec.Struct, frozen=True, kw_only=True):
    """What is known to be missing: keys without data, keys of which a part came, what could not be read, unknown codes."""

    not_received: tuple[str, ...] = ()
    incomplete: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()
    unknown_codes: tuple[UnknownCode, ...] = ()

    @property
    def orders_received(self) -> bool:
        """Whether all orders came, so that their absence says anything."""
        return "orders" not in self.not_received and "orders" not in self.incomplete

    @property
    def named(self) -> tuple[str, ...]:
        """Keys without data, and keys of which only a part came, in the words of a card."""
        return (*self.not_received, *(f"{name} (only a part)" for name in self.incomplete))


def detail_of(answer: BreastAnswer, sideless: str | None, gaps: Gaps, today: date, ruleset: Ruleset) -> str:
    """Return the detail; `sideless` is the line on findings whose side is not stated."""
    item = answer.headline
    case, decision = item.finding, item.decision
    as_decided = item.now.recommendation == decision.recommendation
    parts = [
        what_was_read(case),
        classified(case, decision),
        where_it_stands(item, today, gaps.orders_received),
        _calls_for(item),
        _why(case, decision) if as_decided else _why_asked(item),
        _question(case, decision),
        *(f"**Note.** {TEXT['flag'][flag]}" for flag in decision.flags),
        *(f"**Note.** {quoted(note)}." for note in case.background.notes),
        _others(answer.findings[1:]),
        sideless,
        *gap_lines(case, gaps),
        f"**Alternatives.** {'; '.join(_alternatives(item))}.",
        basis(item, ruleset),
    ]
    return "\n\n".join(part for part in parts if part)


def what_was_read(case: FindingCase) -> str:
    """Return the paragraph that quotes what was read of a finding, its exam, tissue and history."""
    exam = case.exam
    context = "" if exam.study_context == StudyContext.UNKNOWN else exam.study_context.capitalize()
    kind = TEXT["modality"].get(exam.modality) or context or "Mammography"
    dated = f"of {exam.days}" if exam.days else "without a readable date" if exam.date else "without a date"
    amended = f", amended on {changed}" if (changed := written_days(exam.amended)) else ""
    lines = [f"**What was read.** {kind[0].upper()}{kind[1:]} exam {dated}{amended} ({quoted(exam.id)}):"]
    lines += first_of(f"- “{quoted(item.text)}” ({quoted(item.resource)})" for item in evidence_of(case) if item.text)
    if case.finding is None:
        others = any(finding.presence != "absent" for finding in exam.findings)
        lines.append(f"- no coded calcification finding{' has this category' if others else ''}")
    else:
        lines += first_of(f"- {quoted(note)}" for note in case.finding.notes)
        if size := _size_words(case):
            lines.append(f"- {size}")
    if case.case.presence == Presence.CONFLICT:
        denials = (item for finding in exam.findings if finding.presence == "absent" for item in finding.evidence)
        lines += first_of(f"- absent by “{quoted(item.text)}” ({quoted(item.resource)})" for item in denials)
    if category := category_of(case):
        lines.append(f"- reported category: {category}")
    elif exam.category.basis is None:
        lines.append("- no category reported")
    if exam.category.conflict:
        lines.append("- code and words give different categories; the higher is taken")
    return "\n".join((*lines, *_tissue(case), *_history(case)))


def _tissue(case: FindingCase) -> Iterable[str]:
    result = case.tissue.result
    if result is not None:
        words = f" “{quoted(result.quoted)}”" if result.quoted else ""
        dated = f" of {result.days}" if result.days else ""
        upgraded = ", upgraded by the excision" if case.tissue.upgraded else ""
        yield f"- tissue{dated}: {TEXT['tissue'][case.tissue.state]}{upgraded}{words} ({quoted(result.resource)})"
    for other in case.tissue.unplaced:
        words = TEXT["other_tissue"][_why_not_here(other, case)]
        known = TEXT["tissue"].get(other.tissue, other.tissue)
        yield f"- {words.format(date=other.days, resource=quoted(other.resource), tissue=known)}"


def _why_not_here(result: TissueResult, case: FindingCase) -> str:
    """Return why a result of tissue does not answer a finding, as the card text names it."""
    if result.aside:
        return "aside"
    if {result.laterality, case.laterality} == {Laterality.LEFT, Laterality.RIGHT}:
        return "other_breast"
    if result.is_condition:
        return "indication"
    return "earlier" if certainly_before(result.days, case.exam.days) else "unplaced"


def _history(case: FindingCase) -> Iterable[str]:
    words = [TEXT["history"][item] for item in case.case.history]
    if case.case.years_since_rt is not None:
        words.append(f"radiotherapy of this breast {case.case.years_since_rt:g} years before the exam")
    words += [symptom.replace("_", " ") for symptom in case.case.symptoms]
    sources = dict.fromkeys(item.resource for item in case.background.evidence)
    if words:
        told_by = f" ({', '.join(map(quoted, list(sources)[:MAX_QUOTES]))})" if sources else ""
        yield f"- history: {', '.join(words)}{told_by}"


def _size_words(case: FindingCase) -> str | None:
    finding = case.case
    stated = [f"extent {finding.extent_mm:g} mm"] if finding.extent_mm else []
    if finding.count:
        stated.append(f"{finding.count} particles")
    return ", ".join(stated) or None


def classified(case: FindingCase, decision: Decision) -> str | None:
    """Return the calcifications in a few words, None where none are described."""
    if case.finding is None:
        return None
    words = (
        TEXT["size_class"][decision.size_class],
        TEXT["morphology_class"][decision.morphology_class],
        TEXT["distribution_class"][decision.distribution_class],
    )
    return f"**In short.** {'; '.join(words)}."


def _calls_for(item: Decided) -> str:
    timeframe = item.decision.timeframe if item.now.recommendation == item.decision.recommendation else None
    return f"**What it usually calls for.** {TEXT['act_detail'][item.now.recommendation]}" + (
        f" Timeframe: {timeframe}." if timeframe else ""
    )


def _why(case: FindingCase, decision: Decision) -> str:
    parts = [f"**Why.** {decision.rationale}"]
    if decision.category_if_confirmed not in ("NA", "undetermined") and not case.case.reported_category:
        parts.append(f"If work-up confirms the description: category {decision.category_if_confirmed}.")
    if decision.expected_ppv not in (None, "NA"):
        parts.append(f"Published malignancy in such series, percent: {decision.expected_ppv}.")
    return " ".join(parts)


def _why_asked(item: Decided) -> str:
    """Why the chart asks instead, and what the exam by itself would call for: that must not be lost."""
    alone = f"By itself the exam would call for: {act_of_decision(item)}."
    return f"**Why.** {item.now.because} {alone}"


def act_of_decision(item: Decided) -> str:
    """Return what the decision table alone recommends, as a summary says it."""
    return TEXT["act"][item.decision.recommendation].format(months=item.decision.interval_months)


def _alternatives(item: Decided) -> Sequence[str]:
    """What else may be right: by the row that answered where it has its own, else by the recommendation."""
    as_decided = item.now.recommendation == item.decision.recommendation
    own = TEXT["alternatives_of"].get(item.decision.rules[-1]) if as_decided else None
    return own or TEXT["alternatives"][item.now.recommendation]


def _question(case: FindingCase, decision: Decision) -> str | None:
    if decision.discordance == Discordance.NONE:
        return None
    derived = decision.category_if_confirmed
    words = TEXT["discordance"][decision.discordance]
    stated = case.case.reported_category or "none"
    return f"**Question to the radiologist.** {words.format(reported=stated, derived=_range(derived))}"


def _range(derived: str) -> str:
    return "another category range" if derived in ("NA", "undetermined") else f"category {derived}"


def _others(findings: Sequence[Decided]) -> str | None:
    if not findings:
        return None
    lines = first_of(f"- {described(item.finding)}{reported(item.finding)}: {_standing(item)}" for item in findings)
    return "\n".join(["**Other findings of this breast**, each judged for itself:", *lines])


def _standing(item: Decided) -> str:
    exam = f", exam of {item.finding.exam.days}" if item.finding.exam.days else ""
    return f"{state_summary(item)} ({item.now.state.replace('_', ' ')}{exam})"


def gap_lines(case: FindingCase, gaps: Gaps) -> list[str]:
    """Return a line for each kind of gap in the exam and in the data of this call."""
    lines = [f"**Limit.** In this exam {case.exam.abstained}."] if case.exam.abstained else []
    if case.missing:
        lines.append(f"**Not stated:** {'; '.join(case.missing)}.")
    return [*lines, *data_gaps(gaps)]


def data_gaps(gaps: Gaps) -> list[str]:
    """Return a line for each kind of gap in the data of this call."""
    lines: list[str] = []
    if gaps.named:
        lines.append(f"**Not received** (not part of the data): {', '.join(gaps.named)}.")
    if gaps.unread:
        shown = [f"{quoted(item.resource)} ({item.why})" for item in gaps.unread[:MAX_QUOTES]]
        more = len(gaps.unread) - len(shown)
        lines.append(f"**Could not be used:** {'; '.join(shown)}{f'; {more} more' if more else ''}.")
    if gaps.unknown_codes:
        codes = [f"{quoted(item.code, 60)} ({item.count})" for item in gaps.unknown_codes[:MAX_QUOTES]]
        lines.append(f"**Unknown codes near the finding:** {', '.join(codes)}.")
    return lines


def basis(item: Decided, ruleset: Ruleset) -> str:
    """Return the paragraph that names rules, table and sources."""
    decision = item.decision
    policy = f" Local policy: {', '.join(decision.policy)}." if decision.policy else ""
    rules = f"Rules {', '.join((*decision.rules, item.now.rule))} of table {ruleset.version}.{policy}"
    return (
        f"**Basis.** {rules} Sources: {_sources(decision.rules, ruleset).rstrip('.')}. "
        "Derived from the report's words, not from images."
    )


@lru_cache(1024)
def _sources(rules: tuple[str, ...], ruleset: Ruleset) -> str:
    """Short citations of the rules that gave the answer; the decision's own citations are complete."""
    keys = dict.fromkeys(key for rule in ruleset.explain(rules).deciding for key in ruleset.rules[rule].citations)
    return "; ".join(_short(ruleset.sources[key]) for key in keys)


def _short(source: Source) -> str:
    author, found, _ = source.citation.partition(" et al.")
    return quoted(f"{author} et al." if found else re.split(r"\. | \(|;", source.citation, maxsplit=1)[0], 110)


def evidence_of(case: FindingCase) -> list[Evidence]:
    """Return what was read of a finding and its category, each piece once."""
    own = case.finding.evidence if case.finding else ()
    category = case.exam.category.evidence if not case.finding or case.finding.category is None else ()
    return list({(item.resource, item.text): item for item in (*own, *category)}.values())
