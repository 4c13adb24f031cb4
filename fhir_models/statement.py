"""What one Observation states, in whichever of the known shapes: question and answer in components, finding in the
value, finding in the code with valueBoolean, finding in component.code, attribute without value (codes/README.md).
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from fhir_models.category_text import category_mentions, most_severe, reconcile
from fhir_models.reading import Evidence
from fhir_models.terminology import Concept, Terminology
from fhir_models.views import CodeableConcept, Coding, Component, Observation, Quantity, Range

CALCIFICATION_KINDS = frozenset({"calcification", "morphology", "morphology_unspecified", "distribution"})
"""Kinds of concept that make the Observation a calcification finding."""

UnknownCoding = tuple[str | None, str, str | None]


class Statement(msgspec.Struct):
    """Everything that one Observation says; lists keep the order of arrival without repeats."""

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
    density: str | None = None
    node: bool = False
    count: int | None = None
    extent_mm: float | None = None
    particle_size_mm: float | None = None
    size_class: str | None = None
    unspecified: bool = False
    negated: bool = False
    notes: list[str] = []
    evidence: list[Evidence] = []
    unknown: list[UnknownCoding] = []


def read_statement(observation: Observation, reference: str, path: str, terminology: Terminology) -> Statement:
    """Return what the Observation says. `path` is where it stood, for the evidence."""
    said = Statement()
    reader = _Reader(said, terminology, reference, path)
    answered = observation.valueBoolean is not None or observation.valueCodeableConcept is not None
    code = reader.concepts(observation.code, "code")
    if observation.valueBoolean is False:
        said.negated = any(concept.kind in CALCIFICATION_KINDS for concept in code)
        said.is_calcification = said.negated
    else:
        reader.take(code)
    reader.take(reader.concepts(observation.valueCodeableConcept, "valueCodeableConcept"))
    reader.take_category(observation.valueCodeableConcept, "valueCodeableConcept", code)
    for index, component in enumerate(observation.component or ()):
        reader.take_component(component, f"component[{index}]")
    if observation.dataAbsentReason is not None and not answered and said.is_calcification and not said.morphology:
        said.negated = True
        said.notes.append("value absent: data absent reason given")
    return said


class _Reader(msgspec.Struct):
    said: Statement
    terminology: Terminology
    reference: str
    path: str

    def concepts(self, value: CodeableConcept | None, place: str) -> list[Concept]:
        """Return the concepts of a value; codings that no table knows are noted, words alone are looked up whole."""
        if value is None:
            return []
        found: list[Concept] = []
        for coding in value.coding or ():
            concept = self.terminology.concept(coding.system, coding.code)
            if concept is not None:
                found.append(concept)
                found.extend(self._worse_in_words(concept, coding, value, place))
            elif coding.code:
                self.said.unknown.append((coding.system, coding.code, coding.display))
        if not found:
            words = (value.text, *(coding.display for coding in value.coding or ()))
            found.extend(concept for text in words if text and (concept := self.terminology.phrase(text)))
        if any(concept.kind != "container" and not concept.kind.endswith("_element") for concept in found):
            self.said.evidence.append(Evidence(self.reference, f"{self.path}.{place}", _quoted(value, found[0].normal)))
        return found

    def take(self, concepts: Iterable[Concept]) -> None:
        """Take over what stands by itself: descriptors, change, side, features, density."""
        said = self.said
        for concept in concepts:
            kind, normal = concept.kind, concept.normal
            if kind in CALCIFICATION_KINDS:
                said.is_calcification = True
            if kind == "calcification" and normal:
                said.size_class = normal
            elif kind == "morphology":
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
            elif kind == "presence":
                said.presence = normal

    def take_component(self, component: Component, place: str) -> None:
        """Take over a component, whether its code asks, or is itself the finding."""
        asked = self.concepts(component.code, f"{place}.code")
        kinds = {concept.kind for concept in asked}
        before = len(self.said.unknown)
        answers = self.concepts(component.valueCodeableConcept, f"{place}.valueCodeableConcept")
        if component.valueBoolean is False:
            if "calcification" in kinds:
                self.said.negated = True
            return
        if component.dataAbsentReason is not None and component.valueCodeableConcept is None:
            return
        if "previously_demonstrated_element" in kinds:
            del self.said.unknown[before:]
            return
        if "not_previously_seen_element" in kinds:
            _add(self.said.changes, "new")
            return
        self.take(asked)
        self.take_category(component.valueCodeableConcept, f"{place}.valueCodeableConcept", asked)
        self.take([answer for answer in answers if answer.kind != "presence" or _answers_presence(kinds)])
        if "count_element" in kinds:
            self.said.count = _count(component)
        elif "width_element" in kinds:
            self.said.extent_mm = _millimetres(component.valueQuantity, component.valueRange)
        elif "size_element" in kinds:
            self.said.particle_size_mm = _millimetres(component.valueQuantity, component.valueRange)

    def take_category(self, value: CodeableConcept | None, place: str, asked: list[Concept]) -> None:
        """Take over an assessment category: its code, the words beside it, and the more severe where they disagree."""
        if value is None:
            return
        found = read_category(value, self.terminology, asked=any(c.kind == "assessment_element" for c in asked))
        if found is None:
            return
        said = self.said
        said.category, said.category_system = found.category, found.system
        said.category_basis, said.category_conflict = found.basis, found.conflict
        said.evidence.append(Evidence(self.reference, f"{self.path}.{place}", _quoted(value)))

    def _worse_in_words(
        self, concept: Concept, coding: Coding, value: CodeableConcept, place: str
    ) -> Iterable[Concept]:
        """Words that name another morphology or distribution than their code: both are taken, so the worse governs."""
        if concept.kind not in ("morphology", "distribution", "morphology_unspecified"):
            return
        for text in (coding.display, value.text if len(value.coding or ()) == 1 else None):
            other = self.terminology.phrase(text) if text else None
            if other and other.kind in ("morphology", "distribution") and other.normal != concept.normal:
                self.said.notes.append(f"code and words differ at {place}: the more suspicious governs")
                yield other


class ReadCategory(msgspec.Struct, frozen=True):
    """A category with its scoring system, where it came from and whether code and words disagreed."""

    category: str
    system: str
    basis: str
    conflict: bool


def read_category(value: CodeableConcept, terminology: Terminology, asked: bool = False) -> ReadCategory | None:
    """Return the category of a CodeableConcept, None where it states none.

    `asked`: the value answers an assessment question, so words alone count; else only beside a category code.
    """
    concepts = [
        concept for coding in value.coding or () if (concept := terminology.concept(coding.system, coding.code))
    ]
    coded = most_severe(concept.normal for concept in concepts if concept.kind == "category")
    words = [text for text in (value.text, *(coding.display for coding in value.coding or ())) if text]
    mentions = [mention for text in words for mention in category_mentions(text)]
    scored = [mention.category for mention in mentions if mention.system == "RCR"]
    stated = [mention.category for mention in mentions if mention.system == "BI-RADS"]
    if coded:
        category, conflict = reconcile(coded, stated)
        return ReadCategory(category, "BI-RADS", "coded", conflict)
    if asked and stated:
        return ReadCategory(most_severe(stated) or stated[0], "BI-RADS", "number", len(set(stated)) > 1)
    if asked and scored:
        return ReadCategory(most_severe(scored) or scored[0], "RCR", "number", len(set(scored)) > 1)
    return None


def _answers_presence(kinds: set[str]) -> bool:
    return not kinds or "presence_element" in kinds or not kinds.isdisjoint(CALCIFICATION_KINDS)


def _add(words: list[str], word: str) -> None:
    if word and word not in words:
        words.append(word)


def _quoted(value: CodeableConcept, meaning: str = "") -> str:
    """Return the words and codes as sent; a code without words gets the word that it stands for."""
    words = value.text or next((coding.display for coding in value.coding or () if coding.display), None)
    words = words or meaning.replace("_", " ")
    codes = ", ".join(coding.code for coding in value.coding or () if coding.code)
    return f"{words} ({codes})" if words and codes else words or codes


def _count(component: Component) -> int | None:
    if component.valueInteger is not None:
        return component.valueInteger
    if component.valueQuantity is not None and component.valueQuantity.value is not None:
        return int(component.valueQuantity.value)
    low = component.valueRange.low if component.valueRange else None
    return int(low.value) if low and low.value is not None else None


def _millimetres(quantity: Quantity | None, size_range: Range | None) -> float | None:
    chosen = quantity or (size_range.high or size_range.low if size_range else None)
    if chosen is None or chosen.value is None:
        return None
    return chosen.value * 10 if chosen.unit == "cm" else chosen.value
