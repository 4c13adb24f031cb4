"""Make `long_history.json`, a patient-view request with 24 years of a chart: `python -m benchmarks.long_history`.

Made up. All seven prefetch keys, each with the newest first. In 2026 a recall ends in category 4B of the left breast, its
biopsy ordered. Everything older is answered: a benign biopsy, a recall, two years of category 3.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

Resource = dict[str, Any]

TARGET = Path(__file__).with_name("long_history.json")
BASE = "https://ehr.example.org/fhir/r4"
SUBJECT = {"reference": "Patient/p-9004", "display": "Example, Henrietta"}
SNOMED, LOINC, ICD10CM = "http://snomed.info/sct", "http://loinc.org", "http://hl7.org/fhir/sid/icd-10-cm"
BREAST_RADIOLOGY = "http://hl7.org/fhir/us/breast-radiology"
RADLEX = f"{BREAST_RADIOLOGY}/CodeSystem/RadLexCDE"
HL7 = "http://terminology.hl7.org/CodeSystem"

CATEGORIES = {
    "0": ("397138000", "category0IncompleteNeedAdditionalImaging"),
    "1": ("397140005", "category1Negative"),
    "2": ("397141009", "category2BenignFinding"),
    "3": ("397143007", "category3ProbablyBenignFinding"),
    "4B": ("6131000179108", "category4BSuspiciousAbnormalityModerateLikelihoodOfBeingCancer"),
}
STUDIES = {
    "screening": ("26175-0", "MG Breast - bilateral Screening"),
    "left diagnostic": ("26347-5", "MG Breast - left Diagnostic"),
    "right diagnostic": ("26348-3", "MG Breast - right Diagnostic"),
    "ultrasound": ("24601-7", "US Breast"),
}
BREASTS = {"left": ("80248007", "Left breast structure"), "right": ("73056007", "Right breast structure")}

STABLE_YEARS = (
    "Scattered fibroglandular densities. No suspicious mass, distortion or calcification in either breast.",
    "The breasts are heterogeneously dense, which may obscure small masses. No change from the earlier examination.",
    "Both breasts: a few benign vascular calcifications, as before. No suspicious finding.",
)
# day, study, side of the finding, morphology, category, words; the screening exams of all other years are negative
EVENTFUL = (
    ("2009-03-10", "right diagnostic", None, None, "4B", "Right breast: oval mass at 9 o'clock, 11 mm. BI-RADS 4B."),
    ("2014-04-08", "screening", None, None, "0", "Right breast: asymmetry, further views needed. BI-RADS 0."),
    ("2014-04-24", "right diagnostic", None, None, "2", "Right breast: overlapping tissue on spot views. BI-RADS 2."),
    ("2014-04-24", "ultrasound", None, None, "2", "Right breast ultrasound: simple cyst of 6 mm. BI-RADS 2."),
    ("2019-05-14", "screening", "left", "punctate", "0", "Left breast: grouped punctate calcifications. BI-RADS 0."),
    (
        "2019-05-29",
        "left diagnostic",
        "left",
        "punctate",
        "3",
        "Left breast: grouped punctate calcifications. BI-RADS 3.",
    ),
    ("2019-12-03", "left diagnostic", "left", "punctate", "3", "Left breast: calcifications unchanged. BI-RADS 3."),
    ("2020-06-09", "left diagnostic", "left", "punctate", "3", "Left breast: calcifications unchanged. BI-RADS 3."),
    ("2021-06-15", "left diagnostic", "left", "punctate", "2", "Left breast: unchanged for two years. BI-RADS 2."),
    ("2026-01-08", "screening", "left", "finePleomorphic", "0", "Left breast: new grouped calcifications. BI-RADS 0."),
    (
        "2026-01-20",
        "left diagnostic",
        "left",
        "finePleomorphic",
        "4B",
        "Left breast: new grouped fine pleomorphic calcifications in the upper inner quadrant on magnification views, "
        "9 mm. Stereotactic biopsy is recommended. BI-RADS 4B.",
    ),
)
ROUTINE_DAYS = (f"{year}-04-{10 + year % 15}" for year in range(2002, 2026) if year not in (2014, 2019, 2020, 2021))

PANELS: Mapping[str, tuple[str, Sequence[tuple[str, str, float, str]]]] = {
    "58410-2": (
        "Complete blood count",
        (
            ("718-7", "Hemoglobin", 13.1, "g/dL"),
            ("4544-3", "Hematocrit", 39.4, "%"),
            ("6690-2", "Leukocytes", 6.4, "10*3/uL"),
            ("777-3", "Platelets", 248, "10*3/uL"),
        ),
    ),
    "51990-0": (
        "Basic metabolic panel",
        (
            ("2345-7", "Glucose", 97, "mg/dL"),
            ("2160-0", "Creatinine", 0.8, "mg/dL"),
            ("2951-2", "Sodium", 139, "mmol/L"),
            ("2823-3", "Potassium", 4.2, "mmol/L"),
        ),
    ),
}
PROBLEMS = (
    ("I10", "Essential hypertension", "2006-02-14", "active"),
    ("E78.5", "Hyperlipidaemia", "2008-09-02", "active"),
    ("E03.9", "Hypothyroidism", "2011-01-25", "active"),
    ("M85.80", "Osteopenia", "2016-11-08", "active"),
    ("K80.20", "Gallstones", "2012-07-17", "resolved"),
    ("H25.9", "Age-related cataract", "2022-05-10", "active"),
    ("Z80.3", "Family history of breast cancer", "2002-03-05", "active"),
    ("N60.91", "Benign mammary dysplasia of right breast", "2009-03-24", "inactive"),
    ("M17.11", "Osteoarthritis of right knee", "2018-02-20", "active"),
    ("J30.2", "Seasonal allergic rhinitis", "2004-05-11", "active"),
    ("K21.9", "Reflux disease", "2013-10-01", "active"),
    ("Z90.49", "Acquired absence of gallbladder", "2012-08-21", "active"),
)
TREATMENTS = (
    ("73761001", "Colonoscopy", "2008-06-12", None),
    ("44578009", "Core needle biopsy of breast", "2009-03-24", "right"),
    ("45595009", "Laparoscopic cholecystectomy", "2012-08-21", None),
    ("312681000", "Bone density scan", "2016-11-01", None),
    ("73761001", "Colonoscopy", "2018-06-20", None),
    ("312681000", "Bone density scan", "2020-11-10", None),
    ("54885007", "Cataract extraction, right eye", "2022-09-13", None),
    ("54885007", "Cataract extraction, left eye", "2022-11-08", None),
)


def main() -> None:
    """Write the request."""
    text = json.dumps(request(), separators=(",", ":"), ensure_ascii=False)
    TARGET.write_text(text + "\n")
    print(f"{TARGET.name}: {len(text) / 1000:.0f} kB")


def request() -> dict[str, Any]:
    """Return the CDS Hooks request."""
    mammograms, findings = _mammography()
    panels, values = _laboratory()
    kinds = {
        "reports": ("DiagnosticReport", _newest([*mammograms, *panels], "effectiveDateTime")),
        "observations": ("Observation", _newest([*findings, *values], "effectiveDateTime")),
        "conditions": ("Condition", _newest(map(_problem, PROBLEMS), "recordedDate")),
        "procedures": ("Procedure", _newest(map(_treatment, TREATMENTS), "performedDateTime")),
        "orders": ("ServiceRequest", _newest(_orders(mammograms, panels), "authoredOn")),
        "appointments": ("Appointment", _newest(map(_visit, mammograms), "start")),
    }
    return {
        "hook": "patient-view",
        "hookInstance": "0b0f4f43-8c2c-4dd0-9f3e-6f3b2f6f8f10",
        "fhirServer": BASE,
        "context": {"userId": "Practitioner/gp-31", "patientId": "p-9004"},
        "prefetch": {"patient": _patient()} | {key: _bundle(kind, found) for key, (kind, found) in kinds.items()},
    }


def _patient() -> Resource:
    return {
        "resourceType": "Patient",
        "id": "p-9004",
        "meta": _meta("2026-01-20"),
        "identifier": [{"use": "usual", "system": "urn:oid:2.16.840.1.113883.3.4711.1", "value": "9004-58"}],
        "active": True,
        "name": [{"use": "official", "family": "Example", "given": ["Henrietta", "M."]}],
        "telecom": [{"system": "phone", "value": "+1-555-0100", "use": "home"}],
        "gender": "female",
        "birthDate": "1958-08-23",
        "address": [{"use": "home", "line": ["12 Sample Street"], "city": "Springfield", "country": "US"}],
    }


def _mammography() -> tuple[list[Resource], list[Resource]]:
    """Return the reports of all breast imaging with the pathology report, and the coded findings of the last ones."""
    routine = (
        (day, "screening", None, None, "12"[number % 3 == 2], f"{words} BI-RADS {'12'[number % 3 == 2]}.")
        for number, day in enumerate(ROUTINE_DAYS)
        for words in [STABLE_YEARS[number % 3]]
    )
    reports: list[Resource] = [_pathology()]
    findings: list[Resource] = []
    for number, (day, study, side, morphology, category, words) in enumerate(sorted([*routine, *EVENTFUL]), 1):
        name = f"mg-{number:03}"
        made = _report(name, day, STUDIES[study], words, "LP29684-5", "Radiology") | {
            "conclusionCode": [_concept(SNOMED, CATEGORIES[category][0]) | {"text": f"BI-RADS {category}"}]
        }
        if side and morphology:
            findings.append(_finding(f"{name}-c", day, side, morphology, category))
            made["result"] = [{"reference": f"Observation/{name}-c"}]
        reports.append(made)
    return reports, findings


def _pathology() -> Resource:
    words = "Right breast, 9 o'clock, core: fibroadenoma. No atypia, no malignancy. Concordant with imaging."
    study = ("66110-8", "Breast Pathology biopsy report")
    return _report("path-001", "2009-03-24", study, words, "LP7839-6", "Pathology") | {
        "conclusionCode": [_concept(SNOMED, "254845004", "Fibroadenoma")]
    }


def _report(name: str, day: str, study: tuple[str, str], words: str, category: str, service: str) -> Resource:
    return {
        "resourceType": "DiagnosticReport",
        "id": name,
        "meta": _meta(day),
        "text": {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p><b>{study[1]}</b>, {day}</p><p>{words}</p></div>',
        },
        "identifier": [
            {
                "type": _concept(f"{HL7}/v2-0203", "ACSN", "Accession ID"),
                "system": "urn:oid:2.16.840.1.113883.3.4711.6",
                "value": f"ACC-{name}",
            }
        ],
        "basedOn": [{"reference": f"ServiceRequest/order-{name}"}],
        "status": "final",
        "category": [_concept(LOINC, category, service)],
        "code": _concept(LOINC, *study) | {"text": study[1]},
        "subject": SUBJECT,
        "encounter": {"reference": f"Encounter/e-{name}"},
        "effectiveDateTime": f"{day}T10:20:00-05:00",
        "issued": f"{day}T15:45:00.000-05:00",
        "performer": [{"reference": "Organization/dept-4", "display": f"Department of {service}"}],
        "conclusion": words,
    }


def _finding(name: str, day: str, side: str, morphology: str, category: str) -> Resource:
    quadrant = "upperOuter" if morphology == "punctate" else "upperInner"
    place = [("laterality", "RDE1557", side), ("quadrant", "RDE1563", quadrant)]
    values = [
        ("RDE1556", "Presence", "present"),
        ("RDE1565", "Type", morphology),
        ("RDE1568", "Distribution", "grouped"),
        ("RDE1586", "Assessment category", CATEGORIES[category][1]),
    ]
    return _observation(name, day, "imaging", _concept(RADLEX, "RDES241", "Breast Calcification")) | {
        "bodySite": {
            "extension": [
                {
                    "url": f"{BREAST_RADIOLOGY}/StructureDefinition/BreastBodyLocationExtension",
                    "extension": [
                        {"url": url, "valueCodeableConcept": _concept(RADLEX, f"{code}_{value}")}
                        for url, code, value in place
                    ],
                }
            ],
            **_concept(SNOMED, *BREASTS[side]),
        },
        "component": [
            {
                "code": _concept(RADLEX, code, display),
                "valueCodeableConcept": _concept(RADLEX, f"{code}_{value}"),
            }
            for code, display, value in values
        ],
    }


def _observation(name: str, day: str, category: str, code: Resource) -> Resource:
    return {
        "resourceType": "Observation",
        "id": name,
        "meta": _meta(day),
        "status": "final",
        "category": [_concept(f"{HL7}/observation-category", category)],
        "code": code,
        "subject": SUBJECT,
        "effectiveDateTime": f"{day}T10:20:00-05:00",
    }


def _laboratory() -> tuple[list[Resource], list[Resource]]:
    """Return two panels a year and their values, which wander a little."""
    reports: list[Resource] = []
    values: list[Resource] = []
    for year in range(2009, 2026):
        for number, (panel, (title, tests)) in enumerate(PANELS.items()):
            day, name = f"{year}-{3 + 3 * number:02}-1{year % 7}", f"lab-{year}-{panel}"
            words = f"{title}: all values within the reference ranges."
            made = _report(name, day, (panel, title), words, "LP7789-3", "Laboratory")
            made["result"] = [{"reference": f"Observation/{name}-{code}"} for code, *_ in tests]
            reports.append(made)
            for step, (code, display, usual, unit) in enumerate(tests):
                value = round(usual * (1 + ((year * 7 + step * 3) % 9 - 4) / 50), 1)
                measured = {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
                low, high = round(usual * 0.8, 1), round(usual * 1.2, 1)
                values.append(
                    _observation(f"{name}-{code}", day, "laboratory", _concept(LOINC, code, display))
                    | {
                        "valueQuantity": measured,
                        "referenceRange": [
                            {"low": {"value": low, "unit": unit}, "high": {"value": high, "unit": unit}}
                        ],
                    }
                )
    return reports, values


def _problem(problem: tuple[str, str, str, str]) -> Resource:
    code, words, day, clinical = problem
    return {
        "resourceType": "Condition",
        "id": f"problem-{code.replace('.', '-').lower()}",
        "meta": _meta(day),
        "clinicalStatus": _concept(f"{HL7}/condition-clinical", clinical),
        "verificationStatus": _concept(f"{HL7}/condition-ver-status", "confirmed"),
        "category": [_concept(f"{HL7}/condition-category", "problem-list-item", "Problem List Item")],
        "code": _concept(ICD10CM, code, words) | {"text": words},
        "subject": SUBJECT,
        "onsetDateTime": day,
        "recordedDate": day,
    } | ({"abatementDateTime": f"{int(day[:4]) + 1}-01-15"} if clinical == "resolved" else {})


def _treatment(treatment: tuple[str, str, str, str | None]) -> Resource:
    code, words, day, side = treatment
    return {
        "resourceType": "Procedure",
        "id": f"proc-{code}-{day}",
        "meta": _meta(day),
        "status": "completed",
        "code": _concept(SNOMED, code, words) | {"text": words},
        "subject": SUBJECT,
        "performedDateTime": day,
    } | ({"bodySite": [_concept(SNOMED, *BREASTS[side])]} if side else {})


def _orders(*reports: Iterable[Resource]) -> list[Resource]:
    """Return the order of each report, completed, and that of the biopsy, active."""
    done = [
        _order(f"order-{report['id']}", report["effectiveDateTime"][:10], -9, report["code"], "completed")
        for group in reports
        for report in group
    ]
    biopsy = _concept(SNOMED, "116334007", "Stereotactically guided core needle biopsy of breast")
    sided = {"bodySite": [_concept(SNOMED, *BREASTS["left"])], "priority": "urgent"}
    return [*done, _order("order-biopsy", "2026-01-22", 0, biopsy, "active") | sided]


def _order(name: str, day: str, earlier: int, code: Resource, status: str) -> Resource:
    authored = (date.fromisoformat(day) + timedelta(days=earlier)).isoformat()
    return {
        "resourceType": "ServiceRequest",
        "id": name,
        "meta": _meta(authored),
        "status": status,
        "intent": "order",
        "code": code,
        "subject": SUBJECT,
        "authoredOn": f"{authored}T09:05:00-05:00",
        "requester": {"reference": "Practitioner/gp-31", "display": "Dr. Sample"},
    }


def _visit(report: Resource) -> Resource:
    day = report["effectiveDateTime"][:10]
    return {
        "resourceType": "Appointment",
        "id": f"visit-{report['id']}",
        "meta": _meta(day),
        "status": "fulfilled",
        "description": report["code"]["text"],
        "basedOn": report["basedOn"],
        "start": f"{day}T10:00:00-05:00",
        "end": f"{day}T10:30:00-05:00",
        "participant": [{"actor": SUBJECT, "status": "accepted"}],
    }


def _concept(system: str, code: str, display: str | None = None) -> Resource:
    return {"coding": [{"system": system, "code": code} | ({"display": display} if display else {})]}


def _meta(day: str) -> Resource:
    return {"versionId": "1", "lastUpdated": f"{day}T16:00:00.000-05:00"}


def _newest(resources: Iterable[Resource], member: str) -> list[Resource]:
    return sorted(resources, key=lambda resource: (str(resource[member]), str(resource["id"])), reverse=True)


def _bundle(kind: str, resources: Sequence[Resource]) -> Resource:
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(resources),
        "link": [{"relation": "self", "url": f"{BASE}/{kind}?patient=p-9004"}],
        "entry": [
            {
                "fullUrl": f"{BASE}/{kind}/{resource['id']}",
                "resource": resource,
                "search": {"mode": "match"},
            }
            for resource in resources
        ],
    }


if __name__ == "__main__":
    main()
