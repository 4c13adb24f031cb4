"""Which breast, and where in it: from the body location extension, body site, body structure, in that order."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from fhir_models.entries import Entries
from fhir_models.study import side_in_words
from fhir_models.terminology import Concept, Terminology
from fhir_models.views import BodyStructure, CodeableConcept, Coding, Extension, Observation
from rules.vocabulary import Laterality


class Place(msgspec.Struct):
    """Side and place of a finding; `node` is a lymph node in the axilla."""

    laterality: Laterality = Laterality.UNKNOWN
    quadrant: str | None = None
    clock: str | None = None
    depth: str | None = None
    distance_mm: float | None = None
    node: bool = False


def place_of(observation: Observation, entries: Entries, terminology: Terminology) -> Place:
    """Return the place that the Observation itself names."""
    place = Place()
    site = observation.bodySite
    _read_extensions(site.extension if site else None, place, terminology)
    if site is not None:
        concepts = _concepts(site, terminology)
        _note_place(concepts, place)
        if place.laterality == Laterality.UNKNOWN:
            place.laterality = _side(concepts)
        if place.laterality == Laterality.UNKNOWN and site.text:
            place.laterality = side_in_words(site.text)
    if place.laterality == Laterality.UNKNOWN and observation.bodyStructure is not None:
        structure = entries.resolve(observation.bodyStructure.reference)
        if structure is not None and isinstance(structure.view, BodyStructure):
            sides = [part.laterality for part in structure.view.includedStructure or () if part.laterality]
            place.laterality = _side([concept for side in sides for concept in _concepts(side, terminology)])
    return place


def joined_side(sides: Iterable[str]) -> Laterality:
    """Return the side that words name together: left and right make bilateral."""
    named = set(sides)
    if "bilateral" in named or {"left", "right"} <= named:
        return Laterality.BILATERAL
    return Laterality(next(iter(named))) if named else Laterality.UNKNOWN


def condition_side(sites: Iterable[CodeableConcept], terminology: Terminology) -> Laterality:
    """Return the side of a Condition's body sites."""
    return _side([concept for site in sites for concept in _concepts(site, terminology)])


def _read_extensions(extensions: list[Extension] | None, place: Place, terminology: Terminology) -> None:
    for extension in extensions or ():
        _read_extensions(extension.extension, place, terminology)
        values = [extension.valueCodeableConcept] if extension.valueCodeableConcept else []
        codings = [extension.valueCoding] if extension.valueCoding else []
        concepts = [concept for value in values for concept in _concepts(value, terminology)]
        concepts += [concept for coding in codings if (concept := _concept(coding, terminology))]
        if place.laterality == Laterality.UNKNOWN:
            place.laterality = _side(concepts)
        _note_place(concepts, place)
        if extension.valueQuantity is not None and extension.url and extension.url.startswith("distance"):
            place.distance_mm = extension.valueQuantity.value


def _note_place(concepts: Iterable[Concept], place: Place) -> None:
    for concept in concepts:
        if concept.kind == "quadrant":
            place.quadrant = concept.normal
        elif concept.kind == "clock":
            place.clock = concept.normal
        elif concept.kind == "depth":
            place.depth = concept.normal
        elif concept.kind == "site":
            place.node = True


def _side(concepts: Iterable[Concept]) -> Laterality:
    return joined_side(concept.normal for concept in concepts if concept.kind == "side")


def _concepts(value: CodeableConcept, terminology: Terminology) -> list[Concept]:
    return [concept for coding in value.coding or () if (concept := _concept(coding, terminology))]


def _concept(coding: Coding, terminology: Terminology) -> Concept | None:
    return terminology.concept(coding.system, coding.code)
