"""Whose data it is: the patient, and resources of others, which are never used."""

from __future__ import annotations

import re
from typing import Literal

from fhir_models.entries import Entries, Resource
from fhir_models.reading import ReadPatient, Unread
from fhir_models.views import Patient, subject_of

_BASE = re.compile(r"https?://[^?#]+/")

UNTOLD = "whose it is could not be read: it closes nothing"


def set_aside_others(entries: Entries, patient_id: str | None) -> frozenset[str]:
    """Take out the resources of other patients, and return those that name a subject which cannot be told.

    A resource without any subject is taken as the patient's: it came in answer to a query for this one. One whose subject
    cannot be told may be; it is read for what it finds, never for what it would close.
    """
    if patient_id is None:
        return frozenset()
    others: set[str] = set()
    untold: set[str] = set()
    for key, resource in sorted(entries.resources.items()):
        container = key.partition("#")[0]
        whose = (
            "ours" if resource.name == "Patient" and _is_contained(resource) else _whose(resource, patient_id, entries)
        )
        if whose == "another" or container in others:
            others.add(key)
            del entries.resources[key]
            entries.unread.append(Unread(resource.name, resource.path, "belongs to another patient"))
        elif whose == "untold" or container in untold:
            untold.add(key)
    return frozenset(untold)


def told(entries: Entries, untold: frozenset[str]) -> Entries:
    """Return the entries without those of whom it cannot be told whose they are; the rest is shared."""
    if not untold:
        return entries
    named = (entries.resources[key] for key in sorted(untold) if "#" not in key)
    entries.unread.extend(Unread(one.reference, one.path, UNTOLD) for one in named if one.name != "Observation")
    kept = {key: resource for key, resource in entries.resources.items() if key not in untold}
    return Entries(kept, entries.aliases, entries.unread)


def _whose(resource: Resource, patient_id: str, entries: Entries) -> Literal["ours", "another", "untold"]:
    """Whose a resource is. A contained subject, the urn of nothing that came, or no reference at all cannot be told."""
    if resource.name == "Patient":
        return "ours" if resource.reference == f"Patient/{patient_id}" else "another"
    reference = subject_of(resource.view)
    subject = entries.aliases.get(reference or "", reference)
    if not subject:
        return "untold" if resource.has_subject else "ours"
    if subject.startswith(("#", "urn:")):
        return "ours" if subject == f"urn:uuid:{patient_id}" else "untold"
    relative = subject.partition("/_history/")[0]
    base, found, _ = relative.rpartition(f"Patient/{patient_id}")
    whole = found and relative.endswith(found) and (not base or _BASE.fullmatch(base))
    return "ours" if whole or relative == patient_id else "another"


def only_patient(entries: Entries) -> str | None:
    """Return the id of the one Patient that came, None where there is none or more than one."""
    patients = [resource.view.id for resource in entries.of("Patient") if not _is_contained(resource)]
    return patients[0] if len(patients) == 1 else None


def _is_contained(resource: Resource) -> bool:
    """A contained resource has no identity outside of its container: it cannot be told from the patient's own."""
    return "#" in resource.reference


def read_patient(entries: Entries, patient_id: str | None) -> ReadPatient:
    """Return what is known of the patient; sex is unknown unless a Patient says it."""
    for resource in sorted(entries.of("Patient"), key=_is_contained):
        view = resource.view
        if isinstance(view, Patient):
            sex = view.gender if view.gender in ("female", "male", "other") else "unknown"
            return ReadPatient(view.id, sex, view.birthDate)
    return ReadPatient(id=patient_id)
