"""Rows compiled under a policy: conditions on switches are settled once, those on facts become tuples to walk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from rules.policy import Policy
from rules.table import Condition, Effect, FactValue, FlagRule, LoopRule, Rule

Checks = tuple[tuple[str, frozenset[FactValue]], ...]


class Row(msgspec.Struct, frozen=True):
    """A compiled row. `any` empty: no alternative is asked; `possible` False: a switch rules the row out."""

    id: str
    when: Checks
    any: tuple[Checks, ...]
    possible: bool
    then: Effect
    variants: tuple[tuple[Checks, Effect], ...]

    def holds(self, facts: Mapping[str, FactValue]) -> bool:
        """Whether the row's condition holds for these facts."""
        if not self.possible or not _all(self.when, facts):
            return False
        return not self.any or any(_all(checks, facts) for checks in self.any)

    def effect(self, facts: Mapping[str, FactValue]) -> Effect:
        """Return what the row brings about: `then`, as the first variant that holds changes it."""
        for checks, effect in self.variants:
            if _all(checks, facts):
                return effect
        return self.then


def compile_rows(rules: Sequence[Rule | FlagRule | LoopRule], policy: Policy) -> tuple[Row, ...]:
    """Compile rows or flags, in their order; what a row of the loop answers stays in the table."""
    return tuple(_compile(rule, policy.values) for rule in rules)


def _compile(rule: Rule | FlagRule | LoopRule, switches: Mapping[str, str]) -> Row:
    when = _settle(rule.when, switches)
    alternatives = tuple(checks for condition in rule.any if (checks := _settle(condition, switches)) is not None)
    then = rule.then if isinstance(rule, Rule) else Effect()
    variants = rule.variants if isinstance(rule, Rule) else ()
    settled = ((_settle(variant.when, switches), _changed(then, variant)) for variant in variants)
    return Row(
        id=rule.name if isinstance(rule, FlagRule) else rule.id,
        when=when or (),
        any=alternatives,
        possible=when is not None and (bool(alternatives) or not rule.any),
        then=then,
        variants=tuple((checks, effect) for checks, effect in settled if checks is not None),
    )


def _settle(condition: Condition, switches: Mapping[str, str]) -> Checks | None:
    """Return the checks on facts, or None where a policy switch has another value than the condition asks."""
    if any(name in switches and switches[name] not in allowed for name, allowed in condition.items()):
        return None
    return tuple((name, frozenset(allowed)) for name, allowed in condition.items() if name not in switches)


def _changed(then: Effect, variant: Effect) -> Effect:
    changes = {name: value for name, value in msgspec.structs.asdict(variant).items() if value and name != "when"}
    return msgspec.structs.replace(then, **changes)


def _all(checks: Checks, facts: Mapping[str, FactValue]) -> bool:
    for name, allowed in checks:  # noqa: SIM110  (a generator would double the time of the hot path)
        if facts[name] not in allowed:
            return False
    return True
