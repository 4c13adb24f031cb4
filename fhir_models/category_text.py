"""Numbered assessment categories in words: "BI-RADS 4a links" beside a code, or instead of one.

Only an explicit number under the scheme's name counts; density, earlier exams and adjectives never do.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files

import msgspec

_DATA = tomllib.loads(files("fhir_models").joinpath("codes/category_text.toml").read_text(encoding="utf-8"))
_SCHEMES = tuple(
    (system, re.compile(pattern, re.IGNORECASE if system == "BI-RADS" else 0))
    for system, patterns in (("BI-RADS", _DATA["bi_rads"]), ("RCR", _DATA["rcr"]))
    for pattern in patterns
)
_NOT_BEFORE = re.compile(_DATA["not_before"], re.IGNORECASE)
_NEED_PRIORS = re.compile(_DATA["need_priors"], re.IGNORECASE)
_LEFT, _RIGHT = (re.compile(_DATA[side], re.IGNORECASE) for side in ("left", "right"))
_ASKS = re.compile(_DATA["asks"], re.IGNORECASE)
_CLAUSE = re.compile(r",\s")
_SENTENCE = re.compile(r"[.;\n](?=\s|$)")
SEVERITY: dict[str, int] = {category: -rank for rank, category in enumerate(_DATA["severity"]["order"])}
"""Rank of each category, higher is more severe (chart logic section 2: 5 4C 4B 4 4A 0 6 3 2 1)."""


class Mention(msgspec.Struct, frozen=True):
    """A category in words. `laterality` is left, right, bilateral, or None where the sentence names no side."""

    category: str
    system: str
    laterality: str | None


@lru_cache(4096)
def category_mentions(text: str) -> tuple[Mention, ...]:
    """Return the numbered categories that a text states of this exam, in order; the same one once a side."""
    mentions: dict[Mention, None] = {}
    for sentence in _SENTENCE.split(text):
        for system, pattern in _SCHEMES:
            for match in pattern.finditer(sentence):
                if not _NOT_BEFORE.search(sentence[: match.start()]):
                    for value in filter(None, match.groupdict().values()):
                        side = _side(sentence, match.start())
                        mentions[Mention(_category(value, sentence), system, side)] = None
    return tuple(mentions)


def asks_category(text: str) -> bool:
    """Whether a question in words asks for an assessment category."""
    return bool(_ASKS.search(text))


def most_severe(categories: Iterable[str]) -> str | None:
    """Return the most severe category, None where there is none."""
    return max(categories, key=lambda category: SEVERITY.get(category, -99), default=None)


def reconcile(coded: str, stated: Iterable[str]) -> tuple[str, bool]:
    """Return the category to work with, and whether code and words disagreed.

    A subcategory in words refines a coded 4. Words that also name the coded category (two sides, a legend) agree with
    it. Otherwise the more severe of the two is taken.
    """
    words = set(stated)
    finer = [word for word in words if coded == "4" and word in ("4A", "4B", "4C")]
    if finer and len(words) == len(finer):
        return most_severe(finer) or coded, False
    if not words or coded in words:
        return coded, False
    return most_severe((coded, *words)) or coded, True


def _category(value: str, sentence: str) -> str:
    plain = value.replace(" ", "").upper()
    category = _DATA["roman"].get(plain, plain)
    return "0P" if category == "0" and _NEED_PRIORS.search(sentence) else category


def _side(sentence: str, place: int) -> str | None:
    """Return the side that a sentence names; where it names both, the one of the clause at `place`, if that has one."""
    left, right = _LEFT.search(sentence), _RIGHT.search(sentence)
    if not (left and right):
        return "left" if left else "right" if right else None
    start = max((comma.end() for comma in _CLAUSE.finditer(sentence, 0, place)), default=0)
    after = _CLAUSE.search(sentence, place)
    clause = sentence[start : after.start() if after else len(sentence)]
    left, right = _LEFT.search(clause), _RIGHT.search(clause)
    return None if bool(left) == bool(right) else "left" if left else "right"
