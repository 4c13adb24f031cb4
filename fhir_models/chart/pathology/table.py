"""The words of pathology reports, compiled from `codes/tissue_words.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files

import msgspec

from fhir_models.chart.records import TissueClass


class Scopes(msgspec.Struct, frozen=True):
    """Phrases that take a term away, by what they do to it; each is an alternative of a pattern."""

    aside: tuple[str, ...]
    hedge: tuple[str, ...]
    deny: tuple[str, ...]
    prior: tuple[str, ...] = ()
    pseudo: tuple[str, ...] = ()
    answer_no: str = ""


class ClassCodes(msgspec.Struct, frozen=True):
    """The classes B1 to B5, and the words of a wax block, which looks the same."""

    pattern: str
    blocks: str
    classes: Mapping[str, str]


class NewCancer(msgspec.Struct, frozen=True):
    """Which Conditions stand for pathology: kinds, verification that takes one away, clinical status that ends it."""

    kinds: frozenset[str]
    not_this: frozenset[str]
    not_alone: frozenset[str]
    ended: frozenset[str]


class ExcisionWords(msgspec.Struct, frozen=True):
    """What tells a surgical excision: words, words beside which they do not count, acts of an order, specimen codes."""

    words: str
    not_done: str
    acts: frozenset[str]
    specimens: frozenset[str]


class ReportWords(msgspec.Struct, frozen=True):
    """Which reports there are: codes, statuses, words."""

    aside: str
    mass: str
    skin: str
    sampled: str
    breast_codes: frozenset[str]
    title: str
    accession: frozenset[str]
    final: frozenset[str]
    replaces: frozenset[str]
    gone: frozenset[str]
    biopsy: str
    concordance_days: int
    follows_days: int
    plain_text: str


class TissueTable(msgspec.Struct, frozen=True):
    """`tissue_words.toml` as it stands."""

    terms: Mapping[str, tuple[str, ...]]
    b_codes: ClassCodes
    conditions: Mapping[str, TissueClass]
    tissue: Mapping[str, TissueClass]
    new_cancer: NewCancer
    before: Scopes
    after: Scopes
    reach: Mapping[str, str]
    calcifications: Mapping[str, str]
    concordance: Mapping[str, str]
    sections: Mapping[str, str]
    sides: Mapping[str, str]
    places: Mapping[str, str]
    excision: ExcisionWords
    reports: ReportWords


def pattern(text: str) -> re.Pattern[str]:
    """Compile a pattern of the table, which knows no capitals."""
    return re.compile(text, re.IGNORECASE)


def patterns(texts: Mapping[str, str]) -> dict[str, re.Pattern[str]]:
    """Compile the named patterns of a section of the table."""
    return {name: pattern(text) for name, text in texts.items()}


def groups(alternatives: Mapping[str, Iterable[str]]) -> re.Pattern[str]:
    """Compile groups of alternatives into one pattern, whose `lastgroup` is the group that was met."""
    return pattern("|".join(f"(?P<{name}>{'|'.join(texts)})" for name, texts in alternatives.items()))


TABLE = msgspec.convert(
    tomllib.loads(files("fhir_models").joinpath("codes/tissue_words.toml").read_text(encoding="utf-8")), TissueTable
)

TERMS = groups(TABLE.terms)
"""Every term, by its group."""

BEFORE = groups(
    {
        "pseudo": TABLE.before.pseudo,
        "hedge": TABLE.before.hedge,
        "aside": TABLE.before.aside,
        "prior": TABLE.before.prior,
        "deny": TABLE.before.deny,
    }
)
"""Phrases that take away what follows them, by what they do."""
