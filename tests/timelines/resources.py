"""Small builders of synthetic FHIR resources (R4, and R5 where a function says so) for one made-up patient."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

Resource = dict[str, Any]
Concept = dict[str, Any]

SNOMED, LOINC, ICD10CM = "http://snomed.info/sct", "http://loinc.org", "http://hl7.org/fhir/sid/icd-10-cm"
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
BREAST_RADIOLOGY = "http://hl7.org/fhir/us/breast-radiology"
RADLEX = f"{BREAST_RADIOLOGY}/CodeSystem/RadLexCDE"
HL7 = "http://terminology.hl7.org/CodeSystem"

PATIENT = "w1"
SUBJECT = {"reference": f"Patient/{PATIENT}"}

STUDIES: dict[tuple[str, str | None], str] = {
    ("diagnostic", "left"): "26347-5",
    ("diagnostic", "right"): "26348-3",
    ("diagnostic", "both"): "26346-7",
    ("diagnostic", None): "24605-8",
    ("screening", "both"): "26175-0",
    ("screening", "left"): "26176-8",
    ("magnification", "left"): "37005-6",
    ("magnification", "right"): "37773-9",
    ("views", "both"): "36626-0",
    ("views", "left"): "36627-8",
    ("ultrasound", None): "24601-7",
    ("mri", "left"): "35954-7",
    ("mri", "both"): "30795-9",
}
ASSESSMENTS = {
    "0": ("397138000", "category0IncompleteNeedAdditionalImaging"),
    "1": ("397140005", "category1Negative"),
    "2": ("397141009", "category2BenignFinding"),
    "3": ("397143007", "category3ProbablyBenignFinding"),
    "4": ("397144001", "category4SuspiciousAbnormality"),
    "4A": ("6121000179106", "category4ASuspiciousAbnormalityLowLikelihoodOfBeingCancer"),
    "4B": ("6131000179108", "category4BSuspiciousAbnormalityModerateLikelihoodOfBeingCancer"),
    "4C": ("6141000179100", "category4CSuspiciousAbnormalityHighLikelihoodOfBeingCancer"),
    "5": ("397145000", "category5HighlySuggestiveOfMalignancy"),
    "6": ("6111000179101", "category6KnownBiopsyProvenMalignancy"),
}
MORPHOLOGIES = {
    "amorphous": "amorphous",
    "punctate": "punctate",
    "fine pleomorphic": "finePleomorphic",
    "fine linear": "fineLinear",
    "coarse heterogeneous": "coarseHeterogeneous",
    "milk of calcium": "milkOfCalcium",
    "vascular": "vascular",
}
QUADRANTS = {
    "upper outer": "upperOuter",
    "upper inner": "upperInner",
    "lower outer": "lowerOuter",
    "lower inner": "lowerInner",
}
HOURS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
SIDES = {
    "left": ("80248007", "Left breast structure"),
    "right": ("73056007", "Right breast structure"),
    "both": ("63762007", "Both breasts"),
}


def coded(system: str, code: str, text: str | None = None, display: str | None = None) -> Concept:
    """Return a CodeableConcept of one coding."""
    coding = {"system": system, "code": code} | ({"display": display} if display else {})
    return {"coding": [coding]} | ({"text": text} if text else {})


def element(code: str, value: str | None = None) -> Concept:
    """Return the concept of a RadLex data element, or of its value."""
    return coded(RADLEX, f"{code}_{value}" if value else code)


def site(side: str, quadrant: str | None = None, clock: int | None = None, distance: int | None = None) -> Concept:
    """Return a body site: a breast, and a place in it (clock hour, distance from the nipple in millimetres)."""
    code, display = SIDES[side]
    place: list[Resource] = []
    if quadrant:
        place.append({"url": "quadrant", "valueCodeableConcept": element("RDE1563", QUADRANTS[quadrant])})
    if clock:
        hour = f"{HOURS[clock - 1]}OclockPosition"
        place.append({"url": "clockDirection", "valueCodeableConcept": element("RDE1558", hour)})
    if distance is not None:
        millimetres = {"value": distance, "unit": "mm", "system": "http://unitsofmeasure.org", "code": "mm"}
        place.append({"url": "landmark", "valueCodeableConcept": element("RDE1560", "nipple")})
        place.append({"url": "distanceFromLandmark", "valueQuantity": millimetres})
    if place and side != "both":
        place.insert(0, {"url": "laterality", "valueCodeableConcept": element("RDE1557", side)})
    url = f"{BREAST_RADIOLOGY}/StructureDefinition/BreastBodyLocationExtension"
    located = {"extension": [{"url": url, "extension": place}]} if place else {}
    return located | coded(SNOMED, code, display=display)


def patient(**members: Any) -> Resource:
    """Return the patient: a woman born in 1971 unless the members say otherwise."""
    return {
        "resourceType": "Patient",
        "id": PATIENT,
        "name": [{"family": "Sample", "given": ["Wanda"]}],
        "gender": "female",
        "birthDate": "1971-02-17",
    } | members


def calcification(
    name: str,
    day: str,
    where: Concept,
    morphology: str,
    category: str | None = None,
    *,
    distribution: str = "grouped",
    change: str | None = None,
    **members: Any,
) -> Resource:
    """Return the Observation of a calcification finding; `change` is a code of the observed changes."""
    values = [
        ("RDE1556", "present"),
        ("RDE1565", MORPHOLOGIES[morphology]),
        ("RDE1568", distribution),
        *([("RDE1586", ASSESSMENTS[category][1])] if category else []),
    ]
    components = [{"code": element(code), "valueCodeableConcept": element(code, value)} for code, value in values]
    if change:
        slices = f"{BREAST_RADIOLOGY}/CodeSystem/ObservationComponentSliceCodesCS"
        changes = f"{BREAST_RADIOLOGY}/CodeSystem/ObservedChangesCS"
        components.append({"code": coded(slices, "obsChanges"), "valueCodeableConcept": coded(changes, change)})
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "category": [coded(f"{HL7}/observation-category", "imaging")],
        "code": coded(RADLEX, "RDES241", display="Breast Calcification"),
        "subject": SUBJECT,
        "effectiveDateTime": day,
        "bodySite": where,
        "component": components,
    } | members


def report(
    name: str,
    day: str | None,
    study: tuple[str, str | None],
    words: str | None,
    category: str | None = None,
    *,
    results: Sequence[str] = (),
    accession: str | None = None,
    **members: Any,
) -> Resource:
    """Return an imaging report; `study` is a key of STUDIES, `category` becomes its conclusionCode."""
    made: Resource = {
        "resourceType": "DiagnosticReport",
        "id": name,
        "status": "final",
        "category": [coded(LOINC, "LP29684-5", display="Radiology")],
        "code": coded(LOINC, STUDIES[study]),
        "subject": SUBJECT,
    }
    if accession:
        kind = coded(f"{HL7}/v2-0203", "ACSN")
        made["identifier"] = [{"type": kind, "system": "http://hospital.example.org/accession", "value": accession}]
    if day:
        made["effectiveDateTime"] = day
    if words:
        made["conclusion"] = words
    if category:
        made["conclusionCode"] = [coded(SNOMED, ASSESSMENTS[category][0], f"BI-RADS {category}")]
    if results:
        made["result"] = [{"reference": f"Observation/{result}"} for result in results]
    return made | members


def exam(
    day: str,
    side: str,
    morphology: str,
    category: str | None,
    *,
    name: str = "r1",
    study: str = "diagnostic",
    quadrant: str | None = "upper outer",
    extra: str = "",
    distribution: str = "grouped",
    change: str | None = None,
    in_words: bool = True,
    **members: Any,
) -> list[Resource]:
    """Return the report and the coded finding of a mammogram; `in_words` False: the report has no text."""
    place = f" in the {quadrant} quadrant" if quadrant else ""
    stated = f" BI-RADS {category}." if category else ""
    if study == "screening":
        other = "Right" if side == "left" else "Left"
        technique, rest = "Screening views only.", f" {other} breast: negative. BI-RADS 1."
    else:
        technique, rest = "Magnification views were obtained.", ""
    words = (
        f"{side.title()} breast: {distribution} {morphology} calcifications{place}. {technique}{extra}{stated}{rest}"
    )
    finding = calcification(
        f"{name}c", day, site(side, quadrant), morphology, category, distribution=distribution, change=change
    )
    covered = "both" if study == "screening" else side
    words = words if in_words else None
    return [report(name, day, (study, covered), words, category, results=[f"{name}c"], **members), finding]


def order(
    day: str | None,
    code: Concept,
    side: str | None = None,
    *,
    name: str = "o1",
    r5: bool = False,
    **members: Any,
) -> Resource:
    """Return a ServiceRequest, active and an order unless the members say otherwise."""
    made: Resource = {
        "resourceType": "ServiceRequest",
        "id": name,
        "status": "active",
        "intent": "order",
        "code": {"concept": code} if r5 else code,
        "subject": SUBJECT,
    }
    if day:
        made["authoredOn"] = day
    if side:
        made["bodySite"] = [site(side)]
    return made | members


def imaging(kind: str, side: str | None = None) -> Concept:
    """Return the code of an imaging study, to be ordered or booked."""
    return coded(LOINC, STUDIES[(kind, side)])


STEREOTACTIC_BIOPSY = coded(SNOMED, "116334007", display="Stereotactically guided core needle biopsy of breast")
CORE_BIOPSY = coded(SNOMED, "44578009", display="Core needle biopsy of breast")
EXCISIONAL_BIOPSY = coded(SNOMED, "237372000", display="Excisional biopsy of breast")
LUMPECTOMY = coded(SNOMED, "392021009", display="Lumpectomy")
SENTINEL_NODE_BIOPSY = coded(SNOMED, "396487001", display="Sentinel lymph node biopsy")
CYST_ASPIRATION = coded(SNOMED, "287572003", display="Diagnostic aspiration of breast cyst")
SURGEON = coded(SNOMED, "306300002", display="Referral to breast surgeon")

SPECIMENS = {"core": "122737001", "excision": "397199005"}


def procedure(
    day: str | None,
    code: Concept,
    where: Concept | None = None,
    *,
    name: str = "b1",
    r5: bool = False,
    **members: Any,
) -> Resource:
    """Return a Procedure, completed unless the members say otherwise."""
    made: Resource = {
        "resourceType": "Procedure",
        "id": name,
        "status": "completed",
        "code": code,
        "subject": SUBJECT,
    }
    if day:
        made["occurrenceDateTime" if r5 else "performedDateTime"] = day
    if where:
        made["bodySite"] = [where]
    return made | members


def pathology(
    day: str | None,
    words: str | None,
    codes: Iterable[str] = (),
    *,
    name: str = "path1",
    specimens: Sequence[Concept] = (),
    taken_by: str = "core",
    r5: bool = False,
    **members: Any,
) -> Resource:
    """Return a pathology report; `specimens` are the body sites of its contained specimens, `codes` SNOMED CT."""
    made: Resource = {
        "resourceType": "DiagnosticReport",
        "id": name,
        "status": "final",
        "category": [coded(LOINC, "LP7839-6", display="Pathology")],
        "code": coded(LOINC, "66110-8", display="Breast Pathology biopsy report"),
        "subject": SUBJECT,
    }
    if day:
        made["effectiveDateTime"] = day
    if words:
        made["conclusion"] = words
    if concluded := [coded(SNOMED, code) for code in codes]:
        made["conclusionCode"] = concluded
    if specimens:
        made["contained"] = [
            {
                "resourceType": "Specimen",
                "id": f"s{number}",
                "type": coded(SNOMED, SPECIMENS[taken_by]),
                "subject": SUBJECT,
                "collection": {"bodySite": {"concept": where} if r5 else where},
            }
            for number, where in enumerate(specimens, 1)
        ]
        made["specimen"] = [{"reference": f"#s{number}"} for number in range(1, len(specimens) + 1)]
    return made | members


def condition(code: Concept, *, name: str = "k1", clinical: str = "active", **members: Any) -> Resource:
    """Return a confirmed Condition."""
    return {
        "resourceType": "Condition",
        "id": name,
        "clinicalStatus": coded(f"{HL7}/condition-clinical", clinical),
        "verificationStatus": coded(f"{HL7}/condition-ver-status", "confirmed"),
        "code": code,
        "subject": SUBJECT,
    } | members


def appointment(day: str | None, words: str | None = None, *, name: str = "a1", **members: Any) -> Resource:
    """Return an Appointment at nine o'clock of a day, booked unless the members say otherwise."""
    hours = {"start": f"{day}T09:00:00-05:00", "end": f"{day}T09:30:00-05:00"} if day else {}
    return {
        "resourceType": "Appointment",
        "id": name,
        "status": "booked",
        **hours,
        **({"description": words} if words else {}),
        "participant": [{"actor": SUBJECT, "status": "accepted"}],
    } | members


def task(day: str, words: str, **members: Any) -> Resource:
    """Return a Task about the patient, requested unless the members say otherwise."""
    return {
        "resourceType": "Task",
        "id": "t1",
        "status": "requested",
        "intent": "order",
        "code": {"text": words},
        "for": SUBJECT,
        "authoredOn": day,
    } | members
