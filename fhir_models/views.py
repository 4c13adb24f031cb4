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
    valueQuantity: Quantity | None = None
    extension: tuple[Extension, ...] | None = None


class CodeableConcept(msgspec.Struct, frozen=True, gc=False):
    """Also a bodySite, whose extensions hold side and place."""

    coding: tuple[Coding, ...] | None = None
    text: str | None = None
    extension: tuple[Extension, ...] | None = None


class Reference(msgspec.Struct, frozen=True, gc=False):
    reference: str | None = None


class Period(msgspec.Struct, frozen=True, gc=False):
    start: str | None = None


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
    status: str | None = None
    date: str | None = None
    section: tuple[Section, ...] | None = None


class ImpressionFinding(msgspec.Struct, frozen=True, gc=False):
    """R4 `itemCodeableConcept`, R5 `item.concept`."""

    itemCodeableConcept: CodeableConcept | None = None
    item: CodeableReference | None = None


class CodeableReference(msgspec.Struct, frozen=True, gc=False):
    concept: CodeableConcept | None = None


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


class IncludedStructure(msgspec.Struct, frozen=True, gc=False):
    laterality: CodeableConcept | None = None


class BodyStructure(msgspec.Struct, frozen=True, gc=False):
    id: str | None = None
    includedStructure: tuple[IncludedStructure, ...] | None = None


class Patient(msgspec.Struct, frozen=True, gc=False):
    id: str | None = None
    gender: str | None = None
    birthDate: str | None = None


View = Observation | DiagnosticReport | Composition | ClinicalImpression | Condition | BodyStructure | Patient

VIEWS: dict[str, type[View]] = {
    "Observation": Observation,
    "DiagnosticReport": DiagnosticReport,
    "Composition": Composition,
    "ClinicalImpression": ClinicalImpression,
    "Condition": Condition,
    "BodyStructure": BodyStructure,
    "Patient": Patient,
}
"""The resource types that are read; any other is left alone."""


def has_words(value: CodeableConcept | None) -> bool:
    """Whether a concept says anything at all, known or not."""
    return value is not None and bool(value.text or any(coding.code or coding.display for coding in value.coding or ()))
