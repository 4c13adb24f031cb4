"""What one Observation states, in whichever of the known shapes: question and answer in components, finding in the
value, finding in the code with valueBoolean, finding in component.code, attribute without value (codes/README.md).
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from fhir_models.category_text import severity
from fhir_models.meaning import Meaning, ReadCategory, UnknownCoding
from fhir_models.reading import Evidence
from fhir_models.terminology import Concept, Terminology
from fhir_models.views import CodeableConcept, Component, Observation, Quantity
from rules.vocabulary import RCR_CATEGORIES, ScoringSystem

_ASK_PRESENCE = frozenset({"calcification", "presence_element", "change_element"})
"""Questions that "present" answers; of a change, "absent" says that the finding is gone."""

_ASK_AMOUNT = frozenset({"count_element", "width_element", "size_element"})
MAX_COUNT = 100_000
"""More particles than anyone counts: a number beyond it is a fault of the sender."""

_PRESENCE = ("unknown", "absent", "present")
"""Answers by weight: where two are given the later in this order counts."""


class Statement(msgspec.Struct):
    """Everything that one Observation says; lists keep the order of arrival without repeats.

    `one_form`: its code is that of one sort of calcifications, so that a denial denies that sort only. `asks_only`: its
    code is a question, such as that for the type, and not a finding.
    """

    is_calcification: bool = False
    presence: str | None = None
    morphology: list[str] = []
    distribution: list[str] = []
    changes: list[str] = []
    features: list[str] = []
    sides: list[str] = []
    container_side: str | None = None
    category: str | None = None
    category_system: str = "BI-RADS"
    category_basis: str | None = None
    category_conflict: bool = False
    category_evidence: Evidence | None = None
    density: str | None = None
    node: bool = False
    count: int | None = None
    extent_mm: float | None = None
    particle_size_mm: float | None = None
    unspecified: bool = False
    negated: bool = False
    one_form: bool = False
    asks_only: bool = False
    notes: list[str] = []
    evidence: list[Evidence] = []
    not_understood: list[Evidence] = []
    unread_categories: list[Evidence] = []
    unknown: list[UnknownCoding] = []


def read_statement(observation: Observation, reference: str, path: str, terminology: Terminology) -> Statement:
    """Return what the Observation says. `path` is where it stood, for the evidence."""
    said = Statement()
    reader = _Reader(said, terminology, reference, path)
    asked = reader.read(observation.code, "", "code")
    said.asks_only = bool(asked.kinds) and all(kind.endswith("_element") for kind in asked.kinds)
    said.one_form = asked.of_calcification and not any(map(_is_any_calcification, asked.concepts))
    said.negated = observation.valueBoolean is False and asked.of_calcification
    if observation.valueBoolean is not False or said.negated:
        reader.take(asked)
    answer = reader.read_answer(observation, "", asked)
    reader.take(answer.meaning)
    if answer.presence:
        reader.weigh(answer.presence)
    reader.take_category(answer, asked)
    reader.take_amount(observation, asked, answer)
    for index, component in enumerate(observation.component or ()):
        reader.take_component(component, f"component[{index}].")
    answered = observation.valueBoolean is not None or answer.given
    if observation.dataAbsentReason is not None and not answered and said.is_calcification and not said.morphology:
        said.negated = True
        said.notes.append("value absent: data absent reason given")
    return said


class _Answer(NamedTuple):
    """An answer, whether there is one, and where it stands."""

    given: bool
    meaning: Meaning
    place: Evidence

    @property
    def presence(self) -> str | None:
        """Present, absent or unknown, None where the answer is another."""
        return next((concept.normal for concept in self.meaning.concepts if concept.kind == "presence"), None)


class _Reader(msgspec.Struct):
    said: Statement
    terminology: Terminology
    reference: str
    path: str

    def read(self, value: CodeableConcept | None, within: str, element: str) -> Meaning:
        """Return what a value means; what it states is noted as evidence, codes that no table knows as unknown."""
        meaning = self.terminology.meaning(value)
        if meaning.unknown:
            self.said.unknown.extend(meaning.unknown)
        if meaning.differs:
            self.said.notes.append(f"code and words differ at {within}{element}: the more suspicious governs")
        if meaning.states:
            self.said.evidence.append(Evidence(self.reference, f"{self.path}.{within}{element}", meaning.quoted))
        return meaning

    def read_answer(self, holder: Observation | Component, within: str, asked: Meaning) -> _Answer:
        """Return the answer to a question, in whichever element it stands."""
        element, value = _answer_of(holder, asked)
        meaning = self.read(value, within, element)
        return _Answer(
            value is not None, meaning, Evidence(self.reference, f"{self.path}.{within}{element}", meaning.quoted)
        )

    def take(self, meaning: Meaning) -> None:
        """Take over what stands by itself: descriptors, change, side, features, density."""
        said = self.said
        said.is_calcification = said.is_calcification or meaning.of_calcification
        for concept in meaning.concepts:
            kind, normal = concept.kind, concept.normal
            if kind == "morphology":
                _add(said.morphology, normal)
            elif kind == "morphology_unspecified":
                said.unspecified = True
            elif kind == "distribution":
                _add(said.distribution, normal)
            elif kind == "change":
                _add(said.changes, normal)
            elif kind == "feature":
                _add(said.features, normal)
            elif kind == "side":
                _add(said.sides, normal)
            elif kind == "container" and normal:
                said.container_side = normal
            elif kind == "density":
                said.density = normal
            elif kind == "site":
                said.node = True

    def weigh(self, presence: str) -> None:
        """Take over a presence: of several the one that weighs more."""
        self.said.presence = max(self.said.presence or presence, presence, key=_PRESENCE.index)

    def deny(self, asked: Meaning, answer: _Answer) -> None:
        """Take over the denial of a component: of all calcifications, or of the one form or feature that it asks for."""
        of_any = any(map(_is_any_calcification, asked.concepts))
        if of_any or not asked.kinds.isdisjoint({"presence_element", "change_element"}):
            self.said.is_calcification = self.said.is_calcification or of_any
            self.said.evidence.append(msgspec.structs.replace(answer.place, text=f"{asked.quoted}: absent"))
            self.weigh("absent")
        elif answer.given and not asked.kinds:
            self.said.not_understood.append(answer.place)

    def take_component(self, component: Component, within: str) -> None:
        """Take over a component, whether its code asks, or is itself the finding."""
        quoted = len(self.said.evidence)
        asked = self.read(component.code, within, "code")
        before = len(self.said.unknown)
        answer = self.read_answer(component, within, asked)
        stated = (
            answer.presence if component.valueBoolean is None else "present" if component.valueBoolean else "absent"
        )
        if stated is None and component.dataAbsentReason is not None and not answer.given:
            return
        if stated == "absent":
            del self.said.evidence[quoted:]
            self.deny(asked, answer)
            return
        if stated is not None and not asked.kinds.isdisjoint(_ASK_PRESENCE):
            self.weigh(stated)
        if "previously_demonstrated_element" in asked.kinds:
            del self.said.unknown[before:]
            return
        if "not_previously_seen_element" in asked.kinds:
            _add(self.said.changes, "new")
            return
        self.take(asked)
        self.take_category(answer, asked)
        self.take(answer.meaning)
        self.take_amount(component, asked, answer)

    def take_amount(self, component: Observation | Component, asked: Meaning, answer: _Answer) -> None:
        """Take over a count or a length, if asked; one that was stated and is none is noted as not understood."""
        if asked.kinds.isdisjoint(_ASK_AMOUNT):
            return
        said = self.said
        length = self.terminology.millimetres(_longest(component))
        if "count_element" in asked.kinds:
            amount = said.count = _count(component)
        elif "width_element" in asked.kinds:
            amount = said.extent_mm = length
        else:
            amount = said.particle_size_mm = length
        if amount is None and (words := _amount_words(component)):
            said.not_understood.append(msgspec.structs.replace(answer.place, text=words))

    def take_category(self, answer: _Answer, asked: Meaning) -> None:
        """Take over an assessment category: its code, the words beside it, and the more severe where they disagree.

        What answers a question and is neither category nor anything else that a table knows is noted as not understood.
        """
        said, value, place = self.said, answer.meaning, answer.place
        found = value.answer or _bare_number(value, asked) if asked.asked_system else value.category
        if found is not None:
            if not value.states:
                said.evidence.append(place)
            differs = said.category not in (None, found.category)
            said.category_conflict = said.category_conflict or found.conflict or differs
            if said.category is None or severity(found.category) > severity(said.category):
                said.category, said.category_system, said.category_basis = found.category, found.system, found.basis
                said.category_evidence = place
        elif asked.asked_system and value.quoted:
            said.unread_categories.append(place)
        elif value.quoted and not value.concepts and not value.unknown:
            said.not_understood.append(place)


def _bare_number(value: Meaning, asked: Meaning) -> ReadCategory | None:
    """Return the category that a number alone is in the system that was asked for, None where it has no such number."""
    if not asked.asked_system or not value.number:
        return None
    valid = asked.asked_system != ScoringSystem.RCR or value.number in RCR_CATEGORIES
    return ReadCategory(value.number, asked.asked_system, "number", conflict=False) if valid else None


def _is_any_calcification(concept: Concept) -> bool:
    """Whether a concept is that of calcifications as such, not of one sort of them."""
    return concept.kind == "calcification" and not concept.normal


def _answer_of(holder: Observation | Component, asked: Meaning) -> tuple[str, CodeableConcept | None]:
    """Return the element that answers, and the answer: words as a concept's text, and so a number for a category."""
    if holder.valueCodeableConcept is not None:
        return "valueCodeableConcept", holder.valueCodeableConcept
    if holder.valueString:
        return "valueString", CodeableConcept(text=holder.valueString)
    if asked.asked_system and holder.valueInteger is not None:
        return "valueInteger", CodeableConcept(text=str(holder.valueInteger))
    if asked.asked_system and holder.valueQuantity is not None and holder.valueQuantity.value is not None:
        return "valueQuantity", CodeableConcept(text=f"{holder.valueQuantity.value:g}")
    return "value", None


def _add(words: list[str], word: str) -> None:
    if word and word not in words:
        words.append(word)


def _count(component: Observation | Component) -> int | None:
    quantity, counted = component.valueQuantity, component.valueRange
    lowest = quantity or (counted.low if counted else None)
    stated = component.valueInteger if component.valueInteger is not None else lowest.value if lowest else None
    return int(stated) if stated is not None and 1 <= stated < MAX_COUNT and stated == int(stated) else None


def _longest(component: Observation | Component) -> Quantity | None:
    length = component.valueRange
    return component.valueQuantity or ((length.high or length.low) if length else None)


def _amount_words(component: Observation | Component) -> str:
    bounds = component.valueRange
    amounts = (component.valueQuantity, *((bounds.low, bounds.high) if bounds else ()))
    words = [
        f"{item.value:g} {item.unit or item.code or '(no unit)'}" for item in amounts if item and item.value is not None
    ]
    counted = [str(component.valueInteger)] if component.valueInteger is not None else []
    return " - ".join((*words, *counted))
