"""What one CodeableConcept says: its concepts, the category in its code and words, and what no table knows of it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from importlib.resources import files
from typing import TYPE_CHECKING

import msgspec

from fhir_models.category_text import asked_system, category_mentions, leading_category, most_severe, reconcile
from fhir_models.remembering import remembered
from fhir_models.views import CodeableConcept, Coding

if TYPE_CHECKING:
    from fhir_models.terminology import Concept

CALCIFICATION_KINDS = frozenset({"calcification", "morphology", "morphology_unspecified", "distribution"})
"""Kinds of concept that make an Observation a calcification finding."""

DESCRIPTOR_KINDS = frozenset({"morphology", "morphology_unspecified", "distribution"})

MAX_REMEMBERED, LONGEST_REMEMBERED = 20_000, 120
"""Coded values repeat from patient to patient and are remembered; free text, told by its length, is not."""

_CALCIFICATION = re.compile(
    tomllib.loads(files("fhir_models").joinpath("codes/study_words.toml").read_text(encoding="utf-8"))["calcification"],
    re.IGNORECASE,
)

UnknownCoding = tuple[str | None, str, str | None]


class ReadCategory(msgspec.Struct, frozen=True):
    """A category with its scoring system, where it came from and whether code and words disagreed."""

    category: str
    system: str
    basis: str
    conflict: bool


class Meaning(msgspec.Struct, frozen=True):
    """What a CodeableConcept says.

    `of_calcification`: a code, or words that say so, make it one of a calcification; words like "round" or "fine" do not.
    `differs`: words name another morphology or distribution than their code; both are among `concepts`. `quoted` are
    the words and codes as sent, `states` whether they state something (a container or a question does not).
    `category` is the one that a category code gives, `answer` the one that counts where an assessment was asked for, and
    `number` what words alone give as answer to such a question. `asked_system` is the system that a question asks for.
    """

    concepts: tuple[Concept, ...] = ()
    kinds: frozenset[str] = frozenset()
    of_calcification: bool = False
    unknown: tuple[UnknownCoding, ...] = ()
    differs: bool = False
    quoted: str = ""
    states: bool = False
    category: ReadCategory | None = None
    answer: ReadCategory | None = None
    number: str | None = None
    asked_system: str | None = None


NOTHING = Meaning()

FindConcept = Callable[[str | None, str], "Concept | None"]


def meanings(find: FindConcept, phrases: Mapping[str, Concept]) -> Callable[[CodeableConcept | None], Meaning]:
    """Return the function from a CodeableConcept to its meaning under these tables."""

    @remembered(MAX_REMEMBERED)
    def known_meaning(value: CodeableConcept) -> Meaning:
        return _read(value, find, phrases)

    def meaning(value: CodeableConcept | None) -> Meaning:
        if value is None:
            return NOTHING
        if value.text and len(value.text) > LONGEST_REMEMBERED:
            return _read(value, find, phrases)
        return known_meaning(value)

    return meaning


def _read(value: CodeableConcept, find: FindConcept, phrases: Mapping[str, Concept]) -> Meaning:
    concepts: list[Concept] = []
    unknown: list[UnknownCoding] = []
    differs = False
    codings = value.coding or ()
    words = [text for text in (value.text, *map(_shown, codings)) if text]
    for coding in codings:
        concept = find(coding.system, coding.code) if coding.code else None
        if concept is not None:
            worse = list(_other_in_words(concept, coding, value, phrases))
            concepts += [concept, *worse]
            differs = differs or bool(worse)
        elif coding.code:
            unknown.append((coding.system, coding.code, coding.display))
    telling = concepts
    if not concepts:
        named = [(concept, text) for text in words if (concept := phrases.get(_plain(text)))]
        concepts = [concept for concept, _ in named]
        telling = [concept for concept, text in named if mentions_calcification(text)]
    category, answer = _categories(concepts, words)
    return Meaning(
        concepts=tuple(concepts),
        kinds=frozenset(concept.kind for concept in concepts),
        of_calcification=any(concept.kind in CALCIFICATION_KINDS for concept in telling),
        unknown=tuple(unknown),
        differs=differs,
        quoted=_quoted(value, _in_words(concepts[0]) if concepts else ""),
        states=any(concept.kind != "container" and not concept.kind.endswith("_element") for concept in concepts),
        category=category,
        answer=answer,
        number=next(filter(None, map(leading_category, words)), None),
        asked_system=next(filter(None, map(asked_system, words)), None)
        or ("BI-RADS" if any(concept.kind == "assessment_element" for concept in concepts) else None),
    )


def mentions_calcification(text: str) -> bool:
    """Whether a text has the word at all; what it says of it is not read."""
    return bool(_CALCIFICATION.search(text))


def _other_in_words(
    concept: Concept, coding: Coding, value: CodeableConcept, phrases: Mapping[str, Concept]
) -> Iterable[Concept]:
    """Words that name another morphology or distribution than their code: both are taken, so the worse governs."""
    if concept.kind in DESCRIPTOR_KINDS:
        for text in (coding.display, value.text if len(value.coding or ()) == 1 else None):
            other = phrases.get(_plain(text)) if text else None
            if other and other.kind in ("morphology", "distribution") and other.normal != concept.normal:
                yield other


def _categories(concepts: Iterable[Concept], words: Iterable[str]) -> tuple[ReadCategory | None, ReadCategory | None]:
    """Return the category by its code, words refining it, and the category if an assessment was asked for."""
    coded = most_severe(concept.normal for concept in concepts if concept.kind == "category")
    mentions = [mention for text in words for mention in category_mentions(text)]
    stated = [mention.category for mention in mentions if mention.system == "BI-RADS"]
    scored = [mention.category for mention in mentions if mention.system == "RCR"]
    if coded:
        category, conflict = reconcile(coded, stated)
        read = ReadCategory(category, "BI-RADS", "coded", conflict)
        return read, read
    for system, named in (("BI-RADS", stated), ("RCR", scored)):
        if named:
            return None, ReadCategory(most_severe(named) or named[0], system, "number", len(set(named)) > 1)
    return None, None


def _shown(coding: Coding) -> str | None:
    """Words of a coding; some senders put the word itself where the system belongs, and no code."""
    named = coding.system if coding.code is None and ":" not in (coding.system or ":") else None
    return coding.display or named


def _plain(text: str) -> str:
    return text.strip().lower()


def _in_words(concept: Concept) -> str:
    if concept.kind == "category":
        return f"category {concept.normal}"
    return (concept.normal or concept.name).replace("_", " ")


def _quoted(value: CodeableConcept, stands_for: str) -> str:
    """Return the words and codes as sent; a code without words gets the word that it stands for."""
    words = value.text or next((coding.display for coding in value.coding or () if coding.display), None)
    words = words or stands_for
    codes = ", ".join(coding.code for coding in value.coding or () if coding.code)
    return f"{words} ({codes})" if words and codes else words or codes
