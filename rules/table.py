"""The decision table as data: rows, lexicon, sources and switches as they stand in `tables/`, checked on loading."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import msgspec

from rules.follow_up import Act, LoopState
from rules.policy import switches
from rules.vocabulary import Recommendation

FactValue = str | bool
Condition = Mapping[str, tuple[FactValue, ...]]
"""A conjunction: each fact (or policy switch) has one of the values named."""

STAGES = ("gate", "tissue", "descriptors", "context", "combination")
_FILES = ("1_gates", "2_tissue", "3_descriptors", "4_context", "5_combination")


class Effect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a row brings about; members that are not set are left as they are.

    A value that begins with "=" is looked up: =reported, =derived, =context, =severity (critical from category 4C on,
    else warning), =surveillance (by the month of the category-3 protocol), =more_urgent (of the answer so far and the
    written management), =at_least_warning, =unchanged.
    """

    when: Condition = {}
    derived: str | None = None
    step_up: int | None = None
    drop_reported: bool = False
    recommendation: str | None = None
    estimated: str | None = None
    estimated_if_none: str | None = None
    if_confirmed: str | None = None
    indicator: str | None = None
    discordance: str | None = None
    interval: str | None = None
    timeframe: str | None = None


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row: it holds when `when` holds and, if there are any, one of `any`; then `then`, changed by a variant.

    `because` is the rationale, `expected_ppv` the published range in percent, `evidence` seen, known or policy.
    """

    id: str
    then: Effect
    because: str
    citations: tuple[str, ...]
    evidence: str
    when: Condition = {}
    any: tuple[Condition, ...] = ()
    variants: tuple[Effect, ...] = ()
    timeframe: str | None = None
    expected_ppv: str | None = None


class LoopEffect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a row of the loop table answers, in the words of `LoopAnswer`.

    `recommendation` "=same" is the decision's; `indicator` "=same" is the decision's, "=at_least_info" and
    "=at_least_warning" raise it.
    """

    state: LoopState
    recommendation: str = "=same"
    indicator: str = "=same"
    shown: bool = True
    draft: bool = False
    claims_due: bool = False


class LoopRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of the loop table: it holds when `when` holds and, if there are any, one of `any`."""

    id: str
    then: LoopEffect
    because: str
    citations: tuple[str, ...]
    evidence: str
    when: Condition = {}
    any: tuple[Condition, ...] = ()


class ClosingEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A recommendation in `closing.toml`, in the words of `Closing`; `due_days` names a policy switch ("=C1D")."""

    ordered_by: frozenset[Act]
    done_by: frozenset[Act]
    because: str
    citations: tuple[str, ...]
    evidence: str
    due_days: str | None = None
    due_months: str | None = None
    by_place: bool = False


class FlagRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a flag is set: one of `stages` has answered and, if any are named, one of `rules` has fired."""

    name: str
    stages: tuple[str, ...]
    when: Condition = {}
    any: tuple[Condition, ...] = ()
    rules: tuple[str, ...] = ()


class SizeClasses(msgspec.Struct, frozen=True):
    """Size class by morphology, and the limit in mm for a stated particle size."""

    limit_mm: float
    macrocalcification: frozenset[str]
    microcalcification: frozenset[str]


class FirstTold(msgspec.Struct, frozen=True):
    """What a governing morphology and distribution are called when patients and clinicians are first told of them."""

    morphology: Mapping[str, str]
    distribution: Mapping[str, str]


class Lexicon(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The orders and groups of words that the facts of a case are derived with."""

    table_date: str
    governing_order: tuple[str, ...]
    typically_benign: frozenset[str]
    fat_necrosis_forms: frozenset[str]
    distribution_order: tuple[str, ...]
    ductal: frozenset[str]
    progressing: frozenset[str]
    stable: frozenset[str]
    not_suspicious_features: frozenset[str]
    symptoms: frozenset[str]
    high_risk_history: frozenset[str]
    categories: tuple[str, ...]
    critical: frozenset[str]
    step_up: Mapping[str, str]
    category_implies: Mapping[str, str]
    management_implies: Mapping[str, str]
    management_at_screening: Mapping[str, str]
    interval_after: Mapping[str, str]
    size_class: SizeClasses
    first_told: FirstTold
    flag: tuple[FlagRule, ...]


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A citation: what it is, its year, where it was read, and whether it was seen, is known or is policy."""

    citation: str
    year: int
    grade: str
    where: str | None = None
    url: str | None = None
    doi: str | None = None
    pmid: str | None = None


class Tables(msgspec.Struct, frozen=True):
    """All tables: rows by stage in their order, those of the loop, what closes what, the lexicon and the sources."""

    stages: Mapping[str, tuple[Rule, ...]]
    loop: tuple[LoopRule, ...]
    closing: Mapping[Recommendation, ClosingEntry]
    lexicon: Lexicon
    sources: Mapping[str, Source]


class _StageFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    stage: str
    rule: tuple[Rule, ...]


class _LoopFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    stage: str
    rule: tuple[LoopRule, ...]


def load_tables() -> Tables:
    """Read the tables of the package.

    Raises:
        ValueError: a member that no row may have, a citation without source, a row twice, a policy switch that does
            not name a row that reads it.
    """
    stage_files = [_convert(name, _StageFile) for name in _FILES]
    tables = Tables(
        stages={file.stage: file.rule for file in stage_files},
        loop=_convert("6_loop", _LoopFile).rule,
        closing=_convert("closing", dict[Recommendation, ClosingEntry]),
        lexicon=_convert("lexicon", Lexicon),
        sources=_convert("sources", dict[str, Source]),
    )
    _check(tables)
    return tables


def _convert(name: str, kind: Any) -> Any:
    text = files("rules").joinpath(f"tables/{name}.toml").read_text(encoding="utf-8")
    try:
        return msgspec.convert(tomllib.loads(text), kind)
    except msgspec.ValidationError as error:
        raise ValueError(f"tables/{name}.toml: {error}") from None


def _check(tables: Tables) -> None:
    rules = [*(rule for stage in tables.stages.values() for rule in stage), *tables.loop]
    ids = [rule.id for rule in rules]
    if len(set(ids)) != len(ids):
        raise ValueError("a rule id occurs twice")
    for rule in rules:
        if missing := [key for key in rule.citations if key not in tables.sources]:
            raise ValueError(f"rule {rule.id} cites {', '.join(missing)}, which sources.toml does not have")
    for name, entry in tables.closing.items():
        if missing := [key for key in entry.citations if key not in tables.sources]:
            raise ValueError(f"closing of {name} cites {', '.join(missing)}, which sources.toml does not have")
    for name, switch in switches().items():
        if unknown := [rule for rule in switch.rules if rule not in ids]:
            raise ValueError(f"switch {name} names {', '.join(unknown)}, which no table has")
