"""What an order, an appointment or a procedure is for, by its words; the words are data in `codes/act_words.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import msgspec

from fhir_models.remembering import remembered
from fhir_models.study import side_in_words
from rules.follow_up import Act
from rules.vocabulary import Laterality

LONGEST = 600
"""Characters of a text that are looked at; a name is shorter."""

REMEMBERED_NAMES = 2048

_TABLE: dict[str, Any] = tomllib.loads(
    files("fhir_models").joinpath("codes/act_words.toml").read_text(encoding="utf-8")
)
_ROOTS: tuple[str, ...] = tuple(_TABLE["roots"])
_PLAIN = frozenset[str](_TABLE["plain_words"])
_SIDES = (Laterality.LEFT, Laterality.RIGHT, Laterality.BILATERAL)
_WORD = re.compile(r"\w+")


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(words, re.IGNORECASE)


_PATTERNS = {name: _pattern(words) for name, words in _TABLE.items() if isinstance(words, str)}
_ABOUT = {"tissue": _PATTERNS["about_tissue"], "imaging": _PATTERNS["about_imaging"]}


class _Row(msgspec.Struct, frozen=True):
    act: Act
    words: re.Pattern[str]
    also: re.Pattern[str] | None
    unless: re.Pattern[str] | None
    needs: str
    about: re.Pattern[str] | None
    only: bool
    taken: bool


def _row(row: dict[str, Any]) -> _Row:
    return _Row(
        act=Act(row["act"]),
        words=_pattern(row["words"]),
        also=_pattern(row["also"]) if "also" in row else None,
        unless=_pattern(row["unless"]) if "unless" in row else None,
        needs=row.get("needs", ""),
        about=_ABOUT.get(row.get("about", "")),
        only=row.get("only", False),
        taken=row.get("taken", False),
    )


_ROWS = tuple(_row(row) for row in _TABLE["act"])


class Around(msgspec.Struct, frozen=True):
    """What stands around the words of a name.

    `breast`: a body site or a reason names a breast; `care`: they name a breast, its cancer or the chest wall; `sided`: a
    side is stated beside the words; `refusal`: the words tell that it was refused, so that talk about it names it.
    """

    breast: bool = False
    care: bool = False
    sided: bool = False
    refusal: bool = False


NOTHING_AROUND = Around()


@remembered(REMEMBERED_NAMES)
def acts_in_words(name: str, around: Around = NOTHING_AROUND) -> frozenset[Act]:
    """Return the acts that a name tells; OTHER also where it only talks about one ("biopsy results")."""
    return frozenset(_acts(name[:LONGEST], around)) if may_name_act(name) else frozenset()


@remembered(REMEMBERED_NAMES)
def may_name_act(text: str) -> bool:
    """Whether a text has the root of any word that counts; most of a chart has none."""
    lowered = text.lower()
    return any(root in lowered for root in _ROOTS)


def names_breast(text: str) -> bool:
    """Whether a text names a breast."""
    return bool(_PATTERNS["breast"].search(text[:LONGEST]))


def names_chest_wall(text: str) -> bool:
    """Whether a text names the chest wall."""
    return bool(_PATTERNS["chest_wall"].search(text[:LONGEST]))


def names_cancer(text: str) -> bool:
    """Whether a text names a cancer: as a reason it does not tell where a needle goes."""
    return bool(_PATTERNS["cancer"].search(text[:LONGEST]))


def names_elsewhere(text: str) -> bool:
    """Whether a text names another organ, or the lymph nodes."""
    return bool(_PATTERNS["elsewhere"].search(text[:LONGEST]))


def is_plain(text: str) -> bool:
    """Whether a text names nothing but acts on a breast, sides and fillers, and so no other place."""
    return all(word in _PLAIN for word in _WORD.findall(text[:LONGEST].lower()))


def is_talk(text: str) -> bool:
    """Whether a text is about an act, such as its results or its consent, and not the act."""
    return any(about.search(text[:LONGEST]) for about in _ABOUT.values())


def spoken_side(text: str) -> tuple[Laterality, bool]:
    """Return the side in words, and whether they name left and right apart: one may be said of something else."""
    text = text[:LONGEST]
    left, right, both = (bool(_PATTERNS[name].search(text)) for name in ("left", "right", "both_sides"))
    sides = {side_in_words(text)} - {Laterality.UNKNOWN}
    sides |= {side for side, said in zip(_SIDES, (left, right, both), strict=True) if said}
    if len(sides) > 1 or Laterality.BILATERAL in sides:
        joined = bool(_PATTERNS["joined"].search(text))
        return (Laterality.BILATERAL, False) if joined else (Laterality.UNKNOWN, True)
    return (sides.pop() if sides else Laterality.UNKNOWN), False


def is_of_interest(text: str) -> bool:
    """Whether a text that names a breast may be an act that matters (breastfeeding, and talk, are none)."""
    return not (_PATTERNS["of_no_interest"].search(text[:LONGEST]) or is_talk(text))


def mammography_context(name: str) -> Act:
    """Return the kind of mammography that words tell; screening where they tell both, as it closes less."""
    text = _as_asked(name[:LONGEST], NOTHING_AROUND)
    if _PATTERNS["screening"].search(text):
        return Act.SCREENING_MAMMOGRAPHY
    return Act.DIAGNOSTIC_MAMMOGRAPHY if _PATTERNS["diagnostic"].search(text) else Act.MAMMOGRAPHY


def _acts(name: str, around: Around) -> Iterator[Act]:
    text, others = _PATTERNS["other"].subn(" ", name)
    if others:
        yield Act.OTHER
    cleaned = False
    for row in _ROWS:
        if not cleaned and row.act != Act.COMPARE_PRIORS:
            text, cleaned = _as_asked(text, around), True
        if not row.words.search(text) or not _allowed(row, text, name, around):
            continue
        if not around.refusal and row.about is not None and row.about.search(name):
            yield Act.OTHER
        elif row.act == Act.MAMMOGRAPHY:
            yield mammography_context(text)
        else:
            yield row.act
        if row.taken:
            text = row.words.sub(" ", text)


def _as_asked(text: str, around: Around) -> str:
    """Return the text without acts that were before, or are only thought of; a refusal denies what it names."""
    text = _PATTERNS["not_now"].sub(" ", text)
    return text if around.refusal else _PATTERNS["denied"].sub(" ", text)


def _allowed(row: _Row, text: str, name: str, around: Around) -> bool:
    """Whether what must stand beside the words does, and what must not does not."""
    if (row.also and not row.also.search(name)) or (row.unless and row.unless.search(text)):
        return False
    if row.only and not around.refusal and not is_plain(text):
        return False
    match row.needs:
        case "breast" if row.about is _ABOUT["tissue"]:
            return not names_elsewhere(text) and _at_breast(name, around)
        case "breast":
            return _at_breast(name, around)
        case "word":
            return around.breast or names_breast(name)
        case "site":
            return not names_elsewhere(text) and (around.care or names_breast(name) or names_chest_wall(name))
        case "care":
            return around.care or around.breast or names_breast(name)
        case _:
            return True


def _at_breast(name: str, around: Around) -> bool:
    return around.breast or names_breast(name) or (around.sided and is_plain(name))
