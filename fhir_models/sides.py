"""Which breast, and where in it: from the body location extension, body site, body structure, in that order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from fhir_models.entries import Entries
from fhir_models.remembering import remembered
from fhir_models.study import side_in_words
from fhir_models.terminology import Concept, Terminology
from fhir_models.views import BodyStructure, CodeableConcept, Extension, Observation
from rules.vocabulary import Laterality

REMEMBERED_SITES = 4096
ONE_BREAST = (Laterality.LEFT, Laterality.RIGHT)


class Place(msgspec.Struct, frozen=True):
    """Side and place of a finding; `node` is a lymph node in the axilla.

    `side_conflict`: more than one side is named, and none is taken, as an order for the wrong breast would follow.
    """

    laterality: Laterality = Laterality.UNKNOWN
    side_conflict: bool = False
    quadrant: str | None = None
    clock: str | None = None
    depth: str | None = None
    distance_mm: float | None = None
    node: bool = False


NOWHERE = Place()


def breasts_of(laterality: Laterality) -> tuple[Laterality, ...]:
    """Return the one breast of a side; both where it is bilateral or not known."""
    return (laterality,) if laterality in ONE_BREAST else ONE_BREAST


def place_of(observation: Observation, reference: str, entries: Entries, terminology: Terminology) -> Place:
    """Return the place that the Observation itself names."""
    place = site_place(observation.bodySite, terminology) if observation.bodySite else NOWHERE
    if observation.bodyStructure is not None and not place.side_conflict:
        structure = entries.resolve(observation.bodyStructure.reference, reference)
        if structure is not None and isinstance(structure.view, BodyStructure):
            sides = [part.laterality for part in structure.view.includedStructure or () if part.laterality]
            concepts = [concept for side in sides for concept in terminology.meaning(side).concepts]
            laterality, conflict = agreed_side((place.laterality, _side(concepts)))
            return msgspec.structs.replace(place, laterality=laterality, side_conflict=conflict)
    return place


@remembered(REMEMBERED_SITES)
def site_place(site: CodeableConcept, terminology: Terminology) -> Place:
    """Return the place that a body site names in its location extension, its codes and its words."""
    concepts = terminology.meaning(site).concepts
    located = list(_located(site.extension or (), terminology))
    words = (site.text, *(coding.display for coding in site.coding or ()))
    laterality, conflict = agreed_side(
        (*(_side(place) for place, _ in located), _side(concepts), *(side_in_words(text) for text in words if text))
    )
    stated = [concept for place, _ in located for concept in place] + [*concepts]
    last = {concept.kind: concept.normal for concept in stated}
    return Place(
        laterality=laterality,
        side_conflict=conflict,
        quadrant=last.get("quadrant"),
        clock=last.get("clock"),
        depth=last.get("depth"),
        distance_mm=next((distance for _, distance in located if distance is not None), None),
        node="site" in last,
    )


def agreed_side(sides: Iterable[Laterality]) -> tuple[Laterality, bool]:
    """Return the side on which all that name one agree, else unknown, and whether they disagree."""
    named = set(sides) - {Laterality.UNKNOWN}
    return (named.pop(), False) if len(named) == 1 else (Laterality.UNKNOWN, bool(named))


def joined_side(sides: Iterable[str]) -> Laterality:
    """Return the side that words name together: left and right make bilateral."""
    named = set(sides)
    if not named:
        return Laterality.UNKNOWN
    if "bilateral" in named or {"left", "right"} <= named:
        return Laterality.BILATERAL
    return Laterality(next(iter(named)))


def condition_side(sites: Iterable[CodeableConcept], terminology: Terminology) -> Laterality:
    """Return the side of a Condition's body sites."""
    return _side([concept for site in sites for concept in terminology.meaning(site).concepts])


def _located(
    extensions: Iterable[Extension], terminology: Terminology
) -> Iterator[tuple[tuple[Concept, ...], float | None]]:
    """Yield what each extension names, nested ones first: its concepts, and a distance from the nipple in mm."""
    for extension in extensions:
        yield from _located(extension.extension or (), terminology)
        concepts = terminology.meaning(extension.valueCodeableConcept).concepts
        if coding := extension.valueCoding:
            concepts += terminology.meaning(CodeableConcept(coding=(coding,))).concepts
        measured = extension.valueQuantity if (extension.url or "").startswith("distance") else None
        yield concepts, terminology.millimetres(measured)


def _side(concepts: Iterable[Concept]) -> Laterality:
    return joined_side(concept.normal for concept in concepts if concept.kind == "side")
