"""Narrow views of FHIR resources: just the elements that say something about calcifications, R4, R4B and R5 alike.

Everything else is ignored. The bytes are parsed once, strictly, by `strict_json`; each resource is then converted alone,
so that one that does not fit never hides another. `fhir.resources` builds and checks what leaves, and is the engine of
the conformance check; it is not on this path (docs/decisions).
"""

from __future__ import annotations

from typing import Any

import msgspec


class Coding(msgspec.Struct):
    system: str | None = None
    code: str | None = None
    display: str | None = None


class Quantity(msgspec.Struct):
    value: float | None = None
    unit: str | None = None


class Range(msgspec.Struct):
    low: Quantity | None = None
    high: Quantity | None = None


class Extension(msgspec.Struct):
    url: str | None = None
    valueCodeableConcept: CodeableConcept | None = None
    valueCoding: Coding | None = None
    valueQuantity: Quantity | None = None
    extension: list[Extension] | None = None


class CodeableConcept(msgspec.Struct):
    """Also a bodySite, whose extensions hold side and place."""

    coding: list[Coding] | None = None
    text: str | None = None
    extension: list[Extension] | None = None


class Reference(msgspec.Struct):
    reference: str | None = None


class Period(msgspec.Struct):
    start: str | None = None


class Component(msgspec.Struct):
    code: CodeableConcept | None = None
    valueCodeableConcept: CodeableConcept | None = None
    valueBoolean: bool | None = None
    valueInteger: int | None = None
    valueQuantity: Quantity | None = None
    valueRange: Range | None = None
    valueString: str | None = None
    dataAbsentReason: CodeableConcept | None = None


class Annotation(msgspec.Struct):
    text: str | None = None


class Observation(msgspec.Struct):
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
    valueString: str | None = None
    dataAbsentReason: CodeableConcept | None = None
    component: list[Component] | None = None
    hasMember: list[Reference] | None = None
    note: list[Annotation] | None = None


class Narrative(msgspec.Struct):
    div: str | None = None


class DiagnosticReport(msgspec.Struct):
    id: str | None = None
    status: str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    effectiveDateTime: str | None = None
    effectivePeriod: Period | None = None
    issued: str | None = None
    result: list[Reference] | None = None
    conclusion: str | None = None
    conclusionCode: list[CodeableConcept] | None = None
    presentedForm: list[Any] | None = None
    text: Narrative | None = None


class Section(msgspec.Struct):
    entry: list[Reference] | None = None
    section: list[Section] | None = None


class Composition(msgspec.Struct):
    id: str | None = None
    status: str | None = None
    date: str | None = None
    section: list[Section] | None = None


class ImpressionFinding(msgspec.Struct):
    """R4 `itemCodeableConcept`, R5 `item.concept`."""

    itemCodeableConcept: CodeableConcept | None = None
    item: CodeableReference | None = None


class CodeableReference(msgspec.Struct):
    concept: CodeableConcept | None = None


class ClinicalImpression(msgspec.Struct):
    id: str | None = None
    status: str | None = None
    subject: Reference | None = None
    date: str | None = None
    effectiveDateTime: str | None = None
    finding: list[ImpressionFinding] | None = None


class Condition(msgspec.Struct):
    id: str | None = None
    subject: Reference | None = None
    clinicalStatus: CodeableConcept | None = None
    verificationStatus: CodeableConcept | None = None
    code: CodeableConcept | None = None
    bodySite: list[CodeableConcept] | None = None
    recordedDate: str | None = None
    onsetDateTime: str | None = None


class IncludedStructure(msgspec.Struct):
    laterality: CodeableConcept | None = None


class BodyStructure(msgspec.Struct):
    id: str | None = None
    includedStructure: list[IncludedStructure] | None = None


class Patient(msgspec.Struct):
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
