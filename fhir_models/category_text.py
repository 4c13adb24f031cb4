"""Numbered assessment categories in words: "BI-RADS 4a links" beside a code, or instead of one.

Only an explicit number under the scheme's name counts; density, earlier exams and adjectives never do.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect
from collections.abc import Iterable
from functools import cached_property
from importlib.resources import files

import msgspec

_DATA = tomllib.loads(files("fhir_models").joinpath("codes/category_text.toml").read_text(encoding="utf-8"))
_SCHEMES = tuple(
    (system, re.compile(pattern, re.IGNORECASE if system == "BI-RADS" else 0))
    for system, patterns in (("BI-RADS", _DATA["bi_rads"]), ("RCR", _DATA["rcr"]))
    for pattern in patterns
)
_NOT_BEFORE = re.compile(_DATA["not_before"], re.IGNORECASE)
_ADDENDUM = re.compile(_DATA["addendum"], re.IGNORECASE)
_NEED_PRIORS = re.compile(_DATA["need_priors"], re.IGNORECASE)
_NEED_IMAGING = re.compile(_DATA["need_imaging"], re.IGNORECASE)
_SIDES = tuple((side, re.compile(_DATA[side], re.IGNORECASE)) for side in ("left", "right"))
_ASKS = re.compile(_DATA["asks"], re.IGNORECASE)
_ANSWER = re.compile(_DATA["answer"], re.IGNORECASE)
_ASKS_RCR = re.compile(_DATA["asks_rcr"], re.IGNORECASE)
_BLANKS = re.compile(r"\s+")
_NUMBER = re.compile(
    r"(?<![\w.])[0-6](?: ?[abc])?(?![\w.%]| ?(?:years?|months?|weeks?|mm|cm|views?|o.?clock))", re.IGNORECASE
)
_LABEL = re.compile(r".(?<=:)|.(?: breast)? ?:", re.IGNORECASE)
_CLAUSE = re.compile(r", ")
_SENTENCE = re.compile(r"[.;](?=\s|$)|[\r\n]+")
LOOK_BACK = 40
"""Characters before a category in which words can take it away (a density, an earlier exam)."""

_RANKS: dict[str, int] = {category: rank for rank, category in enumerate(reversed(_DATA["severity"]["order"]), start=1)}


class Mention(msgspec.Struct, frozen=True):
    """A category in words. `laterality` is left, right, bilateral, or None where the sentence names no side."""

    category: str
    system: str
    laterality: str | None


def category_mentions(text: str) -> tuple[Mention, ...]:
    """Return the numbered categories that a text states of this exam, in order; the same one once a side."""
    mentions = [mention for part in _SENTENCE.split(text) for mention in _mentions_of(_Sentence(part))]
    if any(mention.category == "0" for mention in mentions) and _awaits_priors_only(text, mentions):
        mentions = [
            msgspec.structs.replace(mention, category="0P") if mention.category == "0" else mention
            for mention in mentions
        ]
    return tuple(dict.fromkeys(mentions))


def _awaits_priors_only(text: str, mentions: Iterable[Mention]) -> bool:
    """Whether the one category 0 of a text waits for priors, and nothing in the text asks for other images."""
    sides = {mention.laterality for mention in mentions if mention.category == "0"}
    flat = _BLANKS.sub(" ", text)
    return len(sides) == 1 and bool(_NEED_PRIORS.search(flat)) and not _NEED_IMAGING.search(flat)


def _mentions_of(sentence: _Sentence) -> Iterable[Mention]:
    for system, pattern in _SCHEMES:
        for match in pattern.finditer(sentence.text):
            before = sentence.text[max(0, match.start() - LOOK_BACK) : match.start()]
            if not _NOT_BEFORE.search(before):
                side = sentence.side_at(match.start())
                for value in filter(None, match.groupdict().values()):
                    yield Mention(sentence.category(value), system, side)


def sides_not_understood(text: str) -> bool:
    """Whether a sentence names the scheme and both breasts, and not each has its category: "BI-RADS: right 2, left 5"."""
    if not all(word.search(text) for _, word in _SIDES) or not _ASKS.search(text):
        return False
    for part in _SENTENCE.split(text):
        sentence = _Sentence(part)
        if sentence.names_both and _ASKS.search(sentence.text):
            stated = [mention for mention in _mentions_of(sentence) if mention.system == "BI-RADS"]
            if len({mention.laterality for mention in stated} & {"left", "right"}) < 2 and len(stated) != 1:
                return True
            if len(stated) == 1 and len(_NUMBER.findall(sentence.text)) > 1:
                return True
    return False


class _Sentence:
    """A sentence with the sides that it names, looked up once: a text may name thousands of categories."""

    def __init__(self, part: str) -> None:
        self.text = _BLANKS.sub(" ", part)

    def side_at(self, place: int) -> str | None:
        """Return the side that the sentence names; where it names both, the one of the clause or label before it."""
        if not self.names_both:
            return next(iter(self._named), None)
        clauses, in_clause = self._clauses
        named = in_clause.get(bisect(clauses, place), set())
        if len(named) == 1:
            return next(iter(named))
        label = bisect(self._labels, (place, "")) - 1
        return self._labels[label][1] if label >= 0 and self._both_are_labels else None

    @property
    def names_both(self) -> bool:
        """Whether the sentence names the left and the right side."""
        return len(self._named) == 2

    @cached_property
    def _sides(self) -> list[tuple[int, int, str]]:
        return sorted((*match.span(), side) for side, word in _SIDES for match in word.finditer(self.text))

    @cached_property
    def _named(self) -> set[str]:
        return {side for _, _, side in self._sides}

    @cached_property
    def _clauses(self) -> tuple[list[int], dict[int, set[str]]]:
        clauses = [match.start() for match in _CLAUSE.finditer(self.text)]
        in_clause: dict[int, set[str]] = {}
        for place, _, side in self._sides:
            in_clause.setdefault(bisect(clauses, place), set()).add(side)
        return clauses, in_clause

    @cached_property
    def _labels(self) -> list[tuple[int, str]]:
        return [(start, side) for start, end, side in self._sides if _LABEL.match(self.text, end - 1)]

    @cached_property
    def _both_are_labels(self) -> bool:
        return len({side for _, side in self._labels}) == 2

    @cached_property
    def _needs_priors(self) -> bool:
        return bool(_NEED_PRIORS.search(self.text))

    def category(self, value: str) -> str:
        """Return a category as it is coded; 0 is 0P where only priors are awaited."""
        category = _plain_category(value)
        return "0P" if category == "0" and self._needs_priors else category


def _plain_category(value: str) -> str:
    plain = value.replace(" ", "").upper()
    return _DATA["roman"].get(plain, plain)


def asked_system(question: str) -> str | None:
    """Return the system in which a question in words asks for an assessment category, None where it asks for none."""
    if _ASKS_RCR.search(question):
        return "RCR"
    return "BI-RADS" if _ASKS.search(question) else None


def leading_category(answer: str) -> str | None:
    """Return the category that an answer is or begins with; it is one only in answer to `asked_system`."""
    found = _ANSWER.match(answer)
    return most_severe(_plain_category(value) for value in found.groupdict().values() if value) if found else None


def severity(category: str) -> int:
    """Return the rank of a category, higher is more severe (chart logic section 2: 5 4C 4B 4 4A 0 6 3 2 1); 0 is none."""
    return _RANKS.get(category, 0)


def most_severe(categories: Iterable[str]) -> str | None:
    """Return the most severe category, None where there is none."""
    return max(categories, key=severity, default=None)


_FINER = {"4": ("4A", "4B", "4C"), "0": ("0P",)}
"""Categories that words may state more finely than their code."""


def has_addendum(text: str) -> bool:
    """Whether a text says that something was added to the report or changed in it."""
    return bool(_ADDENDUM.search(text))


def reconcile(coded: str, stated: Iterable[str]) -> tuple[str, bool]:
    """Return the category to work with, and whether code and words disagreed.

    Words refine a coded 4, and a coded 0 that waits for priors. Words that also name the coded category (two sides, a
    legend) agree with it. Otherwise the more severe of the two is taken.
    """
    words = set(stated)
    finer = {word for word in words if word in _FINER.get(coded, ())}
    if finer and all(severity(word) < severity(coded) for word in words - finer):
        return most_severe(finer) or coded, False
    if not words or coded in words:
        return coded, False
    return most_severe((coded, *words)) or coded, True
