"""Facts of the patient: what counts as one, whose breast it is of, and when it has ended."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_models.chart.background.facts import history_items
from rules.vocabulary import Laterality
from tests.fhir_models.chart.background_charts import (
    ABSENT,
    BOTH,
    BRCA1,
    BRCA_NEGATIVE,
    BREASTFEEDING,
    CANCER,
    CORE,
    GENE,
    GERMLINE,
    ICD,
    LEFT,
    LOINC,
    LUMP,
    NO_SIDE_CANCER,
    NOT_PREGNANT,
    PREGNANCY_STATUS,
    PREGNANT,
    RIGHT,
    SCAR,
    SEX_AT_BIRTH,
    SNOMED,
    UNKNOWN,
    code,
    condition,
    observation,
    patient,
    read,
    read_all,
    site,
)


@pytest.mark.parametrize(
    ("concept", "members", "expected"),
    [
        (CANCER, {}, ("personal_breast_cancer", LEFT, "upper_outer")),
        (NO_SIDE_CANCER, {"bodySite": site("right")}, ("personal_breast_cancer", RIGHT, None)),
        (NO_SIDE_CANCER, {"bodySite": site("left", "lower inner")}, ("personal_breast_cancer", LEFT, "lower_inner")),
        (NO_SIDE_CANCER, {"bodySite": site("left") + site("right")}, ("personal_breast_cancer", BOTH, None)),
        (code(SNOMED, "254837009", "Cancer of the right breast"), {}, ("personal_breast_cancer", RIGHT, None)),
        (code(ICD, "C50.412", "Cancer of the right breast"), {}, ("personal_breast_cancer", UNKNOWN, "upper_outer")),
        (CANCER, {"bodySite": site("right")}, ("personal_breast_cancer", UNKNOWN, "upper_outer")),
        (CANCER, {"bodySite": [code(SNOMED, "80248007", "right")]}, ("personal_breast_cancer", UNKNOWN, "upper_outer")),
        (CANCER, {"bodySite": site("left", "lower inner")}, ("personal_breast_cancer", LEFT, None)),
        (
            NO_SIDE_CANCER,
            {"bodySite": [code(SNOMED, "80248007", "right breast")]},
            ("personal_breast_cancer", UNKNOWN, None),
        ),
        (code(ICD, "N63.24"), {}, ("palpable_lump", LEFT, "lower_inner")),
        (LUMP, {"bodySite": site("bare left")}, ("palpable_lump", LEFT, None)),
        (code("http://snomed.info/srt", "D7-90530"), {}, ("palpable_lump", UNKNOWN, None)),
        (code("http://snomed.info/srt", "D7-90565", "left"), {}, ("bloody_discharge", LEFT, None)),
        (ABSENT, {"bodySite": site("bare right")}, ("breast_absent", RIGHT, None)),
        (SCAR, {"bodySite": site("left")}, ("surgery_scar", LEFT, None)),
        (SCAR, {"bodySite": [{"text": "left breast"}]}, ("surgery_scar", LEFT, None)),
        (CANCER, {"verified": None, "clinical": None}, ("personal_breast_cancer", LEFT, "upper_outer")),
    ],
)
def test_side_and_quadrant_come_from_code_site_and_words_and_a_disagreement_is_none(
    concept: dict[str, Any], members: dict[str, Any], expected: tuple[str, Laterality, str | None]
) -> None:
    (fact,) = read(condition(concept, **members)).facts
    assert (fact.kind, fact.laterality, fact.place.quadrant) == expected


@pytest.mark.parametrize("verified", ["refuted", "entered-in-error", "unconfirmed", "provisional", "differential"])
def test_an_unconfirmed_condition_is_no_fact(verified: str) -> None:
    assert read(condition(CANCER, verified=verified)).facts == ()
    assert read({**condition(CANCER), "verificationStatus": {"text": verified.capitalize()}}).facts == ()


@pytest.mark.parametrize(
    ("resource", "why"),
    [
        (condition(code(SNOMED, "254837009", "Suspected breast cancer")), "suspicion"),
        (condition(code(SNOMED, "254837009", "Breast cancer, mother at 60")), "relative"),
        (condition(code(ICD, "Z90.12", "Partial mastectomy, left")), "partial"),
        (condition(SCAR, bodySite=[{"text": "left arm"}]), "not stated to be a breast"),
        (condition({"text": "History of right mastectomy"}), "no table knows"),
        (condition(CANCER, onsetDateTime="2027-02-01"), "after today"),
    ],
)
def test_a_condition_that_cannot_be_used_is_said_so(resource: dict[str, Any], why: str) -> None:
    background, unread = read_all([resource])
    assert background.facts == ()
    assert [(item.resource, why in item.why) for item in unread] == [("Condition/k", True)]


@pytest.mark.parametrize(
    "resource", [condition({"text": "Hypertension"}), condition(code(ICD, "I10")), condition(code(ICD, "Z80.3"))]
)
def test_conditions_of_other_things_are_left_alone(resource: dict[str, Any]) -> None:
    assert read_all([resource])[1] == []


def test_a_date_that_cannot_be_read_is_said_so_and_the_fact_stays_undated() -> None:
    background, unread = read_all([condition(CANCER, onsetDateTime="in spring")])
    assert [fact.days for fact in background.facts] == [None]
    assert [item.path.rpartition(".")[2] for item in unread] == ["onsetDateTime"]


def test_the_reason_of_an_order_states_a_symptom_but_no_cancer() -> None:
    reasons = [{**condition(CANCER), "id": "c"}, {**condition(LUMP, bodySite=site("left")), "id": "l"}]
    background, unread = read_all([{"resourceType": "ServiceRequest", "id": "s", "contained": reasons}])
    assert [fact.kind for fact in background.facts] == ["palpable_lump"]
    assert [item.resource for item in unread] == ["Condition"]


@pytest.mark.parametrize(
    ("members", "ended"),
    [
        ({"clinical": "active"}, False),
        ({"clinical": "recurrence"}, False),
        ({"clinical": None}, False),
        ({"clinical": "resolved"}, True),
        ({"clinical": "inactive"}, True),
        ({"clinical": "remission"}, True),
        ({"abatementDateTime": "2026-01"}, True),
        ({"abatementDateTime": "2027"}, False),
        ({"abatementPeriod": {"start": "2026-01-01"}}, True),
        ({"abatementString": "last winter"}, True),
        ({"abatementAge": {"value": 50}}, True),
    ],
)
def test_a_condition_has_ended_by_its_status_or_by_an_abatement(members: dict[str, Any], ended: bool) -> None:
    (fact,) = read(condition(CANCER, **members)).facts
    assert fact.ended is ended
    assert fact.active is (members.get("clinical") not in ("resolved", "inactive", "remission"))


def test_a_recording_in_the_future_is_none() -> None:
    (fact,) = read(condition(CANCER, onsetDateTime="2026-01-01", recordedDate="2027-01-01")).facts
    assert (str(fact.days), fact.recorded) == ("2026-01-01", None)


@pytest.mark.parametrize(
    ("resource", "kinds"),
    [
        (observation(PREGNANCY_STATUS, PREGNANT), ["pregnant"]),
        (observation(PREGNANCY_STATUS, code(LOINC, "LA15173-0")), ["pregnant"]),
        (observation(PREGNANCY_STATUS, code(LOINC, "LA26683-5")), ["not_pregnant"]),
        (observation(PREGNANCY_STATUS, NOT_PREGNANT), ["not_pregnant"]),
        (observation(PREGNANCY_STATUS, code(SNOMED, "146799005")), ["possible_pregnancy"]),
        (observation(PREGNANCY_STATUS, "Not pregnant"), ["not_pregnant"]),
        (observation(PREGNANCY_STATUS, code(LOINC, "LA4489-6")), []),
        (observation(PREGNANCY_STATUS, dataAbsentReason={"text": "not asked"}), []),
        (observation(PREGNANCY_STATUS, "see letter"), ["pregnancy_status_question"]),
        (observation(PREGNANCY_STATUS, PREGNANT, status="entered-in-error"), []),
        (observation(PREGNANCY_STATUS, PREGNANT, day="2026-12-24"), []),
        (observation(BREASTFEEDING, True), ["lactating"]),
        (observation(BREASTFEEDING, False), ["not_lactating"]),
        (observation(BREASTFEEDING, code(LOINC, "LA29252-6")), ["lactating"]),
        (observation(BREASTFEEDING, code(LOINC, "LA29253-4")), ["not_lactating"]),
        (observation(GERMLINE, BRCA1), ["brca1"]),
        (observation(GERMLINE, BRCA_NEGATIVE), ["brca_negative"]),
        (observation(GERMLINE, "positive"), ["germline_question"]),
        (observation({"text": "Gene test"}, BRCA1), ["brca1"]),
        (observation(code(SNOMED, "429740004"), BRCA1), []),
        (observation(GENE), ["brca1"]),
        (observation(GENE, "Positive"), ["brca1"]),
        (observation(GENE, False), ["brca_negative"]),
        (observation(GENE, code(LOINC, "LA6577-6")), ["brca_negative"]),
        (observation(GENE, "variant of uncertain significance"), ["germline_question"]),
        (observation(GENE, dataAbsentReason={"text": "not done"}), []),
        (observation({"text": "Hemoglobin"}, "pregnant"), []),
        ({"resourceType": "Device", "id": "d", "type": code(SNOMED, "2282003")}, ["implant"]),
        ({"resourceType": "Device", "id": "d", "type": code(SNOMED, "470272007")}, []),
        ({"resourceType": "Device", "id": "d", "status": "entered-in-error", "type": code(SNOMED, "2282003")}, []),
    ],
)
def test_observations_and_devices_state_by_their_answer(resource: dict[str, Any], kinds: list[str]) -> None:
    assert [fact.kind for fact in read(resource).facts] == kinds


BORN_MALE = {"url": f"{CORE}/us-core-birthsex", "valueCode": "M"}
SEX_FEMALE = {"url": f"{CORE}/us-core-sex", "valueCode": "248152002"}
IDENTITY = {"url": f"{CORE}/us-core-genderIdentity", "valueCodeableConcept": code(SNOMED, "248153007")}


@pytest.mark.parametrize(
    ("resources", "sex"),
    [
        ([patient(gender="female")], "female"),
        ([patient(gender="female", extension=[BORN_MALE])], "male"),
        ([patient(gender="male", extension=[SEX_FEMALE])], "female"),
        ([patient(gender="female", extension=[{**BORN_MALE, "valueCode": "UNK"}])], "female"),
        ([patient(gender="female", extension=[IDENTITY])], "female"),
        ([patient(extension=[{**BORN_MALE, "valueCode": "UNK"}])], "unknown"),
        ([patient(gender="other")], "other"),
        ([patient(gender="man")], "unknown"),
        ([patient()], "unknown"),
        ([], "unknown"),
        ([patient(gender="female"), observation(SEX_AT_BIRTH, code(SNOMED, "248153007"))], "male"),
        ([patient(gender="female"), observation(SEX_AT_BIRTH, code(LOINC, "LA2-8"))], "male"),
        ([patient(gender="female"), observation(SEX_AT_BIRTH, "unknown")], "female"),
        ([patient(gender="female"), observation(SEX_AT_BIRTH, "M", status="entered-in-error")], "female"),
        ([patient(gender="female"), observation({"text": "Fetal sex"}, code(SNOMED, "248153007"))], "female"),
        ([patient(extension=[SEX_FEMALE]), observation(SEX_AT_BIRTH, "M")], "female"),
    ],
)
def test_sex_is_that_at_birth_before_the_administrative_gender(resources: list[dict[str, Any]], sex: str) -> None:
    assert read(*resources).sex == sex


@pytest.mark.parametrize(
    ("birth_date", "age"),
    [("1968-11-20", 58), ("1968-11-21", 57), ("1968", 57), ("1968-11", 57), ("2027", None), ("soon", None)],
)
def test_age_is_in_whole_years_and_the_least_that_a_vague_birth_date_allows(birth_date: str, age: int | None) -> None:
    assert read(patient(birthDate=birth_date)).age == age


DIED = code("http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason", "pat-dec")
CANCELLED = {"resourceType": "Appointment", "id": "a", "status": "cancelled", "cancelationReason": DIED}


@pytest.mark.parametrize(
    ("resources", "deceased"),
    [
        ([patient(deceasedBoolean=True)], "Patient/p"),
        ([patient(deceasedDateTime="2026")], "Patient/p"),
        ([patient(deceasedBoolean=False)], None),
        ([patient(), CANCELLED], None),
        ([{"resourceType": "Condition", "id": "k", "contained": [patient(deceasedBoolean=True)]}], None),
    ],
)
def test_only_the_patient_says_that_it_has_died(resources: list[dict[str, Any]], deceased: str | None) -> None:
    assert read(*resources).deceased == deceased


def test_history_items_keep_side_date_as_written_and_evidence() -> None:
    background = read(
        condition(CANCER, onsetDateTime="2024-01"),
        {**condition(code(ICD, "N63.21"), recordedDate="2026-10-01"), "id": "lump"},
        {**condition(code(ICD, "N63.11"), clinical="resolved"), "id": "old"},
        {**condition(code(ICD, "Z80.3")), "id": "family"},
    )
    items = [(item.kind, item.laterality, item.date, item.evidence[0].resource) for item in history_items(background)]
    assert items == [
        ("palpable_lump", LEFT, "2026-10-01", "Condition/lump"),
        ("personal_cancer", LEFT, "2024-01", "Condition/k"),
    ]


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=9), lambda inner: st.lists(inner)))
def test_odd_members_never_raise(odd: Any) -> None:
    members = ("code", "verificationStatus", "clinicalStatus", "bodySite", "onsetDateTime", "abatementString")
    read(*({**condition(CANCER), "id": name, name: odd} for name in members), patient(birthDate=odd, extension=odd))
