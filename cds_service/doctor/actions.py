"""Actions of suggestions and system actions: whole, valid FHIR, and about the patient of the call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cds_service.doctor.checks import Sighting, judged
from cds_service.doctor.json_shape import JsonObject, is_object, is_text, members_of, word
from fhir_models.validation import faults_of

_TYPES = ("create", "update", "delete")
_ORDERS = (
    "CommunicationRequest",
    "DeviceRequest",
    "MedicationRequest",
    "NutritionOrder",
    "ServiceRequest",
    "VisionPrescription",
)
_SUBJECTS = ("subject", "patient")


def judge_actions(actions: Sequence[object], patient: str, path: str, described: bool = True) -> Iterator[Sighting]:
    """Judge actions; system actions need no description (`described`)."""
    for index, action in enumerate(map(members_of, actions)):
        place = f"{path}[{index}]"
        kind, resource = action.get("type"), action.get("resource")
        faults = [] if kind in _TYPES else [f"type {word(kind)}"]
        if described and not is_text(action.get("description")):
            faults.append("no description")
        yield judged("cards.action", not faults, f"{place}: {', '.join(faults) or 'right'}")
        yield judged("cards.action-resource", _has_target(action), f"{place}: {word(kind)}")
        if is_object(resource) and kind in ("create", "update"):
            yield from _judge_resource(resource, patient, f"{place}.resource")


def _has_target(action: JsonObject) -> bool:
    resource = action.get("resource")
    match action.get("type"):
        case "delete":
            return is_text(action.get("resourceId")) or is_text(resource)
        case "update":
            return is_object(resource) and is_text(resource.get("resourceType")) and is_text(resource.get("id"))
        case _:
            return is_object(resource) and is_text(resource.get("resourceType"))


def _judge_resource(resource: JsonObject, patient: str, place: str) -> Iterator[Sighting]:
    by_version = [list(faults_of(dict(resource), version)) for version in ("R4", "R5")]
    fewest = min(by_version, key=len)
    more = f" and {len(fewest) - 1} more" if len(fewest) > 1 else ""
    words = f"{fewest[0].steps}: {fewest[0].text}{more}" if fewest else ": valid"
    yield judged("cards.action-fhir", not fewest, f"{place}{words}")
    if resource.get("resourceType") in _ORDERS:
        named = [members_of(resource.get(name)).get("reference") for name in _SUBJECTS if name in resource]
        right = any(isinstance(reference, str) and reference.endswith(f"Patient/{patient}") for reference in named)
        yield judged("cards.action-subject", right, f"{place}.subject")
        status = resource.get("status")
        yield judged("cards.action-draft", status == "draft", f"{place}.status: {word(status)}")
