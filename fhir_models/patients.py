"""Whose data it is: the patient, and resources of others, which are never used."""

from __future__ import annotations

from fhir_models.entries import Entries, Resource
from fhir_models.reading import ReadPatient, Unread
from fhir_models.views import Patient, subject_of


def set_aside_others(entries: Entries, patient_id: str | None) -> None:
    """Resources of another patient are never used; a resource without subject is taken as the patient's."""
    if patient_id is None:
        return
    others: set[str] = set()
    for key, resource in sorted(entries.resources.items()):
        reference = subject_of(resource.view)
        if resource.name == "Patient":
            other = not _is_contained(resource) and resource.reference != f"Patient/{patient_id}"
        else:
            target = entries.aliases.get(reference or "", reference)
            other = _is_another(target or "", patient_id)
        if other or key.partition("#")[0] in others:
            others.add(key)
            del entries.resources[key]
            entries.unread.append(Unread(resource.name, resource.path, "belongs to another patient"))


def _is_another(subject: str, patient_id: str) -> bool:
    """Whether a subject is another than the patient; a contained one, or a urn that no entry has, cannot be told."""
    if not subject or subject.startswith(("#", "urn:")):
        return False
    *before, identity = subject.partition("/_history/")[0].split("/")
    return identity != patient_id or before[-1:] not in ([], ["Patient"])


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
