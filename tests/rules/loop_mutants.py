"""Does a change of any row of the loop, or of what closes what, show? As `mutants.py`, for `6_loop.toml` and `closing.toml`.

python -m tests.rules.loop_mutants    seconds; what the case tables let live goes through the proof as well
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping

import msgspec

from rules.engine import load_ruleset
from rules.follow_up import Act
from rules.loop import Loop, compile_loop, limits_of, loop_answer
from rules.policy import Policy, load_policy
from rules.proof.boxes import Box, partition, within
from rules.proof.exceptions import Exceptions
from rules.proof.loop import DOMAIN, facts_in, indicators, prove_loop
from rules.table import ClosingEntry, LoopEffect, LoopRule, Tables
from rules.vocabulary import Recommendation
from tests.rules.loop_table import read_loop_cases, told
from tests.rules.mutants import TABLES, Mutant, changed_hold
from tests.rules.test_loop import DUES, closings, expected_closings

CASES = read_loop_cases()
POLICIES: Mapping[str, Policy] = {
    name: load_policy(dict([name.split("=")]) if name else {}) for name in ("", *(row.policy for row in CASES))
}
OTHER = {
    "state": ("open", "closed"),
    "recommendation": ("no_follow_up", "clinician_review", "=same"),
    "indicator": ("info", "warning", "critical", "=same", "=at_least_warning"),
}
"""What a mutant answers instead: every value that differs."""


def mutants() -> Iterator[Mutant]:
    """Yield every mutant of both tables."""
    rules = TABLES.loop
    for place, rule in enumerate(rules):
        before, after = rules[:place], rules[place + 1 :]
        yield f"{rule.id} removed", _with_loop((*before, *after))
        if place:
            yield f"{rule.id} before {before[-1].id}", _with_loop((*before[:-1], rule, before[-1], *after))
        for name, changed in _changed_rules(rule):
            yield f"{rule.id} {name}", _with_loop((*before, changed, *after))
    for recommendation, entry in TABLES.closing.items():
        rest = {name: other for name, other in TABLES.closing.items() if name != recommendation}
        yield f"closing {recommendation} removed", msgspec.structs.replace(TABLES, closing=rest)
        for name, changed in _changed_entries(entry):
            whole = {**rest, recommendation: changed}
            yield f"closing {recommendation} {name}", msgspec.structs.replace(TABLES, closing=whole)


def _with_loop(rules: tuple[LoopRule, ...]) -> Tables:
    return msgspec.structs.replace(TABLES, loop=rules)


def _changed_rules(rule: LoopRule) -> Iterator[tuple[str, LoopRule]]:
    for name, members in changed_hold(rule.when, rule.any):
        yield name, msgspec.structs.replace(rule, **members)
    for name, then in _changed_effects(rule.then):
        yield f"then {name}", msgspec.structs.replace(rule, then=then)


def _changed_effects(effect: LoopEffect) -> Iterator[tuple[str, LoopEffect]]:
    for field, others in OTHER.items():
        for other in others:
            if other != getattr(effect, field):
                members = {**msgspec.to_builtins(effect), field: other}
                yield f"{field} {other}", msgspec.convert(members, LoopEffect)
    for field in ("shown", "draft", "claims_due"):
        yield f"{field} flipped", msgspec.structs.replace(effect, **{field: not getattr(effect, field)})


def _changed_entries(entry: ClosingEntry) -> Iterator[tuple[str, ClosingEntry]]:
    for field in ("ordered_by", "done_by"):
        acts: frozenset[Act] = getattr(entry, field)
        for act in Act:
            yield f"{field} {act} turned", msgspec.structs.replace(entry, **{field: acts ^ {act}})
    for switch in ("=C1D", "=C1B", "=C1P", "=C1S", "=C1R", None):
        if switch != entry.due_days:
            yield f"due_days {switch}", msgspec.structs.replace(entry, due_days=switch)
    if entry.due_months:
        yield "due_months dropped", msgspec.structs.replace(entry, due_months=None)
    yield "by_place flipped", msgspec.structs.replace(entry, by_place=not entry.by_place)


def verdict(tables: Tables) -> str:
    """Return what becomes of a mutant: shown by the case tables, equivalent, shown by the proof, or alive."""
    loops = {name: compile_loop(tables, policy) for name, policy in POLICIES.items()}
    if _shows_in_cases(tables, loops):
        return "cases"
    if tables.closing == TABLES.closing and all(_same(_loop(name), loop) for name, loop in loops.items()):
        return "equivalent"
    return "lives" if all(map(_is_proved, POLICIES.values(), (tables for _ in POLICIES))) else "proof"


def _shows_in_cases(tables: Tables, loops: Mapping[str, Loop]) -> bool:
    if closings(limits_of(POLICIES[""], tables)) != expected_closings():
        return True
    for switch, recommendation, allowed in DUES:
        for days in allowed:
            closing = limits_of(load_policy({switch: str(days)}), tables).closing
            if closing[Recommendation(recommendation)].due_days != days:
                return True
    try:
        return any(told(case, loops[case.policy]) != case.expected for case in CASES)
    except LookupError:
        return True


def _loop(name: str) -> Loop:
    return compile_loop(TABLES, POLICIES[name])


def _same(first: Loop, second: Loop) -> bool:
    """Whether two loops answer every input alike, for the same reason."""
    pieces, undecided = partition(DOMAIN, first.rows)
    for row, box in pieces:
        others, left = partition(box, second.rows)
        undecided += left
        if any(row.id != other.id or _differ(part, first, second) for other, part in others):
            return False
    return not undecided


def _differ(box: Box, first: Loop, second: Loop) -> bool:
    for recommendation in box["recommendation"]:
        facts = facts_in(within(box, recommendation=[recommendation]))
        for indicator in indicators(recommendation):
            if loop_answer(facts, indicator, first) != loop_answer(facts, indicator, second):
                return True
    return False


def _is_proved(policy: Policy, tables: Tables) -> bool:
    ruleset = load_ruleset(policy, tables)
    exceptions = Exceptions(ruleset.deviations)
    proved = all(not line.violations for line in prove_loop(ruleset.loop, ruleset.limits, exceptions))
    return proved and not [idle for idle in exceptions.unneeded() if idle.startswith("loop")]


def main() -> None:
    """Run and print the score and what lives."""
    verdicts = {name: verdict(tables) for name, tables in mutants()}
    counted = Counter(verdicts.values())
    real = len(verdicts) - counted["equivalent"]
    print(f"{len(verdicts)} mutants, {counted['cases']} shown by the case tables, {counted['proof']} more by the proof")
    print(f"{counted['equivalent']} change no answer")
    for what in ("lives", "proof", "equivalent"):
        print(*(f"  {what}: {name}" for name, found in verdicts.items() if found == what), sep="\n")
    print(f"score {(real - counted['lives']) / real:.1%} of {real}")
    sys.exit(bool(counted["lives"]))


if __name__ == "__main__":
    main()
