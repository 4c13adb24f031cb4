"""Does a change of any single row show? Mutates the table row by row and asks the case tables, then the proof.

python -m tests.rules.mutants            the case tables only, seconds
python -m tests.rules.mutants --prove    what they let live goes through the proof as well, a minute each
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from typing import Any

import msgspec

from rules.conditions import Row
from rules.engine import Ruleset, combine, decide, derive, load_ruleset
from rules.facts import Facts
from rules.policy import Policy, load_policy
from rules.proof.domain import Axis, descriptor_axes, distinct, exam_axes, gate_axes, points, tissue_axes
from rules.proof.run import SUMMARY, Proof, prove
from rules.table import Condition, Effect, FlagRule, Rule, Tables, load_tables
from rules.vocabulary import Management
from tests.rules.case_tables import Expectation, read_cases
from tests.rules.test_cases import expected, outcome

TABLES = load_tables()
OTHER = {
    "recommendation": ("no_follow_up", "biopsy", "clinician_review"),
    "estimated": ("2", "4B"),
    "if_confirmed": ("2", "NA"),
    "indicator": ("info", "warning", "critical"),
    "discordance": ("none", "reported_higher"),
    "interval": ("6", "none"),
    "derived": ("2", "4A", "4C"),
}
"""What a mutant answers instead: the first value that differs."""

Mutant = tuple[str, Tables]
Rows = Sequence[Row]
CASES = tuple(row for name in ("vignettes", "edge_cases", "switch_cases") for row in read_cases(f"{name}.csv"))
POLICIES = tuple(dict.fromkeys(("", *(row.policy for row in CASES))))


def mutants() -> Iterator[Mutant]:
    """Yield every mutant: rows removed or put before the row above, conditions dropped or narrowed, effects changed."""
    for stage, rules in TABLES.stages.items():
        for place, rule in enumerate(rules):
            before, after = rules[:place], rules[place + 1 :]
            yield f"{rule.id} removed", with_stage(stage, (*before, *after))
            if place:
                swapped = (*before[:-1], rule, before[-1], *after)
                yield f"{rule.id} before {before[-1].id}", with_stage(stage, swapped)
            for name, changed in changed_rules(rule):
                yield f"{rule.id} {name}", with_stage(stage, (*before, changed, *after))
    flags = TABLES.lexicon.flag
    for place, flag in enumerate(flags):
        for name, changed in changed_flags(flag):
            kept = (*flags[:place], *changed, *flags[place + 1 :])
            lexicon = msgspec.structs.replace(TABLES.lexicon, flag=kept)
            yield f"flag {flag.name} {name}", msgspec.structs.replace(TABLES, lexicon=lexicon)


def with_stage(stage: str, rules: tuple[Rule, ...]) -> Tables:
    return msgspec.structs.replace(TABLES, stages={**TABLES.stages, stage: rules})


def changed_rules(rule: Rule) -> Iterator[tuple[str, Rule]]:
    for name, members in changed_hold(rule.when, rule.any):
        yield name, msgspec.structs.replace(rule, **members)
    for name, then in changed_effects(rule.then):
        yield f"then {name}", msgspec.structs.replace(rule, then=then)
    for place, variant in enumerate(rule.variants):
        rest = (*rule.variants[:place], *rule.variants[place + 1 :])
        yield f"variant[{place}] removed", msgspec.structs.replace(rule, variants=rest)
        changes = [(f"when {name}", {"when": when}) for name, when in changed_conditions(variant.when)]
        changes += [
            (name, {name.split()[0]: getattr(effect, name.split()[0])}) for name, effect in changed_effects(variant)
        ]
        for name, change in changes:
            changed = msgspec.structs.replace(variant, **change)
            whole = (*rule.variants[:place], changed, *rule.variants[place + 1 :])
            yield f"variant[{place}] {name}", msgspec.structs.replace(rule, variants=whole)


def changed_hold(when: Condition, either: Sequence[Condition]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every change of when a rule holds, as the members of the rule that it changes."""
    for name, changed in changed_conditions(when):
        yield f"when {name}", {"when": changed}
    for place, condition in enumerate(either):
        before, after = tuple(either[:place]), tuple(either[place + 1 :])
        yield f"any[{place}] removed", {"any": (*before, *after)}
        for name, changed in changed_conditions(condition):
            yield f"any[{place}] {name}", {"any": (*before, changed, *after)}


def changed_conditions(condition: Condition) -> Iterator[tuple[str, Condition]]:
    for fact, allowed in condition.items():
        rest = {name: values for name, values in condition.items() if name != fact}
        yield f"{fact} not asked", rest
        if len(allowed) > 1:
            for value in allowed:
                yield f"{fact} without {value}", {**rest, fact: tuple(other for other in allowed if other != value)}
        elif isinstance(next(iter(allowed)), bool):
            yield f"{fact} flipped", {**rest, fact: (not next(iter(allowed)),)}


def changed_effects(effect: Effect) -> Iterator[tuple[str, Effect]]:
    for field, others in OTHER.items():
        value = getattr(effect, field)
        if value is not None:
            other = next(other for other in others if other != value)
            yield f"{field} {other}", msgspec.structs.replace(effect, **{field: other})


def changed_flags(flag: FlagRule) -> Iterator[tuple[str, tuple[FlagRule, ...]]]:
    yield "removed", ()
    for name, members in changed_hold(flag.when, flag.any):
        yield name, (msgspec.structs.replace(flag, **members),)


def shows_in_cases(tables: Tables, cases: Iterable[Expectation]) -> bool:
    """Whether any row of the case tables answers otherwise."""
    try:
        rulesets = {policy: load_ruleset(policy_of(policy), tables) for policy in POLICIES}
        return any(not as_expected(row, rulesets[row.policy]) for row in cases)
    except (LookupError, ValueError):
        return True


def same_answers(tables: Tables) -> bool:
    """Whether the mutant answers every input as the table does, under every policy: then it is no change at all."""
    compared: set[str] = set()
    for policy in POLICIES:
        pair = load_ruleset(policy_of(policy)), load_ruleset(policy_of(policy), tables)
        rows = repr(
            [(r.gates, r.tissue, r.derivation, r.steps, r.context, r.scoring, r.category, r.management) for r in pair]
        )
        if rows not in compared and not _same(*pair, policy):
            return False
        compared.add(rows)
    return True


def _same(first: Ruleset, second: Ruleset, policy: str) -> bool:
    return (
        _same_first_row(first.gates, second.gates, gate_axes())
        and _same_first_row(first.tissue, second.tissue, tissue_axes())
        and _same_derivation(first, second)
        and _same_combination(first, second, policy)
        and first.flags == second.flags
    )


def _same_first_row(first: Rows, second: Rows, axes: Sequence[Axis]) -> bool:
    if first == second:
        return True
    axes = [distinct(axis, (*first, *second)) or axis for axis in axes]
    return all(_effect(first, point) == _effect(second, point) for point in points(axes))


def _effect(rows: Rows, point: Facts) -> tuple[str, Effect] | None:
    return next(((row.id, row.effect(point)) for row in rows if row.holds(point)), None)


def _same_derivation(first: Ruleset, second: Ruleset) -> bool:
    if (first.derivation, first.steps) == (second.derivation, second.steps):
        return True
    rows = (*first.derivation, *first.steps, *second.derivation, *second.steps)
    axes = descriptor_axes(first.lexicon, first.policy).values()
    for point in points([distinct(axis, rows) for axis in axes]):
        fired: tuple[list[Row], list[Row]] = ([], [])
        told = [derive(point, ruleset, rows) for ruleset, rows in zip((first, second), fired, strict=True)]
        if told[0] != told[1] or [row.id for row in fired[0]] != [row.id for row in fired[1]]:
            return False
    return True


def _same_combination(first: Ruleset, second: Ruleset, policy: str) -> bool:
    later = [
        (*ruleset.context, *ruleset.scoring, *ruleset.category, *ruleset.management) for ruleset in (first, second)
    ]
    if later[0] == later[1]:
        return True
    exams = exam_axes(first.lexicon, first.policy).values()
    described_ways = distinct(descriptions(policy), (*later[0], *later[1]))
    written = [{"management": value} for value in ("none", *Management)]
    for exam in points([*(distinct(axis, (*later[0], *later[1])) or axis for axis in exams), written]):
        for described in described_ways:
            fired: tuple[list[Row], list[Row]] = ([], [])
            told = [combine({**exam, **described}, *how) for how in zip((first, second), fired, strict=True)]
            if told[0] != told[1] or [row.id for row in fired[0]] != [row.id for row in fired[1]]:
                return False
    return True


@cache
def descriptions(policy: str) -> tuple[Facts, ...]:
    """Return what the later stages can be told of a description under a policy."""
    proof = Proof(load_ruleset(policy_of(policy)))
    proof.describe()
    return tuple(dict(zip(SUMMARY, facts, strict=True)) for facts in {item.facts for item in proof.summaries.values()})


def policy_of(policy: str) -> Policy:
    return load_policy(dict([policy.split("=")]) if policy else {})


def as_expected(row: Expectation, ruleset: Ruleset) -> bool:
    return outcome(decide.__wrapped__(row.case, ruleset)) == expected(row)


def verdict(mutant: Mutant) -> tuple[str, str]:
    """Return what becomes of a mutant that the case tables let live."""
    name, tables = mutant
    if same_answers(tables):
        return name, "equivalent"
    return name, "lives" if prove(load_ruleset(tables=tables)).ok else "proof"


def main() -> None:
    """Run and print the score and what lives."""
    everything = list(mutants())
    living = [mutant for mutant in everything if not shows_in_cases(mutant[1], CASES)]
    print(f"{len(everything)} mutants, {len(everything) - len(living)} shown by the case tables")
    if "--prove" not in sys.argv:
        print(*(f"  lives or changes nothing: {name}" for name, _ in living), sep="\n")
        return
    with ProcessPoolExecutor() as pool:
        verdicts: dict[str, str] = {}
        for name, what in pool.map(verdict, living):
            verdicts[name] = what
            print(f"  {what}: {name}", flush=True)
    counted = Counter(verdicts.values())
    real = len(everything) - counted["equivalent"]
    print(f"{counted['proof']} more shown by the proof, {counted['equivalent']} change no answer")
    print(*(f"  lives: {name}" for name, what in verdicts.items() if what == "lives"), sep="\n")
    print(f"score {(real - counted['lives']) / real:.1%} of {real}")
    sys.exit(bool(counted["lives"]))


if __name__ == "__main__":
    main()
