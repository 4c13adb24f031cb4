"""What a resource is for, on which side and where: from its codes, else its words, its body sites and its reasons."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from importlib.resources import files

import msgspec

from fhir_models.chart.events.words import (
    LONGEST,
    Around,
    acts_in_words,
    is_of_interest,
    is_plain,
    mammography_context,
    may_name_act,
    names_breast,
    names_cancer,
    names_chest_wall,
    names_elsewhere,
    spoken_side,
)
from fhir_models.remembering import remembered
from fhir_models.sides import NOWHERE, Place, agreed_side, joined_side, site_place
from fhir_models.terminology import Terminology
from fhir_models.views import CodeableConcept, Extension
from rules.follow_up import Act
from rules.vocabulary import Laterality

REMEMBERED_CODES = 4096
LONGEST_TEXT = 200
"""Characters of an event's text."""

_TABLE = tomllib.loads(files("fhir_models").joinpath("codes/act_words.toml").read_text(encoding="utf-8"))
_ANY_ORGAN = frozenset[str](_TABLE["any_organ"]["codes"])
_NOT_BREAST = frozenset[str](_TABLE["not_breast"]["regions"])
_MODIFIERS = {word: Laterality(side) for word, side in _TABLE["modifiers"].items()}
_IN_PLACE = frozenset({"quadrant", "clock", "depth"})
_SIDES = frozenset({"left", "right", "bilateral"})
_MAMMOGRAPHY = {
    "screening": Act.SCREENING_MAMMOGRAPHY,
    "diagnostic": Act.DIAGNOSTIC_MAMMOGRAPHY,
    "unspecified": Act.MAMMOGRAPHY,
}
_A_MAMMOGRAM, _NOTHING_ELSE = frozenset({Act.MAMMOGRAPHY}), frozenset({Act.OTHER})
_IMAGING = {"US": Act.BREAST_ULTRASOUND, "MR": Act.BREAST_MRI}


class Said(msgspec.Struct, frozen=True):
    """The members of a resource that name what it is for.

    `concepts` and `words` are its name; `sites`, `extension`, `details`, `reasons` and `notes` stand around it.
    """

    concepts: tuple[CodeableConcept, ...] = ()
    words: tuple[str, ...] = ()
    sites: tuple[CodeableConcept, ...] = ()
    reasons: tuple[CodeableConcept, ...] = ()
    extension: tuple[Extension, ...] = ()
    details: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Named(msgspec.Struct, frozen=True):
    """What was named. `conflict`: sides disagree, and none is taken; `marked_undone`: a code says that it was not done.

    `reason_side` is a side that only a reason or a note states. `unclear`: it concerns a breast, and what is done there
    was not understood.
    """

    acts: frozenset[Act] = frozenset()
    laterality: Laterality = Laterality.UNKNOWN
    conflict: bool = False
    place: Place = NOWHERE
    text: str = ""
    reason_side: Laterality = Laterality.UNKNOWN
    marked_undone: bool = False
    unclear: bool = False


NOTHING_NAMED = Named()


class _Coded(msgspec.Struct, frozen=True):
    """What codes stand for; `anywhere`: acts that are of the breast only where something says so."""

    known: bool
    acts: frozenset[Act]
    anywhere: frozenset[Act]
    sides: frozenset[Laterality]
    marked_undone: bool


def named(said: Said, terminology: Terminology, refusal: bool = False) -> Named:
    """Return what a resource is for; nothing where no code or word says that it concerns a breast.

    `refusal`: its words tell that something was refused, so that "declined biopsy" names the biopsy.
    """
    return (_named if _is_long(said) else _remembered)(said, terminology, refusal)


def _is_long(said: Said) -> bool:
    """Whether a text is too long to be remembered: free text does not repeat from patient to patient."""
    concepts = (*said.concepts, *said.sites, *said.reasons)
    texts = (
        *said.words,
        *said.details,
        *said.notes,
        *(text for concept in concepts for text in _concept_words(concept)),
    )
    return any(len(text) > LONGEST_TEXT for text in texts)


@remembered(REMEMBERED_CODES)
def _remembered(said: Said, terminology: Terminology, refusal: bool) -> Named:
    return _named(said, terminology, refusal)


def _named(said: Said, terminology: Terminology, refusal: bool) -> Named:
    codes = ((coding.system, coding.code) for concept in said.concepts for coding in concept.coding or ())
    coded = _coded(tuple((system, code) for system, code in codes if code), terminology)
    if coded.known and not coded.acts and not coded.anywhere:
        return NOTHING_NAMED
    whole = name_words(said)
    words = whole[:LONGEST]
    at_site = any(_site_meaning(site, terminology)[0] for site in said.sites)
    cut_off = may_name_act(whole[LONGEST:])
    if not (coded.known or at_site or cut_off or may_name_act(words)):
        return NOTHING_NAMED
    around = _around(said, words, refusal, terminology)
    acts = _acts(coded, words, around) if coded.known else acts_in_words(words, around)
    at_breast = around.breast or names_breast(words)
    if acts == _A_MAMMOGRAM:
        acts = frozenset({_mammogram_kind(words, said.reasons, terminology)})
    if not acts or (acts == _NOTHING_ELSE and not at_breast):
        unclear = cut_off or (not acts and at_breast and not coded.known and is_of_interest(words))
        return Named(unclear=unclear, text=words[:LONGEST_TEXT], marked_undone=coded.marked_undone)
    return _placed(said, words, acts, coded, terminology)


def name_words(said: Said) -> str:
    """Return the words of a resource's name, each once."""
    found = [concept.text for concept in said.concepts if concept.text]
    found += [coding.display for concept in said.concepts for coding in concept.coding or () if coding.display]
    return "; ".join(dict.fromkeys((*found, *said.words)))


def act_words(acts: Iterable[Act]) -> str:
    """Return acts in words."""
    return ", ".join(sorted(act.replace("_", " ") for act in acts))


@remembered(REMEMBERED_CODES)
def _coded(codes: tuple[tuple[str | None, str], ...], terminology: Terminology) -> _Coded:
    acts: set[Act] = set()
    anywhere: set[Act] = set()
    sides: set[Laterality] = set()
    known = marked_undone = False
    for system, sent in codes:
        code, _, modifier = sent.rpartition("-") if sent.rpartition("-")[2].upper() in _MODIFIERS else (sent, "", sent)
        if modifier.upper() in _MODIFIERS:
            sides.add(_MODIFIERS[modifier.upper()])
        items = terminology.find_context(system, code) or ()
        study = terminology.study(system, code)
        words = [item.normal for item in items if item.kind == "act"]
        marked_undone = marked_undone or "not_done_marker" in words
        known = known or study is not None or any(item.normal != "not_done_marker" for item in items)
        if words in (["not_done_marker"], ["radiotherapy_site_needed"]):
            anywhere |= {Act.RADIOTHERAPY} if words != ["not_done_marker"] else set()
        elif words:
            (anywhere if code in _ANY_ORGAN else acts).update(map(Act, words))
        elif study is not None and (act := _study_act(study.modality, study.context)):
            acts.add(act)
        stated = [item.laterality for item in items if item.kind == "act"]
        stated += [study.laterality] if study else []
        sides |= {Laterality(side) for side in stated if side in _SIDES}
    return _Coded(known, frozenset(acts), frozenset(anywhere), frozenset(sides), marked_undone)


def _study_act(modality: str, context: str) -> Act | None:
    return _MAMMOGRAPHY.get(context) if modality in ("MG", "DBT") else _IMAGING.get(modality)


def _acts(coded: _Coded, words: str, around: Around) -> frozenset[Act]:
    """Return the coded acts, those of any organ only where it is a breast's (radiotherapy: or the chest wall's)."""
    acts = set(coded.acts)
    at_breast = around.breast or names_breast(words) or (around.sided and bool(words) and is_plain(words))
    irradiated = around.care or names_breast(words) or names_chest_wall(words)
    if not names_elsewhere(words):
        acts |= {act for act in coded.anywhere if (irradiated if act == Act.RADIOTHERAPY else at_breast)}
    return frozenset(acts)


def _mammogram_kind(words: str, reasons: Iterable[CodeableConcept], terminology: Terminology) -> Act:
    """Return the kind of a mammogram whose code leaves it open: by its words, else by coded reasons."""
    kind = mammography_context(words)
    stated = {item.normal for reason in reasons for item in terminology.context(reason, "reason_for_study")}
    return Act.SCREENING_MAMMOGRAPHY if kind == Act.MAMMOGRAPHY and stated == {"screening"} else kind


def _around(said: Said, words: str, refusal: bool, terminology: Terminology) -> Around:
    sites = [_site_meaning(site, terminology) for site in said.sites]
    breast = any(at_breast for at_breast, _ in sites)
    chest = any(chest_wall for _, chest_wall in sites)
    reasons = "; ".join(text for reason in said.reasons for text in _concept_words(reason))
    by_reason = not sites and names_breast(reasons) and not names_elsewhere(reasons)
    return Around(
        breast=breast or (by_reason and not names_cancer(reasons)),
        care=breast or chest or by_reason or (not sites and names_chest_wall(reasons)),
        sided=any(side != Laterality.UNKNOWN for side in (spoken_side(words)[0], *_site_sides(said, terminology))),
        refusal=refusal,
    )


@remembered(REMEMBERED_CODES)
def _site_meaning(site: CodeableConcept, terminology: Terminology) -> tuple[bool, bool]:
    """Return whether a body site is of a breast, and whether it is the chest wall.

    A coded side is that of a breast where its words name no other place.
    """
    words = "; ".join(_concept_words(site))
    if _is_elsewhere(site, terminology):
        return False, False
    items = terminology.context(site, "site")
    kinds = terminology.meaning(site).kinds
    sided = "side" in kinds or bool(terminology.context(site, "side"))
    chest = any(item.normal == "chest_wall" for item in items) or names_chest_wall(words)
    breast = any(item.normal == "breast" for item in items) or names_breast(words) or bool(kinds & _IN_PLACE)
    return breast or (sided and not chest and is_plain(words)), chest


def _is_elsewhere(site: CodeableConcept, terminology: Terminology) -> bool:
    """Whether a body site is a lymph node, the axilla or another organ, and no breast."""
    words = "; ".join(_concept_words(site))
    regions = {concept.normal for concept in terminology.meaning(site).concepts if concept.kind == "region"}
    node = site_place(site, terminology).node or bool(regions & _NOT_BREAST)
    return node or (names_elsewhere(words) and not names_breast(words))


def _placed(said: Said, words: str, acts: frozenset[Act], coded: _Coded, terminology: Terminology) -> Named:
    places = [site_place(site, terminology) for site in said.sites]
    spoken, unjoined = spoken_side(words)
    sides = [*coded.sides, *_site_sides(said, terminology), spoken]
    laterality, differs = agreed_side(sides)
    conflict = differs or unjoined or any(place.side_conflict for place in places)
    if conflict:
        laterality = Laterality.UNKNOWN
    if said.sites and all(_is_elsewhere(site, terminology) for site in said.sites):
        acts = frozenset(Act.OTHER if act in (Act.BIOPSY, Act.EXCISION) else act for act in acts)
    reason_side, _ = agreed_side(_reason_sides(said, terminology))
    first = next(iter(name_parts(said)), "") or act_words(acts)
    return Named(
        acts=acts,
        laterality=laterality,
        conflict=conflict,
        place=_joined_place(places, laterality, conflict),
        text=first[:LONGEST_TEXT],
        reason_side=reason_side,
        marked_undone=coded.marked_undone,
    )


def _reason_sides(said: Said, terminology: Terminology) -> Iterator[Laterality]:
    for reason in said.reasons:
        yield from (Laterality(item.laterality) for item in terminology.context(reason) if item.laterality)
        yield from (spoken_side(text)[0] for text in _concept_words(reason))
    yield from (spoken_side(note)[0] for note in said.notes)


def name_parts(said: Said) -> Iterator[str]:
    """Yield what a resource calls itself, the words that it sent first: text, displays, description."""
    yield from (concept.text for concept in said.concepts if concept.text)
    yield from (coding.display for concept in said.concepts for coding in concept.coding or () if coding.display)
    yield from said.words


def _site_sides(said: Said, terminology: Terminology) -> Iterator[Laterality]:
    """Yield the side of all body sites together, and that of the resource's own location extension."""
    sides = [site_place(site, terminology).laterality for site in said.sites]
    letters = (text.strip().upper() for site in said.sites for text in _concept_words(site))
    sides += [_MODIFIERS[letter] for letter in letters if letter in _MODIFIERS]
    yield joined_side(side for side in sides if side != Laterality.UNKNOWN)
    for detail in said.details:
        yield _MODIFIERS.get(detail.strip().upper()) or spoken_side(detail)[0]
    if said.extension:
        yield site_place(CodeableConcept(extension=said.extension), terminology).laterality


def _joined_place(places: Iterable[Place], laterality: Laterality, conflict: bool) -> Place:
    """Return the place that all body sites share; what they do not share is not stated."""
    stated = [place for place in places if place != NOWHERE]
    if not stated:
        return Place(laterality=laterality, side_conflict=conflict)
    shared = {
        field: value if all(getattr(place, field) == value for place in stated) else None
        for field in ("quadrant", "clock", "depth", "distance_mm")
        for value in (getattr(stated[0], field),)
    }
    return Place(laterality=laterality, side_conflict=conflict, node=all(place.node for place in stated), **shared)


def _concept_words(concept: CodeableConcept) -> Iterator[str]:
    if concept.text:
        yield concept.text
    yield from (coding.display for coding in concept.coding or () if coding.display)
