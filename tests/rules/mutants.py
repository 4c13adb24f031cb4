"""Does a change of any single row show? Mutates the table row by row and asks the case tables, then the proof.

python -m tests.rules.mutants            the case tables only, seconds
python -m tests.rules.mutants --prove    what they let live goes through the proof as well, a minute each
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import msgspec

from rules.engine import Ruleset, decide, load_ruleset
from rules.policy import load_policy
from rules.proof.run import prove
from rules.table import Condition, Effect, FlagRule, Rule, Tables, load_tables
from tests.rules.case_tables import Expectation, read_cases
from tests.rules.test_policy import SWITCHED
from tests.rules.test_vignettes import outcome

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
    for name, when in changed_conditions(rule.when):
        yield f"when {name}", msgspec.structs.replace(rule, when=when)
    for place, condition in enumerate(rule.any):
        rest = (*rule.any[:place], *rule.any[place + 1 :])
        yield f"any[{place}] removed", msgspec.structs.replace(rule, any=rest)
        for name, changed in changed_conditions(condition):
            whole = (*rule.any[:place], changed, *rule.any[place + 1 :])
            yield f"any[{place}] {name}", msgspec.structs.replace(rule, any=whole)
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
    for name, when in changed_conditions(flag.when):
        yield f"when {name}", (msgspec.structs.replace(flag, when=when),)
    for place, condition in enumerate(flag.any):
        rest = (*flag.any[:place], *flag.any[place + 1 :])
        yield f"any[{place}] removed", (msgspec.structs.replace(flag, any=rest),)
        for name, changed in changed_conditions(condition):
            whole = (*flag.any[:place], changed, *flag.any[place + 1 :])
            yield f"any[{place}] {name}", (msgspec.structs.replace(flag, any=whole),)


def shows_in_cases(tables: Tables, cases: tuple[Expectation, ...]) -> bool:
    """Whether any row of the case tables, or of the switches, answers otherwise."""
    try:
        ruleset = load_ruleset(tables=tables)
        return any(not as_expected(row, ruleset) for row in cases) or any(
            not switch_as_expected(row, tables) for row in SWITCHED
        )
    except (LookupError, ValueError):
        return True


def as_expected(row: Expectation, ruleset: Ruleset) -> bool:
    decision = decide.__wrapped__(row.case, ruleset)
    expected = (
        row.recommendation,
        row.interval_months,
        row.category,
        row.if_confirmed,
        row.indicator,
        row.discordance,
        row.flags,
    )
    return outcome(decision) == expected and [rule for rule in decision.rules if rule in row.rules] == list(row.rules)


def switch_as_expected(row: tuple[str, dict[str, object], str, str], tables: Tables) -> bool:
    from rules.case_json import read_case

    switch, given, before, after = row
    case, _ = read_case(given)
    local = load_ruleset(load_policy(dict([switch.split("=")])), tables)
    usual = load_ruleset(tables=tables)
    return (decide.__wrapped__(case, usual).recommendation, decide.__wrapped__(case, local).recommendation) == (
        before,
        after,
    )


def shows_in_proof(mutant: Mutant) -> tuple[str, bool]:
    name, tables = mutant
    try:
        return name, not prove(load_ruleset(tables=tables)).ok
    except (LookupError, ValueError):
        return name, True


def main() -> None:
    """Run and print the score and what lives."""
    cases = (*read_cases("vignettes.csv"), *read_cases("edge_cases.csv"))
    everything = list(mutants())
    living = [mutant for mutant in everything if not shows_in_cases(mutant[1], cases)]
    print(f"{len(everything)} mutants, {len(everything) - len(living)} shown by the case tables")
    if "--prove" in sys.argv:
        with ProcessPoolExecutor() as pool:
            shown = dict(pool.map(shows_in_proof, living))
        living = [mutant for mutant in living if not shown[mutant[0]]]
        print(f"{sum(shown.values())} more shown by the proof")
    for name, _ in living:
        print(f"  lives: {name}")
    print(f"score {1 - len(living) / len(everything):.1%}")
    sys.exit(bool(living))


if __name__ == "__main__":
    main()
