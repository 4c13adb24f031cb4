"""What the statements of a chart's background are for: `codes/background.toml`, compiled once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import msgspec

from rules.vocabulary import History

LONGEST_WORDS = 1_000
"""Characters of a sender's words that are read."""


class NoteRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line for a card. `side` fits: not of the other breast; `current`: only while it lasts.

    `windowless`: only where no radiotherapy gave its years.
    """

    kinds: frozenset[str]
    text: str
    side: str = "any"
    current: bool = False
    windowless: bool = False


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    doubt: str
    partial: str
    breast: str


class SexTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Extensions (end of the url, system of its code) by weight, questions (system, code), answers in lower case."""

    extensions: tuple[tuple[str, str], ...]
    questions: tuple[tuple[str, str], ...]
    female: frozenset[str]
    male: frozenset[str]


class BackgroundTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table as its file explains it; statuses, kinds of fact, answers, notes."""

    no_fact: frozenset[str]
    ended: frozenset[str]
    unusable: frozenset[str]
    device_gone: frozenset[str]
    symptoms: tuple[str, ...]
    needs_breast: frozenset[str]
    passing: frozenset[str]
    must_be_hers: frozenset[str]
    present_cancer: frozenset[str]
    genes: frozenset[str]
    neoadjuvant_days: int
    unknown_answers: frozenset[str]
    words: Words
    history: Mapping[History, frozenset[str]]
    answers: Mapping[str, Mapping[str, frozenset[str]]]
    gene_answers: Mapping[str, frozenset[str]]
    sex: SexTable
    note: tuple[NoteRow, ...]
    blood_note: tuple[NoteRow, ...]


def _load() -> BackgroundTable:
    rows: dict[str, Any] = tomllib.loads(
        files("fhir_models").joinpath("codes/background.toml").read_text(encoding="utf-8")
    )
    return msgspec.convert(rows, BackgroundTable)


TABLE = _load()
DOUBT, PARTIAL, BREAST = (
    re.compile(pattern, re.IGNORECASE) for pattern in (TABLE.words.doubt, TABLE.words.partial, TABLE.words.breast)
)
