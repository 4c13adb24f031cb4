"""Narrow views of FHIR resources: just the elements that say something about calcifications, R4, R4B and R5 alike.

Everything else is ignored. The bytes are parsed once, strictly, by `strict_json`; each resource is then converted alone,
so that one that does not fit never hides another. `fhir.resources` builds and checks what leaves, and is the engine of
the conformance check; it is not on this path (docs/decisions). Views are hashable, so that the meaning of a concept can
be remembered, and hold no cycles, so that the garbage collector need not walk them.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Coding(msgspec.Struct, frozen=True, gc=False):
    system: str | None = None
    code: str | None = None
    display: str | None = None


class Quantity(msgspec.Struct, frozen=True, gc=False):
    value: float | None = None
    unit: str | None = None
    code: str | None = None


class Range(msgspec.Struct, frozen=True, gc=False):
    low: Quantity | None = None
    high: Quantity | None = None


class Extension(msgspec.Struct, frozen=True, gc=False):
    url: str | None = None
    valueCodeableConcept: CodeableConcept | None = None
    valueCoding: Coding | None = None
    valueCode: str | None = None
    valueQuantity: Quantity | None = None
    extension: tuple[Extension, ...] | None = None


class CodeableConcept(msgspec.Struct, frozen=True, gc=False):
    """Also a bodySite, whose extensions hold side and place."""

    coding: tuple[Coding, ...] | None = None
    text: str | None = None
    extension: tuple[Extension, ...] | None = None


class Reference(msgspec.Struct, frozen=True, gc=False):
    reference: str | None = None


class CodeableReference(msgspec.Struct, frozen=True, gc=False):
    """R5's concept, or a reference to what states it."""

    concept: CodeableConcept | None = None
    reference: Reference | None = None


class ServiceCode(msgspec.Struct, frozen=True, gc=False):
    """What is ordered: R4's CodeableConcept, or R5's CodeableReference with the concept inside."""

    coding: tuple[Coding, ...] | None = None
    text: str | None = None
    concept: CodeableConcept | None = None


class Identifier(msgspec.Struct, frozen=True, gc=False):
    type: CodeableConcept | None = None
    system: str | None = None
    value: str | None = None


class Period(msgspec.Struct, frozen=True, gc=False):
    start: str | None = None
    end: str | None = None


class Component(msgspec.Struct, frozen=True, gc=False):
    code: CodeableConcept | None = None
    valueCodeableConcept: CodeableConcept | None = None
    valueBoolean: bool | None = None
    valueInteger: int | None = None
    valueQuantity: Quantity | None = None
    valueRange: Range | None = None
    valueString: str | None = None
    dataAbsentReason: CodeableConcept | None = None


class Annotation(msgspec.Struct, frozen=True, gc=False):
    text: str | None = None


class Observation(msgspec.Struct, frozen=True, gc=False):
    id: str | None = None
    status: str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    effectiveDateTime: str | None = None
    effectivePeriod: Period | None = None
    issued: str | None = None
    bodySite: CodeableConcept | None = None
    bodyStructure: Reference | None = None
    valueCodeableConcept: CodeableConcept | None = None
    valueBoolean: bool | None = None
    valueInteger: int | None = None
    valueQuantity: Quantity | None = None
    valueRange: Range | None = None
    valueString: str | None = None
    dataAbsentReason: CodeableConcept | None = None
    component: tuple[Component, ...] | None = None
    hasMember: tuple[Reference, ...] | None = None
    basedOn: tuple[Reference, ...] | None = None
    specimen: Reference | None = None
    note: tuple[Annotation, ...] | None = None


class Narrative(msgspec.Struct, frozen=True, gc=False):
    div: str | None = None


class DiagnosticReport(msgspec.Struct, frozen=True, gc=False):
    id: str | None = None
    status: str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    effectiveDateTime: str | None = None
    effectivePeriod: Period | None = None
    issued: str | None = None
    identifier: tuple[Identifier, ...] | None = None
    category: tuple[CodeableConcept, ...] | None = None
    basedOn: tuple[Reference, ...] | None = None
    specimen: tuple[Reference, ...] | None = None
    imagingStudy: tuple[Reference, ...] | None = None
    study: tuple[Reference, ...] | None = None
    result: tuple[Reference, ...] | None = None
    conclusion: str | None = None
    conclusionCode: tuple[CodeableConcept, ...] | None = None
    presentedForm: tuple[Any, ...] | None = None
    text: Narrative | None = None


class Section(msgspec.Struct, frozen=True, gc=False):
    entry: tuple[Reference, ...] | None = None
    section: tuple[Section, ...] | None = None


class Composition(msgspec.Struct, frozen=True, gc=False):
    id: str | None = None
    subject: Reference | tuple[Reference, ...] | None = None
    status: str | None = None
    date: str | None = None
    section: tuple[Section, ...] | None = None


class ImpressionFinding(msgspec.Struct, frozen=True, gc=False):
    """R4 `itemCodeableConcept`, R5 `item.concept`."""

    itemCodeableConcept: CodeableConcept | None = None
    item: CodeableReference | None = None


class ClinicalImpression(msgspec.Struct, frozen=True, gc=False):
    id: str | None = None
    status: str | None = None
    subject: Reference | None = None
    date: str | None = None
    effectiveDateTime: str | None = None
    finding: tuple[ImpressionFinding, ...] | None = None


class Condition(msgspec.Struct, frozen=True, gc=False):
    id: str | None = None
    subject: Reference | None = None
    clinicalStatus: CodeableConcept | None = None
    verificationStatus: CodeableConcept | None = None
    code: CodeableConcept | None = None
    bodySite: tuple[CodeableConcept, ...] | None = None
    recordedDate: str | None = None
    onsetDateTime: str | None = None
    onsetPeriod: Period | None = None
    abatementDateTime: str | None = None
    abatementPeriod: Period | None = None
    abatementString: str | None = None
    abatementAge: Any = None
    onsetAge: Any = None
    onsetString: str | None = None
    category: tuple[CodeableConcept, ...] | None = None
    note: tuple[Annotation, ...] | None = None


class IncludedStructure(msgspec.Struct, frozen=True, gc=False):
    laterality: CodeableConcept | None = None


class BodyStructure(msgspec.Struct, frozen=True, gc=False):
    id: str | None = None
    patient: Reference | None = None
    includedStructure: tuple[IncludedStructure, ...] | None = None


class Patient(msgspec.Struct, frozen=True, gc=False):
    id: str | None = None
    gender: str | None = None
    birthDate: str | None = None
    deceasedBoolean: bool | None = None
    deceasedDateTime: str | None = None
    extension: tuple[Extension, ...] | None = None


class Procedure(msgspec.Struct, frozen=True, gc=False):
    """R4 `performed[x]`, R5 `occurrence[x]`; `reasonCode` R4, `reason` R5."""

    id: str | None = None
    status: str | None = None
    statusReason: CodeableConcept | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    performedDateTime: str | None = None
    performedPeriod: Period | None = None
    occurrenceDateTime: str | None = None
    occurrencePeriod: Period | None = None
    bodySite: tuple[CodeableConcept, ...] | None = None
    reasonCode: tuple[CodeableConcept, ...] | None = None
    reason: tuple[CodeableReference, ...] | None = None
    basedOn: tuple[Reference, ...] | None = None
    note: tuple[Annotation, ...] | None = None


class ServiceRequest(msgspec.Struct, frozen=True, gc=False):
    id: str | None = None
    status: str | None = None
    intent: str | None = None
    doNotPerform: bool | None = None
    category: tuple[CodeableConcept, ...] | None = None
    code: ServiceCode | None = None
    subject: Reference | None = None
    authoredOn: str | None = None
    occurrenceDateTime: str | None = None
    occurrencePeriod: Period | None = None
    bodySite: tuple[CodeableConcept, ...] | None = None
    extension: tuple[Extension, ...] | None = None
    reasonCode: tuple[CodeableConcept, ...] | None = None
    reason: tuple[CodeableReference, ...] | None = None
    basedOn: tuple[Reference, ...] | None = None
    replaces: tuple[Reference, ...] | None = None
    orderDetail: tuple[Any, ...] | None = None
    bodyStructure: Reference | None = None
    note: tuple[Annotation, ...] | None = None


class Participant(msgspec.Struct, frozen=True, gc=False):
    actor: Reference | None = None


class Appointment(msgspec.Struct, frozen=True, gc=False):
    """`serviceType` holds concepts in R4 and references with concepts in R5; the cancellation is spelt anew in R5."""

    id: str | None = None
    status: str | None = None
    cancelationReason: CodeableConcept | None = None
    cancellationReason: CodeableConcept | None = None
    description: str | None = None
    start: str | None = None
    serviceType: tuple[ServiceCode, ...] | None = None
    reasonCode: tuple[CodeableConcept, ...] | None = None
    reason: tuple[CodeableReference, ...] | None = None
    basedOn: tuple[Reference, ...] | None = None
    participant: tuple[Participant, ...] | None = None


class Task(msgspec.Struct, frozen=True, gc=False, rename={"owner_of_need": "for"}):
    """A request to do something, such as sending prior images; `owner_of_need` is FHIR's `for`."""

    id: str | None = None
    status: str | None = None
    statusReason: CodeableConcept | None = None
    code: CodeableConcept | None = None
    description: str | None = None
    owner_of_need: Reference | None = None
    focus: Reference | None = None
    authoredOn: str | None = None
    lastModified: str | None = None


class Communication(msgspec.Struct, frozen=True, gc=False):
    id: str | None = None
    status: str | None = None
    category: tuple[CodeableConcept, ...] | None = None
    topic: CodeableConcept | None = None
    subject: Reference | None = None
    about: tuple[Reference, ...] | None = None
    sent: str | None = None


class Collection(msgspec.Struct, frozen=True, gc=False):
    """`bodySite` is a concept in R4 and a reference with a concept in R5."""

    bodySite: SpecimenSite | None = None
    collectedDateTime: str | None = None
    collectedPeriod: Period | None = None


class SpecimenSite(msgspec.Struct, frozen=True, gc=False):
    coding: tuple[Coding, ...] | None = None
    text: str | None = None
    extension: tuple[Extension, ...] | None = None
    concept: CodeableConcept | None = None


class Specimen(msgspec.Struct, frozen=True, gc=False):
    id: str | None = None
    status: str | None = None
    type: CodeableConcept | None = None
    subject: Reference | None = None
    collection: Collection | None = None


class Device(msgspec.Struct, frozen=True, gc=False):
    id: str | None = None
    status: str | None = None
    type: CodeableConcept | None = None
    patient: Reference | None = None


class ImagingStudy(msgspec.Struct, frozen=True, gc=False):
    id: str | None = None
    subject: Reference | None = None
    started: str | None = None


View = (
    Observation
    | DiagnosticReport
    | Composition
    | ClinicalImpression
    | Condition
    | BodyStructure
    | Patient
    | Procedure
    | ServiceRequest
    | Appointment
    | Task
    | Communication
    | Specimen
    | Device
    | ImagingStudy
)

VIEWS: dict[str, type[View]] = {
    "Observation": Observation,
    "DiagnosticReport": DiagnosticReport,
    "Composition": Composition,
    "ClinicalImpression": ClinicalImpression,
    "Condition": Condition,
    "BodyStructure": BodyStructure,
    "Patient": Patient,
    "Procedure": Procedure,
    "ServiceRequest": ServiceRequest,
    "Appointment": Appointment,
    "Task": Task,
    "Communication": Communication,
    "Specimen": Specimen,
    "Device": Device,
    "ImagingStudy": ImagingStudy,
}
"""The resource types that are read; any other is left alone."""


def has_words(value: CodeableConcept | None) -> bool:
    """Whether a concept says anything at all, known or not."""
    return value is not None and bool(value.text or any(coding.code or coding.display for coding in value.coding or ()))


def subject_of(view: View) -> str | None:
    """Return the reference to the patient that a resource is about, None where it names none."""
    match view:
        case Appointment(participant=participants):
            actors = (participant.actor.reference for participant in participants or () if participant.actor)
            return next((actor for actor in actors if actor and "Patient/" in actor), None)
        case Task(owner_of_need=subject) | Device(patient=subject) | BodyStructure(patient=subject):
            return subject.reference if subject else None
        case Composition():
            first = view.subject[0] if isinstance(view.subject, tuple) and view.subject else view.subject
            return first.reference if isinstance(first, Reference) else None
        case _:
            subject: Reference | None = getattr(view, "subject", None)
            return subject.reference if subject else None
