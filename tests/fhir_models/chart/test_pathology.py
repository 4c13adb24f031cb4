"""Tissue: which report is pathology of which breast, what it says, and what is never taken from it."""

from __future__ import annotations

import base64
import csv
import io
import random
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_models.chart.pathology.results import new_cancers, read_tissue
from fhir_models.chart.records import TissueClass, TissueResult
from fhir_models.entries import Entries, document_resources, read_entries
from fhir_models.terminology import load_terminology

TODAY = date(2026, 11, 20)
TERMS = load_terminology()
SENTENCES = list(csv.DictReader(io.StringIO((Path(__file__).parent / "tissue_sentences.csv").read_text("utf-8"))))

SCT, LOINC = "http://snomed.info/sct", "http://loinc.org"
LEFT_BREAST, RIGHT_BREAST, BREAST = "80248007", "73056007", "76752008"
DCIS, ADH, PAPILLOMA, INSUFFICIENT = "1162814007", "6660000", "5244003", "281268007"
FIBROADENOMA = "128651002"
LOCAL = "http://cancerscreeningcds.github.io/bcsm-cds/CodeSystem/biopsy-result-observation-code-system"


def concept(code: str | None = None, text: str | None = None, system: str = SCT) -> dict[str, Any]:
    return {
        **({"coding": [{"system": system, "code": code}]} if code else {}),
        **({"text": text} if text else {}),
    }


def report(identity: str = "p1", **members: Any) -> dict[str, Any]:
    """A final breast pathology report of 1 November 2026."""
    return {
        "resourceType": "DiagnosticReport",
        "id": identity,
        "status": "final",
        "code": concept("66110-8", system=LOINC),
        "effectiveDateTime": "2026-11-01",
        **members,
    }


def specimen(identity: str, **members: Any) -> dict[str, Any]:
    return {"resourceType": "Specimen", "id": identity, **members}


def of_breast(identity: str, side: str, **collection: Any) -> dict[str, Any]:
    return specimen(identity, collection={"bodySite": concept(side), **collection})


def observation(identity: str, code: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": identity,
        "status": "final",
        "code": code or concept("66110-8", system=LOINC),
        **members,
    }


def condition(code: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"resourceType": "Condition", "id": "c1", "code": code, "recordedDate": "2026-11-05", **members}


def refer(*references: str) -> list[dict[str, str]]:
    return [{"reference": reference} for reference in references]


def entries_of(*resources: dict[str, Any]) -> Entries:
    bundle = {"resourceType": "Bundle", "entry": [{"resource": resource} for resource in resources]}
    return read_entries(document_resources(bundle))


def read(*resources: dict[str, Any]) -> tuple[TissueResult, ...]:
    return read_tissue(entries_of(*resources), TERMS, TODAY)


def read_one(*resources: dict[str, Any]) -> TissueResult:
    (result,) = read(*resources)
    return result


def sides(results: tuple[TissueResult, ...]) -> dict[str, str]:
    return {str(result.laterality): str(result.tissue) for result in results}


def form(text: str, kind: str = "text/plain") -> dict[str, str]:
    return {"contentType": kind, "data": base64.b64encode(text.encode()).decode()}


@pytest.mark.parametrize("row", SENTENCES, ids=lambda row: row["text"][:60])
def test_a_conclusion_is_classed_by_its_words(row: dict[str, str]) -> None:
    result = read_one(report(conclusion=row["text"]))
    assert (result.tissue, result.concordance) == (row["class"], row["concordance"])
    assert len(result.quoted) <= 300
    assert result.quoted or result.tissue == "unclassified"


@pytest.mark.parametrize("row", SENTENCES, ids=lambda row: row["text"][:60])
@pytest.mark.parametrize(
    "change", [str.upper, lambda text: text.replace(" ", "  "), lambda text: text.replace("\n", "\r\n")]
)
def test_capitals_blanks_and_line_ends_change_no_class(row: dict[str, str], change: Any) -> None:
    result = read_one(report(conclusion=change(row["text"])))
    assert (result.tissue, result.concordance) == (row["class"], row["concordance"])


PLAIN = [row for row in SENTENCES if not {":", "\n"} & set(row["text"]) and row["text"].endswith(".")]
CANCERS = [row["text"] for row in PLAIN if row["class"] == "malignant"]


@given(
    st.sampled_from(CANCERS),
    st.lists(st.sampled_from([row["text"] for row in PLAIN]), max_size=4),
    st.integers(0, 4),
    st.sampled_from([" ", "\n", "\n\n"]),
)
def test_no_other_sentence_takes_a_cancer_away(cancer: str, others: list[str], at: int, between: str) -> None:
    texts = [*others[:at], cancer, *others[at:]]
    assert read_one(report(conclusion=between.join(texts))).tissue == TissueClass.MALIGNANT


@given(st.lists(st.sampled_from([row["text"] for row in SENTENCES]) | st.text(max_size=40), max_size=5).map("\n".join))
def test_words_never_lower_a_coded_cancer_or_high_risk_lesion(text: str) -> None:
    assert read_one(report(conclusion=text, conclusionCode=[concept(DCIS)])).tissue == TissueClass.MALIGNANT
    assert read_one(report(conclusion=text, conclusionCode=[concept(ADH)])).tissue in (
        TissueClass.MALIGNANT,
        TissueClass.DISCORDANT,
        TissueClass.HIGH_RISK,
    )


@pytest.mark.parametrize(
    ("codes", "tissue"),
    [
        ([concept(DCIS)], "malignant"),
        ([concept("62061000119107")], "malignant"),
        ([concept("D05.12", system="http://hl7.org/fhir/sid/icd-10-cm")], "malignant"),
        ([concept("Atypical", system=LOCAL)], "high_risk"),
        ([concept("Discordant", system=LOCAL)], "discordant"),
        ([concept("Indeterminate", system=LOCAL)], "unclassified"),
        ([concept("Benign", system=LOCAL)], "benign"),
        ([concept(PAPILLOMA)], "high_risk"),
        ([concept(FIBROADENOMA), concept(PAPILLOMA)], "high_risk"),
        ([concept(FIBROADENOMA), concept(INSUFFICIENT)], "insufficient"),
        ([concept(FIBROADENOMA), concept(ADH), concept(DCIS)], "malignant"),
        ([concept("111445", system="http://dicom.nema.org/resources/ontology/DCM")], "insufficient"),
        ([concept("D05.02", system="http://hl7.org/fhir/sid/icd-10-cm")], "high_risk"),
        ([concept("Z85.3", system="http://hl7.org/fhir/sid/icd-10-cm")], "unclassified"),
        ([concept("N60.92", system="http://hl7.org/fhir/sid/icd-10-cm")], "unclassified"),
        ([concept(text="Invasive ductal carcinoma")], "malignant"),
        ([concept(FIBROADENOMA, "Ductal carcinoma in situ")], "malignant"),
        ([concept("999999")], "unclassified"),
        ([concept(FIBROADENOMA), concept("999999")], "unclassified"),
        ([], "unclassified"),
    ],
)
def test_conclusion_codes_are_classed_and_the_worst_governs(codes: list[dict[str, Any]], tissue: str) -> None:
    assert read_one(report(conclusionCode=codes)).tissue == tissue


def test_codes_and_words_are_joined_to_the_worse() -> None:
    assert read_one(report(conclusionCode=[concept(FIBROADENOMA)], conclusion="DCIS.")).tissue == "malignant"
    no_calcifications = report(conclusionCode=[concept(FIBROADENOMA)], conclusion="No calcifications identified.")
    assert read_one(no_calcifications).tissue == "insufficient"
    assert read_one(report(conclusionCode=[concept(FIBROADENOMA)], conclusion="See scan.")).tissue == "benign"


@pytest.mark.parametrize(
    ("status", "tissue"),
    [
        *[(status, "malignant") for status in ("final", "amended", "corrected", "appended")],
        *[(status, "pending") for status in ("registered", "partial", "preliminary", "modified", "unknown", None)],
    ],
)
def test_a_report_that_is_not_final_is_pending_whatever_it_states(status: str | None, tissue: str) -> None:
    result = read_one(report(status=status, conclusion="Invasive carcinoma.", conclusionCode=[concept(DCIS)]))
    assert result.tissue == tissue
    assert result.no_cancer is False


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_a_withdrawn_report_is_none(status: str) -> None:
    assert read(report(status=status, conclusionCode=[concept(DCIS)])) == ()


PATHOLOGY = [concept("LP7839-6", system=LOINC)]
SURGICAL = [concept("SP", system="http://terminology.hl7.org/CodeSystem/v2-0074")]
RADIOLOGY = [concept("RAD", system="http://terminology.hl7.org/CodeSystem/v2-0074")]
SYNOPTIC = concept("60568-3", system=LOINC)


@pytest.mark.parametrize(
    ("members", "others", "counts"),
    [
        ({}, [], True),
        ({"code": SYNOPTIC, "conclusion": "Left breast: DCIS."}, [], True),
        ({"code": SYNOPTIC, "conclusion": "Colon polyp: adenoma."}, [], False),
        ({"code": concept(text="Surgical report"), "category": SURGICAL, "conclusion": "Breast, core: ADH."}, [], True),
        (
            {"code": concept(text="Surgical report"), "category": SURGICAL, "conclusion": "Melanoma of the arm."},
            [],
            False,
        ),
        ({"code": concept(text="Breast biopsy"), "category": PATHOLOGY}, [], True),
        ({"code": concept(text="US guided core biopsy, breast"), "category": PATHOLOGY}, [], True),
        ({"code": concept(text="Mammotome biopsy, left breast"), "category": PATHOLOGY}, [], True),
        ({"code": concept(text="Mammogram of the breast"), "category": SURGICAL}, [], False),
        ({"code": concept("24606-6", system=LOINC), "category": PATHOLOGY, "conclusion": "Breast: DCIS."}, [], False),
        ({"code": concept(text="Chest"), "category": RADIOLOGY, "conclusion": "Breast carcinoma."}, [], False),
        ({"code": concept(text="Histopathology"), "conclusion": "Left breast: benign."}, [], True),
        (
            {"code": concept(text="Radiology-pathology correlation"), "category": RADIOLOGY, "conclusion": "Breast."},
            [],
            False,
        ),
        ({"code": SYNOPTIC, "conclusion": "Basal cell carcinoma. History of breast cancer."}, [], False),
        ({"code": SYNOPTIC, "conclusion": "Lung: carcinoma of breast origin."}, [], False),
        ({"code": SYNOPTIC, "specimen": refer("Specimen/s1")}, [specimen("s1", type=concept("122738006"))], True),
        ({"code": SYNOPTIC, "specimen": refer("Specimen/s1")}, [of_breast("s1", BREAST)], True),
        (
            {"code": SYNOPTIC, "result": refer("Observation/o1")},
            [observation("o1", bodySite=concept(LEFT_BREAST))],
            True,
        ),
        (
            {"code": SYNOPTIC, "specimen": refer("Specimen/s1"), "conclusion": "Consistent with breast carcinoma."},
            [specimen("s1", collection={"bodySite": concept(text="Left axillary lymph node")})],
            False,
        ),
    ],
)
def test_which_reports_are_pathology_of_the_breast(
    members: dict[str, Any], others: list[dict[str, Any]], counts: bool
) -> None:
    results = [result for result in read(report(**members), *others) if result.resource == "DiagnosticReport/p1"]
    assert len(results) == counts


LEFT_ORDER = {"resourceType": "ServiceRequest", "id": "r1", "bodySite": [concept(LEFT_BREAST)]}
STEREO_RIGHT = {"resourceType": "ServiceRequest", "id": "r1", "code": concept(text="Stereotactic biopsy, right breast")}


@pytest.mark.parametrize(
    ("members", "others", "side"),
    [
        ({"specimen": refer("Specimen/s1")}, [of_breast("s1", LEFT_BREAST)], "left"),
        ({"specimen": refer("#s1"), "contained": [of_breast("s1", RIGHT_BREAST)]}, [], "right"),
        (
            {"specimen": refer("Specimen/s1")},
            [specimen("s1", collection={"bodySite": {"concept": concept(RIGHT_BREAST)}})],
            "right",
        ),
        ({"specimen": refer("Specimen/s1")}, [specimen("s1", type=concept(text="Left breast core"))], "left"),
        (
            {"result": refer("Observation/o1")},
            [observation("o1", bodySite=concept(RIGHT_BREAST), valueCodeableConcept=concept(DCIS))],
            "right",
        ),
        ({"basedOn": refer("ServiceRequest/r1")}, [LEFT_ORDER], "left"),
        ({"basedOn": refer("ServiceRequest/r1")}, [STEREO_RIGHT], "right"),
        ({"conclusionCode": [concept("D05.12", system="http://hl7.org/fhir/sid/icd-10-cm")]}, [], "left"),
        ({"conclusionCode": [concept(DCIS, "DCIS of the right breast")]}, [], "right"),
        ({"conclusion": "Left breast, core biopsy: DCIS."}, [], "left"),
        ({"conclusion": "SPECIMEN: right breast\nDIAGNOSIS: DCIS."}, [], "right"),
        ({"conclusion": "Linke Brust: DCIS."}, [], "left"),
        ({"conclusion": "Mama derecha: carcinoma ductal in situ."}, [], "right"),
        ({"conclusion": "Left breast: DCIS. History of right breast carcinoma."}, [], "left"),
        ({"conclusion": "DCIS in the left breast, unlike the right."}, [], "unknown"),
        ({"conclusion": "Both breasts: fibrocystic change."}, [], "bilateral"),
        ({"conclusion": "DCIS."}, [], "unknown"),
        (
            {"specimen": refer("Specimen/s1"), "conclusion": "DCIS.", "basedOn": refer("ServiceRequest/r1")},
            [of_breast("s1", RIGHT_BREAST), LEFT_ORDER],
            "right",
        ),
        (
            {"specimen": refer("Specimen/s1"), "conclusion": "Right breast: DCIS."},
            [of_breast("s1", LEFT_BREAST)],
            "unknown",
        ),
    ],
)
def test_the_side_is_that_of_the_first_source_that_names_one(
    members: dict[str, Any], others: list[dict[str, Any]], side: str
) -> None:
    assert read_one(report(**members), *others).laterality == side


def test_sides_that_disagree_are_said_to() -> None:
    result = read_one(
        report(specimen=refer("Specimen/s1"), conclusion="Right breast: DCIS."), of_breast("s1", LEFT_BREAST)
    )
    assert (result.tissue, result.place.side_conflict) == ("malignant", True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A. Left breast, core: DCIS. B. Right breast, core: fibroadenoma.", {"left": "malignant", "right": "benign"}),
        ("A. Left breast: benign tissue.\nB. Right breast: ADH.", {"left": "benign", "right": "high_risk"}),
        (
            "1. Left breast: fibroadenoma.\n2. Right breast: invasive carcinoma.",
            {"left": "benign", "right": "malignant"},
        ),
        ("Left breast: DCIS; right breast: benign.", {"left": "malignant", "right": "benign"}),
        ("A. Core biopsy: DCIS.\nB. Right breast: fibroadenoma.", {"unknown": "malignant"}),
        ("Right breast, two cores.\nA. Core: DCIS.\nB. Core: fibroadenoma.", {"right": "malignant"}),
        (
            "SPECIMENS: A. Left breast. B. Right breast.\nDIAGNOSIS:\nA: DCIS.\nB: fibroadenoma.",
            {"left": "malignant", "right": "benign"},
        ),
        ("A. Left breast: benign.\nB. Left breast: ADH.\nC. Left breast: benign.", {"left": "high_risk"}),
        ("A. Left breast: fibroadenoma.\nB. Skin, back: basal cell carcinoma.", {"left": "benign"}),
        ("A. Left breast: fibroadenoma.\nB. Left axillary lymph node: metastatic carcinoma.", {"left": "malignant"}),
        ("A. Left breast: DCIS.\nB. Right breast: benign.\nC. Breast: ADH.", {"unknown": "malignant"}),
        ("Left and right cores: DCIS in one of them.", {"unknown": "malignant"}),
        (
            "Left breast: benign, no calcifications identified. Right breast: benign with calcifications.",
            {"left": "insufficient", "right": "benign"},
        ),
        (
            "Left breast: fibroadenoma, discordant. Right breast: fibrocystic change, concordant.",
            {"left": "discordant", "right": "benign"},
        ),
    ],
)
def test_specimens_of_two_breasts_are_told_apart_or_not_at_all(text: str, expected: dict[str, str]) -> None:
    assert sides(read(report(conclusion=text))) == expected


LISTED = "Specimens: A. Right breast cores. B. Left breast cores. "
RIGHT_DCIS = {"left": "benign", "right": "malignant"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (LISTED + "Final diagnosis: A. DCIS, high grade. B. Fibrocystic change with calcifications.", RIGHT_DCIS),
        (LISTED + "Final diagnosis: A. Fibrocystic change. B. DCIS.", {"left": "malignant", "right": "benign"}),
        (LISTED + "Final diagnosis A. DCIS. B. Fibrocystic change.", RIGHT_DCIS),
        (LISTED + "Final Dx: A. DCIS; B. Fibrocystic change.", RIGHT_DCIS),
        (LISTED + "Final diagnosis: Specimen A shows DCIS. Specimen B shows fibrocystic change.", RIGHT_DCIS),
        (LISTED + "Final diagnosis: DCIS.", {"unknown": "malignant"}),
        (LISTED + "Final diagnosis: C. DCIS. D. Fibrocystic change.", {"unknown": "malignant"}),
        (LISTED + "Final diagnosis: A and B. Fibrocystic change. Comment: DCIS in A.", {"unknown": "malignant"}),
        (
            "SPECIMEN(S): A: RIGHT BREAST BX, B: LEFT BREAST BX. DIAGNOSIS: A) DCIS. B) BENIGN BREAST TISSUE.",
            RIGHT_DCIS,
        ),
        ("Specimens: (A) Right breast (B) Left breast. Diagnosis: (A) DCIS (B) Fibrocystic change.", RIGHT_DCIS),
        ("A. Right breast cores. B. Left breast cores. Assessment: A: DCIS. B: Fibrocystic change.", RIGHT_DCIS),
        ("A. Right breast cores. B. Left breast cores. Assessment: DCIS.", {"unknown": "malignant"}),
        (
            "A. Right breast: cyst. B. Left breast: benign. Signed by Ann A. Smith. No malignancy.",
            {"left": "benign", "right": "benign"},
        ),
    ],
)
def test_specimens_of_one_line_are_told_apart_as_if_on_lines(text: str, expected: dict[str, str]) -> None:
    assert sides(read(report(conclusion=text))) == expected


BOTH_SAMPLED = {"specimen": refer("Specimen/s1", "Specimen/s2")}


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"conclusion": "DCIS."}, {"unknown": "malignant"}),
        ({"conclusion": "Left: DCIS. Right: fibroadenoma."}, {"left": "malignant", "right": "benign"}),
        ({"conclusion": "Left: DCIS."}, {"left": "malignant", "right": "unclassified"}),
        (
            {"conclusion": "Left: DCIS. Right: fibroadenoma.", "conclusionCode": [concept(DCIS)]},
            {"left": "malignant", "right": "benign"},
        ),
        (
            {"conclusion": "Left: cyst. Right: fibroadenoma.", "conclusionCode": [concept(DCIS)]},
            {"unknown": "malignant"},
        ),
        ({"status": "registered"}, {"unknown": "pending"}),
    ],
)
def test_a_report_on_specimens_of_both_breasts(members: dict[str, Any], expected: dict[str, str]) -> None:
    both = of_breast("s1", LEFT_BREAST), of_breast("s2", RIGHT_BREAST)
    assert sides(read(report(**BOTH_SAMPLED, **members), *both)) == expected


def test_results_of_both_breasts_are_told_by_their_specimens() -> None:
    results = read(
        report(result=refer("Observation/o1", "Observation/o2")),
        observation("o1", specimen={"reference": "Specimen/s1"}, valueCodeableConcept=concept(DCIS)),
        observation("o2", specimen={"reference": "Specimen/s2"}, valueString="Fibroadenoma."),
        of_breast("s1", LEFT_BREAST, collectedDateTime="2026-10-28"),
        of_breast("s2", RIGHT_BREAST, collectedDateTime="2026-10-29"),
    )
    assert sides(results) == {"left": "malignant", "right": "benign"}
    assert [str(result.days) for result in results] == ["2026-10-28", "2026-10-29"]


def test_the_place_is_that_of_the_specimen() -> None:
    quadrant = {
        "url": "quadrant",
        "valueCodeableConcept": concept("RDE1563_upperOuter", system="https://radelement.org"),
    }
    site = {**concept(LEFT_BREAST), "extension": [{"url": "x", "extension": [quadrant]}]}
    result = read_one(
        report(specimen=refer("Specimen/s1"), conclusion="DCIS."), specimen("s1", collection={"bodySite": site})
    )
    assert (result.laterality, result.place.quadrant) == ("left", "upper_outer")


@pytest.mark.parametrize(
    ("members", "collection", "days"),
    [
        ({"issued": "2026-11-08T10:00:00Z"}, {"collectedDateTime": "2026-10-30"}, "2026-10-30"),
        ({"issued": "2026-11-08T10:00:00Z"}, {"collectedPeriod": {"start": "2026-10-29"}}, "2026-10-29"),
        ({"issued": "2026-11-08T10:00:00Z"}, {}, "2026-11-01"),
        ({"effectiveDateTime": None, "effectivePeriod": {"start": "2026-10-31"}}, {}, "2026-10-31"),
        ({"effectiveDateTime": None, "issued": "2026-11-08T23:30:00-05:00"}, {}, "2026-11-08"),
        ({"effectiveDateTime": "2026-10"}, {}, "2026-10"),
        ({"effectiveDateTime": "2026"}, {}, "2026-01-01/2026-11-20"),
        ({"effectiveDateTime": "last week"}, {}, "None"),
        ({"effectiveDateTime": None}, {}, "None"),
    ],
)
def test_the_day_is_the_collection_else_the_report_else_its_issue(
    members: dict[str, Any], collection: dict[str, Any], days: str
) -> None:
    result = read_one(report(specimen=refer("Specimen/s1"), **members), of_breast("s1", LEFT_BREAST, **collection))
    assert str(result.days) == days


def test_a_result_dated_after_today_is_reported_and_not_used() -> None:
    entries = entries_of(report(effectiveDateTime="2027-01-01", conclusion="DCIS."))
    assert read_tissue(entries, TERMS, TODAY) == ()
    assert [(item.resource, item.why) for item in entries.unread] == [("DiagnosticReport/p1", "dated after today")]


def test_a_result_linked_only_by_the_order_belongs_to_the_report() -> None:
    result = read_one(
        report(basedOn=refer("ServiceRequest/absent")),
        observation(
            "o1", basedOn=refer("ServiceRequest/absent"), valueCodeableConcept=concept("Discordant", system=LOCAL)
        ),
    )
    assert (result.resource, result.tissue, result.concordance) == ("DiagnosticReport/p1", "discordant", "discordant")


@pytest.mark.parametrize(
    ("members", "tissue"),
    [
        ({"valueCodeableConcept": concept(DCIS)}, "malignant"),
        ({"valueString": "Fibroadenoma."}, "benign"),
        ({"status": "registered"}, "pending"),
        ({"valueString": "See report."}, None),
        ({"status": "entered-in-error", "valueCodeableConcept": concept(DCIS)}, None),
    ],
)
def test_an_observation_without_report_counts_like_one(members: dict[str, Any], tissue: str | None) -> None:
    assert [result.tissue for result in read(observation("o1", **members))] == ([tissue] if tissue else [])


@pytest.mark.parametrize(
    ("asked", "answer", "tissue"),
    [
        (
            concept(text="Histologic type"),
            {"valueCodeableConcept": concept(text="Invasive ductal carcinoma")},
            "malignant",
        ),
        (concept(text="Ductal carcinoma in situ"), {"valueString": "Present"}, "malignant"),
        (concept(text="Ductal carcinoma in situ"), {"valueString": "Not identified"}, "unclassified"),
        (concept(text="Ductal carcinoma in situ"), {"valueBoolean": True}, "malignant"),
        (concept(text="Ductal carcinoma in situ"), {"valueBoolean": False}, "unclassified"),
        (concept(DCIS), {"valueBoolean": True}, "malignant"),
        (concept(DCIS), {"valueBoolean": False}, "unclassified"),
        (concept(DCIS), {}, "malignant"),
        (concept(text="Estrogen receptor in breast cancer specimen"), {"valueString": "Positive"}, "unclassified"),
        (concept(text="Final diagnosis"), {"note": [{"text": "Atypical ductal hyperplasia."}]}, "high_risk"),
        (
            concept(text="Panel"),
            {"component": [{"code": concept(text="Type"), "valueCodeableConcept": concept(ADH)}]},
            "high_risk",
        ),
    ],
)
def test_results_answer_their_question(asked: dict[str, Any], answer: dict[str, Any], tissue: str) -> None:
    assert read_one(report(result=refer("Observation/o1")), observation("o1", asked, **answer)).tissue == tissue


IDENTIFIER = [{"system": "urn:lab", "value": "S26-1"}]
OTHER_LAB = [{"system": "urn:other", "value": "S26-1"}]
ACCESSION = [
    {
        "type": concept("ACSN", system="http://terminology.hl7.org/CodeSystem/v2-0203"),
        "system": "urn:lab",
        "value": "S26-1",
    }
]


@pytest.mark.parametrize(
    ("first", "second", "classes"),
    [
        ({}, {"status": "corrected"}, ["benign"]),
        ({}, {"status": "amended"}, ["benign"]),
        ({}, {"status": "appended"}, ["malignant", "benign"]),
        ({}, {"status": "final"}, ["malignant", "benign"]),
        ({}, {"status": "corrected", "issued": "2026-11-01T00:00:00Z"}, ["malignant", "benign"]),
        ({}, {"status": "corrected", "issued": None}, ["malignant", "benign"]),
        ({}, {"status": "corrected", "identifier": OTHER_LAB}, ["malignant", "benign"]),
        ({"identifier": ACCESSION}, {"status": "corrected", "identifier": ACCESSION}, ["malignant", "benign"]),
    ],
)
def test_only_a_later_correction_of_the_same_report_replaces_it(
    first: dict[str, Any], second: dict[str, Any], classes: list[str]
) -> None:
    older = {"identifier": IDENTIFIER, "issued": "2026-11-02T10:00:00Z", "conclusion": "DCIS.", **first}
    newer = {"identifier": IDENTIFIER, "issued": "2026-11-04T08:00:00+02:00", "conclusion": "Fibroadenoma.", **second}
    assert [result.tissue for result in read(report("p1", **older), report("p2", **newer))] == classes


def test_two_reports_on_one_order_are_two_results() -> None:
    order = refer("ServiceRequest/r1")
    results = read(report("p1", basedOn=order, conclusion="ADH."), report("p2", basedOn=order, conclusion="DCIS."))
    assert [result.tissue for result in results] == ["high_risk", "malignant"]


def biopsy_report(**members: Any) -> dict[str, Any]:
    return {
        "resourceType": "DiagnosticReport",
        "id": "b1",
        "status": "final",
        "category": RADIOLOGY,
        "code": concept(text="Stereotactic biopsy, left breast"),
        "effectiveDateTime": "2026-11-03",
        "conclusion": "Addendum: pathology is concordant with imaging.",
        **members,
    }


@pytest.mark.parametrize(
    ("members", "concordance"),
    [
        ({}, "concordant"),
        ({"conclusion": "Pathology is discordant with imaging."}, "discordant"),
        ({"conclusion": "Concordance to be assessed."}, "not_stated"),
        ({"status": "preliminary"}, "not_stated"),
        ({"code": concept(text="Stereotactic biopsy, right breast")}, "not_stated"),
        ({"code": concept(text="Stereotactic biopsy")}, "not_stated"),
        ({"code": concept(text="Stereotactic biopsy"), "basedOn": refer("ServiceRequest/r9")}, "concordant"),
        ({"effectiveDateTime": "2026-10-01"}, "not_stated"),
        ({"effectiveDateTime": "2026-10-29"}, "concordant"),
        (
            {
                "effectiveDateTime": "2026-10-29",
                "conclusion": "Addendum: pathology is benign but discordant, excision is recommended.",
            },
            "discordant",
        ),
        (
            {
                "effectiveDateTime": "2026-10-29",
                "conclusion": "Addendum: six months follow-up if pathology is concordant.",
            },
            "not_stated",
        ),
        ({"effectiveDateTime": None}, "not_stated"),
        ({"code": concept(text="Mammogram, left")}, "not_stated"),
        (
            {
                "code": concept(text="Mammogram, left"),
                "conclusion": "Biopsy addendum: pathology is concordant with imaging.",
            },
            "concordant",
        ),
    ],
)
def test_concordance_written_in_the_report_of_the_biopsy(members: dict[str, Any], concordance: str) -> None:
    result = read_one(
        report(conclusion="Left breast: fibroadenoma.", basedOn=refer("ServiceRequest/r9")), biopsy_report(**members)
    )
    assert result.concordance == concordance
    assert result.tissue == ("discordant" if concordance == "discordant" else "benign")


def test_a_concordance_that_may_be_of_two_results_is_of_neither() -> None:
    results = read(
        report("p1", conclusion="Left breast: fibroadenoma."),
        report("p2", conclusion="Left breast: cyst."),
        biopsy_report(),
    )
    assert [result.concordance for result in results] == ["not_stated", "not_stated"]


def test_the_addendum_of_a_biopsy_is_not_of_its_repetition() -> None:
    results = read(
        report("p1", conclusion="Left breast: fibroadenoma."),
        report("p2", conclusion="Left breast: cyst.", effectiveDateTime="2026-11-12"),
        biopsy_report(effectiveDateTime="2026-10-30", conclusion="Addendum: pathology is discordant."),
    )
    assert [result.concordance for result in results] == ["discordant", "not_stated"]


def test_a_discordance_written_elsewhere_never_lowers_a_cancer() -> None:
    written = biopsy_report(conclusion="Pathology is discordant with imaging.")
    result = read_one(report(conclusion="Left breast: DCIS."), written)
    assert (result.tissue, result.concordance) == ("malignant", "discordant")


def test_concordance_in_an_observation_of_its_own() -> None:
    result = read_one(
        report(conclusion="Left breast: fibroadenoma."),
        observation(
            "o1",
            concept(text="Imaging-pathology concordance"),
            valueString="Concordant",
            bodySite=concept(LEFT_BREAST),
            effectiveDateTime="2026-11-04",
        ),
    )
    assert result.concordance == "concordant"


@pytest.mark.parametrize(
    ("members", "others", "excision"),
    [
        ({"conclusion": "Left breast, lumpectomy: fibroadenoma."}, [], True),
        ({"conclusion": "SPECIMEN: right breast, excisional biopsy\nDIAGNOSIS: ADH."}, [], True),
        ({"conclusion": "ADH. Excision is recommended."}, [], False),
        ({"conclusion": "Left breast, core biopsy: scar of previous lumpectomy."}, [], False),
        ({"conclusion": "Mammaexzisat links: DCIS."}, [], False),
        ({"specimen": refer("Specimen/s1")}, [specimen("s1", type=concept("397199005"))], True),
        ({"specimen": refer("Specimen/s1")}, [specimen("s1", type=concept(text="Mastectomy specimen"))], True),
        ({"specimen": refer("Specimen/s1")}, [specimen("s1", type=concept("122738006"))], False),
    ],
)
def test_the_specimen_of_an_excision(members: dict[str, Any], others: list[dict[str, Any]], excision: bool) -> None:
    assert read_one(report(**members), *others).excision is excision


@pytest.mark.parametrize(
    ("text", "no_cancer"),
    [
        ("Atypical ductal hyperplasia. No residual carcinoma.", True),
        ("ADH. Negative for DCIS and invasive carcinoma.", True),
        ("ADH. Negative for invasive carcinoma.", False),
        ("Fibroadenoma.", True),
        ("ADH.", False),
        ("No residual tumor.", True),
        ("No residual invasive carcinoma; residual DCIS.", False),
        ("ADH, DCIS cannot be excluded. No invasive carcinoma or malignancy.", False),
        ("Margins negative for carcinoma.", False),
        ("See scan.", False),
    ],
)
def test_no_cancer_is_only_what_was_said(text: str, no_cancer: bool) -> None:
    assert read_one(report(conclusion=text)).no_cancer is no_cancer


def test_a_form_of_plain_text_is_read() -> None:
    assert (
        read_one(report(presentedForm=[form("Left breast: DCIS.", "text/plain; charset=utf-8")])).tissue == "malignant"
    )


@pytest.mark.parametrize(
    "form",
    [
        form("%PDF", "application/pdf"),
        form("<p>DCIS</p>", "text/html"),
        {"contentType": "text/plain", "data": "no base64!"},
        {"contentType": "text/plain", "url": "Binary/1"},
        form("x" * 300_000),
        {},
        "text",
    ],
)
def test_a_form_that_is_not_read_is_reported_where_nothing_else_was_read(form: Any) -> None:
    alone, beside = (
        entries_of(report(presentedForm=[form])),
        entries_of(report(presentedForm=[form], conclusion="DCIS.")),
    )
    assert [result.tissue for result in read_tissue(alone, TERMS, TODAY)] == ["unclassified"]
    assert {item.resource for item in alone.unread} == {"DiagnosticReport/p1"}
    assert [result.tissue for result in read_tissue(beside, TERMS, TODAY)] == ["malignant"]
    assert {item.why for item in beside.unread} <= {"too long to be read to its end"}


def test_a_report_whose_only_result_was_not_received_says_so() -> None:
    entries = entries_of(report(result=refer("Observation/absent")))
    assert [result.tissue for result in read_tissue(entries, TERMS, TODAY)] == ["unclassified"]
    assert [item.why for item in entries.unread] == ["names a result that was not received"]


def test_a_text_that_is_not_read_to_its_end_is_never_benign() -> None:
    entries = entries_of(report(conclusion="Fibroadenoma. " + "Cyst. " * 40_000 + "DCIS."))
    (result,) = read_tissue(entries, TERMS, TODAY)
    assert (result.tissue, result.no_cancer) == ("unclassified", False)
    assert [item.why for item in entries.unread] == ["too long to be read to its end"]


C50_LEFT = concept("C50.412", system="http://hl7.org/fhir/sid/icd-10-cm")
STATUS = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFIED = "http://terminology.hl7.org/CodeSystem/condition-ver-status"


@pytest.mark.parametrize(
    ("code", "members", "found"),
    [
        (C50_LEFT, {}, [("left", "2026-11-05")]),
        (C50_LEFT, {"onsetDateTime": "2026-10-30"}, [("left", "2026-10-30")]),
        (
            C50_LEFT,
            {"category": [concept("problem-list-item"), concept("encounter-diagnosis")]},
            [("left", "2026-11-05")],
        ),
        (C50_LEFT, {"category": [concept("encounter-diagnosis")]}, []),
        (C50_LEFT, {"onsetString": "around 2015"}, []),
        (C50_LEFT, {"onsetAge": {"value": 44, "unit": "a"}}, []),
        *[
            (C50_LEFT, {"verificationStatus": concept(status, system=VERIFIED)}, [])
            for status in ("refuted", "entered-in-error", "unconfirmed", "differential", "provisional")
        ],
        *[
            (C50_LEFT, {"clinicalStatus": concept(status, system=STATUS)}, [])
            for status in ("inactive", "remission", "resolved")
        ],
        (C50_LEFT, {"clinicalStatus": concept("recurrence", system=STATUS)}, [("left", "2026-11-05")]),
        (C50_LEFT, {"abatementDateTime": "2026-11-10"}, []),
        (C50_LEFT, {"recordedDate": None}, []),
        (C50_LEFT, {"recordedDate": "2027-01-01"}, []),
        (C50_LEFT, {"bodySite": [concept(RIGHT_BREAST)]}, []),
        ({**C50_LEFT, "text": "Rule out breast cancer"}, {}, []),
        ({**C50_LEFT, "text": "Family history of breast cancer"}, {}, []),
        ({**C50_LEFT, "text": "Malignant neoplasm of left breast"}, {}, [("left", "2026-11-05")]),
        (concept(DCIS), {"bodySite": [concept(RIGHT_BREAST)]}, [("right", "2026-11-05")]),
        (concept(DCIS), {}, []),
        (concept("D05.82", system="http://hl7.org/fhir/sid/icd-10-cm"), {}, [("left", "2026-11-05")]),
        (concept("D05.02", system="http://hl7.org/fhir/sid/icd-10-cm"), {}, []),
        (concept("Z85.3", system="http://hl7.org/fhir/sid/icd-10-cm"), {"bodySite": [concept(LEFT_BREAST)]}, []),
        (concept("15635761000119103"), {}, [("bilateral", "2026-11-05")]),
    ],
)
def test_an_active_cancer_of_the_problem_list_stands_for_pathology(
    code: dict[str, Any], members: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    results = new_cancers(entries_of(condition(code, **members)), TERMS, TODAY)
    assert [(result.laterality, str(result.days)) for result in results] == found
    assert all(result.tissue == "malignant" and result.quoted and not result.no_cancer for result in results)


CHART = [
    report("p1", specimen=refer("Specimen/s1"), conclusion="Fibroadenoma.", basedOn=refer("ServiceRequest/r1")),
    report(
        "p2",
        conclusion="A. Left breast: ADH. B. Right breast: cyst.",
        identifier=IDENTIFIER,
        issued="2026-11-02T10:00:00Z",
    ),
    report(
        "p3", status="corrected", conclusion="Left breast: cyst.", identifier=IDENTIFIER, issued="2026-11-03T10:00:00Z"
    ),
    report(
        "p4", result=refer("Observation/o2"), presentedForm=[form("Right breast: DCIS.")], conclusionCode=[concept(ADH)]
    ),
    observation("o1", basedOn=refer("ServiceRequest/r1"), valueCodeableConcept=concept("Discordant", system=LOCAL)),
    observation(
        "o2", valueString="No residual carcinoma.", hasMember=refer("Observation/o2"), bodySite=concept(RIGHT_BREAST)
    ),
    observation("o3", specimen={"reference": "Specimen/s1"}, valueCodeableConcept=concept(FIBROADENOMA)),
    of_breast("s1", LEFT_BREAST, collectedDateTime="2026-10-30"),
    STEREO_RIGHT,
    biopsy_report(),
    condition(C50_LEFT, clinicalStatus=concept("active", system=STATUS)),
]


def everything(resources: list[dict[str, Any]]) -> tuple[tuple[TissueResult, ...], tuple[TissueResult, ...]]:
    """Results without paths, which tell the place of arrival."""
    entries = entries_of(*resources)
    found = (read_tissue(entries, TERMS, TODAY), new_cancers(entries, TERMS, TODAY))
    return tuple(  # type: ignore[return-value]
        tuple(replaced(result) for result in results) for results in found
    )


def replaced(result: TissueResult) -> object:
    evidence = sorted((item.resource, item.path.rpartition(".")[2], item.text) for item in result.evidence)
    return (
        *(getattr(result, name) for name in result.__struct_fields__ if name not in ("path", "evidence")),
        *evidence,
    )


@given(st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(shuffler: random.Random) -> None:
    shuffled = [*CHART, *CHART[:3]]
    shuffler.shuffle(shuffled)
    assert everything(shuffled) == everything(CHART)


@given(st.data())
def test_no_missing_or_odd_member_is_an_error(data: st.DataObject) -> None:
    def worn(value: Any) -> Any:
        odd = data.draw(st.sampled_from(["keep"] * 12 + ["none", "text", "empty"]))
        if odd != "keep":
            return {"none": None, "text": "?", "empty": []}[odd]
        if isinstance(value, dict):
            return {key: worn(item) if key not in ("resourceType", "id") else item for key, item in value.items()}
        return [worn(item) for item in value] if isinstance(value, list) else value

    resources = [
        {key: item if key in ("resourceType", "id") else worn(item) for key, item in part.items()} for part in CHART
    ]
    results = everything(resources)
    assert len(results) == 2
