"""Decides one case by the table: gates, tissue states, descriptors, context, combination; the first row answers.

The order of evaluation is all that stands here (evidence section 6, P1); what the rows say stands in `tables/`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial

import msgspec

from rules.answer import Answer, apply_effect, follow_management, more_urgent
from rules.classification import classify
from rules.conditions import Row, compile_rows
from rules.facts import NONE, Facts, derived_facts, facts_of
from rules.follow_up import Limits
from rules.loop import Loop, compile_loop, limits_of
from rules.policy import Policy, load_policy
from rules.table import Lexicon, Rule, Source, Tables, load_tables
from rules.vocabulary import URGENCY, Case, Decision, Discordance, Flag, Indicator, Recommendation

DISTINCT_EXPLANATIONS = 4096
"""More than the sequences of rows that can fire together."""

REMEMBERED_CASES = 4096
"""Cases hold no patient, so the same ones come again and again."""


class CompiledFlag(msgspec.Struct, frozen=True):
    """A flag's condition, the stages of which one must have answered, the rules (if any) of which one has fired."""

    row: Row
    stages: frozenset[str]
    rules: frozenset[str]


class Explanation(msgspec.Struct, frozen=True):
    """What a sequence of fired rows says, in the words of `Decision`; `deciding` are the rows that gave the answer."""

    deciding: tuple[str, ...]
    timeframe: str | None
    rationale: str
    expected_ppv: str | None
    citations: tuple[str, ...]
    evidence: str


class Ruleset(msgspec.Struct, frozen=True, eq=False):
    """The compiled table under one policy, equal only to itself. `version` is its date and 8 digits of its fingerprint.

    `derivation` are the descriptor rows that derive a category, `steps` those that step it up; `category` are the rows
    that combine it with the reported category, `scoring` those that read another scoring system, `management` those
    that look at the written management; `loop` says how a recommendation stands, under the `limits` of follow-up.
    `deviations` are the switches that are not at their default ("S2=2").
    """

    version: str
    fingerprint: str
    policy: Policy
    deviations: tuple[str, ...]
    lexicon: Lexicon
    rules: Mapping[str, Rule]
    sources: Mapping[str, Source]
    gates: tuple[Row, ...]
    tissue: tuple[Row, ...]
    derivation: tuple[Row, ...]
    steps: tuple[Row, ...]
    context: tuple[Row, ...]
    scoring: tuple[Row, ...]
    category: tuple[Row, ...]
    management: tuple[Row, ...]
    flags: tuple[CompiledFlag, ...]
    loop: Loop
    limits: Limits
    explain: Callable[[tuple[str, ...]], Explanation]


def load_ruleset(policy: Policy | None = None, tables: Tables | None = None) -> Ruleset:
    """Compile the tables under a policy (default: all switches at their defaults).

    Raises:
        ValueError: a table is not sound.
    """
    policy = policy or load_policy()
    tables = tables or load_tables()
    fingerprint = hashlib.sha256(msgspec.json.encode((tables, policy), order="sorted")).hexdigest()
    rows = {stage: compile_rows(rules, policy) for stage, rules in tables.stages.items()}
    combination = rows["combination"]
    rules = {rule.id: _with_switches(rule, policy) for stage in tables.stages.values() for rule in stage}
    return Ruleset(
        version=f"{tables.lexicon.table_date}-{fingerprint[:8]}",
        fingerprint=fingerprint,
        policy=policy,
        deviations=policy.deviations(),
        lexicon=tables.lexicon,
        rules=rules,
        sources=tables.sources,
        gates=rows["gate"],
        tissue=rows["tissue"],
        derivation=tuple(row for row in rows["descriptors"] if row.then.step_up is None),
        steps=tuple(row for row in rows["descriptors"] if row.then.step_up is not None),
        context=rows["context"],
        scoring=tuple(row for row in combination if row.then.recommendation is None),
        category=tuple(row for row in combination if row.then.recommendation not in (None, "=more_urgent")),
        management=tuple(row for row in combination if row.then.recommendation == "=more_urgent"),
        flags=tuple(
            CompiledFlag(row, frozenset(flag.stages), frozenset(flag.rules))
            for flag, row in zip(tables.lexicon.flag, compile_rows(tables.lexicon.flag, policy), strict=True)
        ),
        loop=compile_loop(tables, policy),
        limits=limits_of(policy, tables),
        explain=lru_cache(DISTINCT_EXPLANATIONS)(
            partial(_explain, rules, frozenset(row.id for row in rows["context"]))
        ),
    )


@lru_cache(REMEMBERED_CASES)
def decide(case: Case, ruleset: Ruleset) -> Decision:
    """Return what the table answers for one finding. Pure; the same case and table give the same decision."""
    facts = facts_of(case, ruleset.lexicon, ruleset.policy)
    fired: list[Row] = []
    stage, answer = _answer(facts, ruleset, fired)
    return _decision(case, facts, ruleset, fired, stage, answer)


def decide_report(cases: Sequence[Case], ruleset: Ruleset) -> tuple[Decision, ...]:
    """Decide the findings of one report; the last decision also carries the highest recommendation of all (P6)."""
    decisions = [decide(case, ruleset) for case in cases]
    if not decisions:
        return ()
    highest = max((decision.recommendation for decision in decisions), key=URGENCY.__getitem__)
    return (*decisions[:-1], msgspec.structs.replace(decisions[-1], report_recommendation=highest))


def _answer(facts: Facts, ruleset: Ruleset, fired: list[Row]) -> tuple[str, Answer]:
    for row in ruleset.gates:
        if row.holds(facts):
            fired.append(row)
            return "gate", apply_effect(row.effect(facts), facts, Answer(), ruleset.lexicon)
    for row in ruleset.tissue:
        if row.holds(facts):
            fired.append(row)
            effect = row.effect(facts)
            if not effect.drop_reported:
                return "tissue", apply_effect(effect, facts, Answer(), ruleset.lexicon)
            facts["reported"] = NONE
    derived = derive(facts, ruleset, fired)
    facts.update(derived_facts(facts, derived))
    return "descriptors", combine(facts, ruleset, fired)


def derive(facts: Facts, ruleset: Ruleset, fired: list[Row]) -> str:
    """Return the category that the descriptors stand for as if work-up were complete; its rows join `fired`."""
    row = _first(ruleset.derivation, facts)
    fired.append(row)
    derived = row.effect(facts).derived or "U"
    if facts["suspicious_feature"]:
        facts = {**facts, "derived": derived}
        for step in ruleset.steps:
            if step.holds(facts):
                fired.append(step)
                for _ in range(step.effect(facts).step_up or 0):
                    derived = ruleset.lexicon.step_up[derived]
    return derived


def combine(facts: Facts, ruleset: Ruleset, fired: list[Row]) -> Answer:
    """Answer by the context, then by the radiologist's category and the written management (stages 4 and 5)."""
    row = _first(ruleset.context, facts)
    fired.append(row)
    context = apply_effect(row.effect(facts), facts, Answer(), ruleset.lexicon)
    answer: Answer | None = None
    for row in ruleset.scoring:
        if row.holds(facts):
            fired.append(row)
            effect = row.effect(facts)
            if effect.recommendation:
                answer = more_urgent(apply_effect(effect, facts, Answer(), ruleset.lexicon), context)
    if answer is None:
        row = _first(ruleset.category, facts)
        fired.append(row)
        answer = apply_effect(row.effect(facts), facts, context, ruleset.lexicon)
    return follow_management(facts, answer, ruleset.management, ruleset.lexicon, fired)


def _with_switches(rule: Rule, policy: Policy) -> Rule:
    """Put the value of a switch where a timeframe names one ("<= {S10} days")."""
    timeframe = rule.timeframe.format_map(policy.values) if rule.timeframe else None
    return msgspec.structs.replace(rule, timeframe=timeframe)


def _first(rows: Sequence[Row], facts: Facts) -> Row:
    for row in rows:
        if row.holds(facts):
            return row
    raise LookupError("no row holds: the table is not complete, run the proof")


def _decision(case: Case, facts: Facts, ruleset: Ruleset, fired: Sequence[Row], stage: str, answer: Answer) -> Decision:
    ids = tuple(row.id for row in fired)
    explanation = ruleset.explain(ids)
    told = classify(case, ruleset.lexicon)
    facts["recommendation"] = answer.recommendation
    return Decision(
        case_id=case.case_id,
        recommendation=Recommendation(answer.recommendation),
        interval_months=None if answer.interval == NONE else answer.interval,
        estimated_category=answer.estimated,
        category_if_confirmed=answer.if_confirmed,
        indicator=Indicator(answer.indicator),
        discordance=Discordance(answer.discordance),
        size_class=told.size,
        morphology_class=told.morphology,
        distribution_class=told.distribution,
        flags=_flags(facts, ruleset, stage, ids),
        rules=ids,
        timeframe=answer.timeframe or explanation.timeframe,
        rationale=explanation.rationale,
        expected_ppv=explanation.expected_ppv,
        citations=explanation.citations,
        evidence=explanation.evidence,
        table_version=ruleset.version,
        policy=ruleset.deviations,
    )


def _flags(facts: Facts, ruleset: Ruleset, stage: str, ids: Sequence[str]) -> tuple[Flag, ...]:
    return tuple(
        Flag(flag.row.id)
        for flag in ruleset.flags
        if stage in flag.stages and flag.row.holds(facts) and (not flag.rules or flag.rules.intersection(ids))
    )


def _explain(table: Mapping[str, Rule], context: frozenset[str], ids: tuple[str, ...]) -> Explanation:
    rules = [table[rule] for rule in ids]
    # Where the reported category decided, what the context alone would have asked for is not the reason.
    by_context = rules[-1].id in context or any(rule.then.recommendation == "=context" for rule in rules)
    deciding = [rule for rule in rules if by_context or rule.id not in context]
    grades = {rule.evidence for rule in rules}
    return Explanation(
        timeframe=next((rule.timeframe for rule in reversed(deciding) if rule.timeframe), None),
        rationale=" ".join(dict.fromkeys(rule.because for rule in deciding)),
        expected_ppv=next((rule.expected_ppv for rule in deciding if rule.expected_ppv), None),
        deciding=tuple(rule.id for rule in deciding),
        citations=tuple(dict.fromkeys(key for rule in rules for key in rule.citations)),
        evidence=next(grade for grade in ("policy", "known", "seen") if grade in grades),
    )
