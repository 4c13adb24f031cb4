"""Calcification findings: each Observation's own statement, joined with what its parents and members say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from fhir_models.entries import Entries, Resource
from fhir_models.reading import ReadFinding, UnknownCode, Unread
from fhir_models.sides import ONE_BREAST, Place, agreed_side, joined_side, place_of
from fhir_models.statement import Statement, read_statement
from fhir_models.terminology import Terminology
from fhir_models.views import Observation, has_words
from rules.vocabulary import Category, Laterality

DECIDING_STATUS = frozenset({"final", "amended", "corrected"})
GONE_STATUS = frozenset({"entered-in-error", "cancelled"})
SIDE_CONFLICT = "side: stated differently, none is taken"
_ABSENT, _PRESENT, _UNKNOWN = "absent", "present", "unknown"


class ReadObservation(msgspec.Struct):
    """An Observation with its statement and place, the references of its members and of those that name it as one.

    `inherited` are the sides of the nearest Observations above it that name any (FindingsLeftBreast and the like);
    `member_features` the features of its members by their place.
    """

    resource: Resource
    observation: Observation
    said: Statement
    place: Place
    members: list[str]
    parents: list[str] = []
    inherited: set[Laterality] = set()
    member_features: dict[Place, dict[str, None]] = {}


def read_observations(entries: Entries, terminology: Terminology) -> dict[str, ReadObservation]:
    """Return every Observation that still stands, by reference; entered-in-error ones are left out."""
    found: dict[str, ReadObservation] = {}
    for resource in entries.of("Observation"):
        view = resource.view
        if isinstance(view, Observation) and view.status not in GONE_STATUS:
            said = read_statement(view, resource.reference, resource.path, terminology)
            place = place_of(view, resource.reference, entries, terminology)
            found[resource.reference] = ReadObservation(resource, view, said, place, _members(resource, view, entries))
    for reference, item in found.items():
        item.members = [member for member in item.members if member in found]
        for member in map(found.__getitem__, item.members):
            member.parents.append(reference)
            if member.said.features and _presence(member.said) != _ABSENT:
                item.member_features.setdefault(_site(member.place), {}).update(dict.fromkeys(member.said.features))
    _inherit_sides(found)
    return found


def _members(resource: Resource, observation: Observation, entries: Entries) -> list[str]:
    targets = (entries.resolve(member.reference, resource.reference) for member in observation.hasMember or ())
    return list(dict.fromkeys(target.reference for target in targets if target and target is not resource))


def _inherit_sides(observations: Mapping[str, ReadObservation]) -> None:
    """Hand sides down level by level: every Observation gets those of the nearest above it that name any."""
    waiting = {
        reference: sides for reference, item in observations.items() if item.members and (sides := _own_sides(item))
    }
    while waiting:
        reached: dict[str, set[Laterality]] = {}
        for reference, sides in waiting.items():
            for member in observations[reference].members:
                if not observations[member].inherited:
                    reached.setdefault(member, set()).update(sides)
        for member, sides in reached.items():
            observations[member].inherited = sides
        waiting = {member: sides for member, sides in reached.items() if not _own_sides(observations[member])}


def finding_of(
    item: ReadObservation,
    observations: Mapping[str, ReadObservation],
    exam_side: Laterality = Laterality.UNKNOWN,
) -> ReadFinding:
    """Return the finding that a calcification Observation states; in an exam of one breast it is in that one."""
    said, place = item.said, item.place
    features = [*said.features, *_linked_features(item, observations)]
    laterality, side_conflict = side_of(item)
    if exam_side in ONE_BREAST and not side_conflict:
        laterality, side_conflict = agreed_side((laterality, exam_side))
    presence = _presence(said)
    stated = [said, *(observations[member].said for member in item.members if _is_attribute(observations[member].said))]
    described = stated if presence != _ABSENT or said.one_form else []
    return ReadFinding(
        presence=presence,
        laterality=laterality,
        morphology=tuple(dict.fromkeys(word for part in described for word in part.morphology)),
        distribution=tuple(dict.fromkeys(word for part in described for word in part.distribution)),
        change=_change(word for part in stated for word in part.changes),
        associated_features=tuple(dict.fromkeys(features)),
        count=next((part.count for part in stated if part.count), None),
        particle_size_mm=next((part.particle_size_mm for part in stated if part.particle_size_mm), None),
        extent_mm=next((part.extent_mm for part in stated if part.extent_mm), None),
        bilateral_similar=laterality == Laterality.BILATERAL,
        site="axillary_node" if said.node or place.node else "breast",
        quadrant=place.quadrant,
        clock=place.clock,
        depth=place.depth,
        distance_mm=place.distance_mm,
        category=Category(said.category) if said.category else None,
        category_system=said.category_system,
        status="final" if item.observation.status in DECIDING_STATUS else "preliminary",
        notes=(*_notes(said), *((SIDE_CONFLICT,) if side_conflict else ())),
        evidence=tuple(piece for part in stated for piece in part.evidence),
    )


def _is_attribute(said: Statement) -> bool:
    """Whether an Observation describes without saying what: of a calcification where it is a member of one."""
    named = said.is_calcification and not said.asks_only
    if named or said.features or said.category or _presence(said) == _ABSENT:
        return False
    return bool(said.morphology or said.distribution or said.changes or said.extent_mm or said.count)


def is_finding(item: ReadObservation, observations: Mapping[str, ReadObservation]) -> bool:
    """Whether an Observation is a calcification finding of its own, and not an attribute of the one that has it."""
    if not item.said.is_calcification or not _is_attribute(item.said):
        return item.said.is_calcification
    return not any(observations[parent].said.is_calcification for parent in item.parents)


def unclaimed_descriptions(
    items: Iterable[ReadObservation], observations: Mapping[str, ReadObservation]
) -> Iterable[Unread]:
    """Yield the Observations of a mammogram whose words describe something that nothing says to be calcifications."""
    for item in items:
        described = item.said.morphology or item.said.distribution
        claimed = any(observations[parent].said.is_calcification for parent in item.parents)
        if described and not claimed and _is_attribute(item.said):
            yield Unread(item.resource.reference, item.resource.path, "describes what is not said to be calcifications")


def unread_answers(items: Iterable[ReadObservation]) -> Iterable[Unread]:
    """Yield what was not understood: answers of calcifications that are there or to questions for a category, no code."""
    for item in items:
        asserted = item.said.is_calcification and _presence(item.said) != _ABSENT
        for place in item.said.not_understood if asserted else ():
            yield Unread(place.resource, place.path, "words not understood")
        for place in item.said.unread_categories:
            yield Unread(place.resource, place.path, "assessment category not understood")
        if not (item.said.is_calcification or item.said.category or has_words(item.observation.code)):
            yield Unread(item.resource.reference, f"{item.resource.path}.code", "has no code")


def unknown_codes(items: Iterable[ReadObservation]) -> tuple[UnknownCode, ...]:
    """Count the codes that no table knows in Observations about calcifications."""
    counts = Counter(coding for item in items if item.said.is_calcification for coding in item.said.unknown)
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0][1], pair[0][0] or ""))
    return tuple(UnknownCode(system, code, display, count) for (system, code, display), count in ordered)


def side_of(item: ReadObservation) -> tuple[Laterality, bool]:
    """Return the side of an Observation, unknown where more than one is named, and whether that is so."""
    if item.place.side_conflict:
        return Laterality.UNKNOWN, True
    own = _own_sides(item)
    return agreed_side(own | {side for side in item.inherited if side in ONE_BREAST or not own})


def _own_sides(item: ReadObservation) -> set[Laterality]:
    said = item.said
    own = {item.place.laterality, joined_side(said.sides), Laterality(said.container_side or Laterality.UNKNOWN)}
    return own - {Laterality.UNKNOWN}


def _presence(said: Statement) -> str:
    """Presence wins over type: a filler type is sent even with an absent finding."""
    if said.negated or said.presence == _ABSENT:
        return _ABSENT
    return said.presence or _PRESENT


def _change(changes: Iterable[str]) -> str:
    """New and growing beat stable where both are stated."""
    stated = set(changes)
    for word in ("increasing", "new", "changed", "stable", "decreasing", "resolved"):
        if word in stated:
            return word
    return "not_stated"


def _notes(said: Statement) -> tuple[str, ...]:
    notes = list(said.notes)
    if said.category_conflict:
        notes.append("category: stated differently, the higher is taken")
    if said.unspecified and not said.morphology:
        notes.append("the type that was sent names no morphology")
    notes += [f"not understood: “{place.text}”" for place in (*said.not_understood, *said.unread_categories)]
    return tuple(notes)


def _linked_features(item: ReadObservation, observations: Mapping[str, ReadObservation]) -> Iterable[str]:
    """Features of members, and of siblings at the same place; one elsewhere in the breast is not this finding's."""
    for features in item.member_features.values():
        yield from features
    for parent in map(observations.__getitem__, item.parents):
        for site, features in parent.member_features.items():
            if _same_place(item.place, site):
                yield from features


def _site(place: Place) -> Place:
    return Place(place.laterality, quadrant=place.quadrant, clock=place.clock)


def _same_place(first: Place, second: Place) -> bool:
    if first.laterality != second.laterality or Laterality.UNKNOWN in (first.laterality, second.laterality):
        return False
    if first.quadrant and second.quadrant:
        return first.quadrant == second.quadrant
    return bool(first.clock) and first.clock == second.clock
