"""What the patient's background means for one finding; what is not certain is said and not used."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_models.chart.background.of_finding import breast_absent
from fhir_models.chart.records import Background, CaseBackground, Event, Standing
from rules.follow_up import Act
from tests.fhir_models.chart.background_charts import (
    ABSENT,
    BOTH,
    BRCA1,
    BRCA_NEGATIVE,
    BREASTFEEDING,
    CANCER,
    CHEMOTHERAPY,
    EXAM,
    FOUND,
    GERMLINE,
    ICD,
    IMPLANT,
    LACTATING,
    LEFT,
    LIMITS,
    LUMP,
    NOT_PREGNANT,
    OLD_CANCER,
    PREGNANCY_STATUS,
    PREGNANT,
    RIGHT,
    SCAR,
    SEX_AT_BIRTH,
    SNOMED,
    UNKNOWN,
    code,
    condition,
    event,
    left_case,
    observation,
    patient,
    read,
    site,
)


@pytest.mark.parametrize(
    ("resource", "history"),
    [
        (condition(CANCER), ("adjacent_known_cancer", "personal_cancer")),
        (condition(CANCER, clinical="recurrence"), ("adjacent_known_cancer", "personal_cancer")),
        (condition(CANCER, clinical="resolved"), ("personal_cancer",)),
        (condition(code(ICD, "C50.312")), ("personal_cancer",)),
        (condition(code(ICD, "C50.911")), ("personal_cancer",)),
        (condition(code(ICD, "D05.12")), ("personal_cancer",)),
        (condition(OLD_CANCER, bodySite=site("left", "upper outer")), ("personal_cancer",)),
        (condition(code(ICD, "Z15.01")), ("brca",)),
        (condition(code(SNOMED, "77941000119104"), clinical="resolved"), ("chest_rt",)),
        (condition(code(ICD, "Z92.3")), ()),
        (condition(code(ICD, "Z80.3")), ()),
        (condition(code(ICD, "Z86.000")), ()),
        (condition(code(ICD, "C79.81")), ()),
        (condition(code(ICD, "D05.02")), ()),
        (condition(CANCER, verified="refuted"), ()),
        (observation(GERMLINE, BRCA_NEGATIVE), ()),
        (condition(IMPLANT), ("implant",)),
        (condition(IMPLANT, clinical="resolved"), ()),
        (condition(code(SNOMED, "2282003"), bodySite=site("right")), ()),
        (condition(SCAR, bodySite=site("left")), ("surgery_or_trauma",)),
        (condition(SCAR, bodySite=site("right")), ()),
    ],
)
def test_history_is_what_is_certain_of_this_patient(resource: dict[str, Any], history: tuple[str, ...]) -> None:
    case = left_case(read(resource))
    assert case.history == history
    assert bool(case.evidence) == bool(history)


def test_an_adjacent_cancer_needs_the_quadrant_of_the_finding() -> None:
    background = read(condition(CANCER))
    assert "adjacent_known_cancer" not in left_case(background, quadrant=None).history
    assert "adjacent_known_cancer" not in left_case(background, side=RIGHT).history
    assert "adjacent_known_cancer" in left_case(background, side=BOTH).history


def test_a_cancer_found_by_this_episode_is_its_outcome_and_no_history() -> None:
    background, first = read(condition(CANCER, onsetDateTime="2026-11-10")), EXAM
    assert left_case(background, first=first).history == ()
    assert left_case(background, side=RIGHT, first=first).history == ("personal_cancer",)
    assert "personal_cancer" in left_case(read(condition(CANCER, onsetDateTime="2026")), first=first).history


@pytest.mark.parametrize(
    ("done", "quadrant", "history", "notes"),
    [
        (event("l", Act.LUMPECTOMY, "2024-02-14", quadrant="upper_outer"), "upper_outer", ("lumpectomy_site",), ()),
        (event("l", Act.EXCISION, "2024", quadrant="upper_outer"), "upper_outer", ("lumpectomy_site",), ()),
        (event("l", Act.LUMPECTOMY, "2024-02-14", quadrant="lower_inner"), "upper_outer", (), ()),
        (
            event("l", Act.LUMPECTOMY, "2024-02-14"),
            "upper_outer",
            (),
            ("earlier lumpectomy in this breast, place not stated",),
        ),
        (
            event("l", Act.LUMPECTOMY, "2024-02-14", quadrant="upper_outer"),
            None,
            (),
            ("earlier lumpectomy in this breast, place not stated",),
        ),
        (
            event("l", Act.LUMPECTOMY, None, quadrant="upper_outer"),
            "upper_outer",
            (),
            ("earlier lumpectomy in this breast, date not certain",),
        ),
        (event("l", Act.LUMPECTOMY, "2026-11-03", quadrant="upper_outer"), "upper_outer", (), ()),
        (event("l", Act.LUMPECTOMY, "2024-02-14", RIGHT, quadrant="upper_outer"), "upper_outer", (), ()),
        (
            event("l", Act.LUMPECTOMY, "2024-02-14", quadrant="upper_outer", standing=Standing.PLANNED),
            "upper_outer",
            (),
            (),
        ),
    ],
)
def test_a_lumpectomy_site_is_an_earlier_excision_of_this_quadrant(
    done: Event, quadrant: str | None, history: tuple[str, ...], notes: tuple[str, ...]
) -> None:
    case = left_case(Background(), done, quadrant=quadrant)
    assert (case.history, case.notes) == (history, notes)


EXCHANGE = msgspec.structs.replace(
    event("x", Act.IMPLANT_INSERTION, None), acts=frozenset({Act.IMPLANT_INSERTION, Act.IMPLANT_REMOVAL})
)


@pytest.mark.parametrize(
    ("implants", "events", "there"),
    [
        ([], [event("i", Act.IMPLANT_INSERTION, "2015")], True),
        ([], [event("i", Act.IMPLANT_INSERTION, "2015", RIGHT)], False),
        ([], [event("i", Act.IMPLANT_INSERTION, "2015"), event("r", Act.IMPLANT_REMOVAL, "2020-05-05")], False),
        ([], [event("i", Act.IMPLANT_INSERTION, "2021"), event("r", Act.IMPLANT_REMOVAL, "2020-05-05")], True),
        ([], [event("i", Act.IMPLANT_INSERTION, "2015", BOTH), event("r", Act.IMPLANT_REMOVAL, "2020", RIGHT)], True),
        ([], [event("i", Act.IMPLANT_INSERTION, "2015"), event("r", Act.IMPLANT_REMOVAL, "2020", UNKNOWN)], False),
        ([], [EXCHANGE], True),
        ([condition(IMPLANT, recordedDate="2015")], [event("r", Act.IMPLANT_REMOVAL, "2020")], False),
        ([condition(IMPLANT, recordedDate="2015"), {**condition(code(ICD, "Z98.86")), "id": "r"}], [], False),
        ([{"resourceType": "Device", "id": "d", "status": "inactive", "type": code(SNOMED, "2282003")}], [], False),
    ],
)
def test_an_implant_is_history_until_it_is_removed(
    implants: list[dict[str, Any]], events: list[Event], there: bool
) -> None:
    assert left_case(read(*implants), *events).history == (("implant",) if there else ())


@pytest.mark.parametrize(
    ("lump", "symptoms", "noted"),
    [
        (condition(LUMP, bodySite=site("left"), recordedDate="2026-10-01"), ("palpable_lump",), None),
        (condition(code(ICD, "N63.21"), onsetDateTime="2025-11-20"), ("palpable_lump",), None),
        (condition(code(ICD, "N63.21"), onsetDateTime="2019-04-04"), (), None),
        (condition(code(ICD, "N63.21"), onsetDateTime="2025"), (), "without a certain date"),
        (condition(code(ICD, "N63.21"), recordedDate="2026"), ("palpable_lump",), None),
        (condition(code(ICD, "N63.21")), (), "without a certain date"),
        (condition(code(ICD, "N63.21"), recordedDate="2026-10-01", clinical="resolved"), (), None),
        (condition(code(ICD, "N63.11"), recordedDate="2026-10-01"), (), None),
        (condition(LUMP, recordedDate="2026-10-01"), (), "side not stated"),
        (condition(code(SNOMED, "290113009", "left"), recordedDate="2026-10-01"), ("bloody_discharge",), None),
        (condition(code(ICD, "N64.52"), recordedDate="2026-10-01"), (), "colour not stated"),
    ],
)
def test_a_symptom_counts_on_this_side_while_it_is_recent(
    lump: dict[str, Any], symptoms: tuple[str, ...], noted: str | None
) -> None:
    case = left_case(read(lump))
    assert case.symptoms == symptoms
    assert [noted in note for note in case.notes if noted] == ([True] if noted else [])
    assert bool(case.notes) == bool(noted)


def test_a_symptom_of_one_side_is_only_said_of_a_finding_without_side() -> None:
    lump = read(condition(code(ICD, "N63.21"), recordedDate="2026-10-01"))
    assert left_case(lump, side=BOTH).symptoms == ("palpable_lump",)
    assert left_case(lump, side=UNKNOWN).symptoms == ()
    assert left_case(lump, side=UNKNOWN).notes


def recorded(day: str, **members: Any) -> dict[str, Any]:
    return condition(PREGNANT, recordedDate=day, **members)


@pytest.mark.parametrize(
    ("resources", "pregnant"),
    [
        ([condition(PREGNANT, onsetDateTime="2026-08-01", recordedDate="2026-08-20")], True),
        ([recorded("2026-01-30")], True),
        ([recorded("2026-01-29")], False),
        ([recorded("2019-05-01")], False),
        ([recorded("2026-10-01", onsetDateTime="2019")], False),
        ([recorded("2026")], False),
        ([condition(PREGNANT)], False),
        ([recorded("2026-10-01", abatementDateTime="2026-11-01")], False),
        ([recorded("2026-10-01", clinical="resolved")], False),
        ([recorded("2026-10-01"), patient(gender="male")], False),
        ([recorded("2026-10-01"), patient(gender="other")], True),
        ([observation(PREGNANCY_STATUS, PREGNANT, day="2026-10-01")], True),
        ([observation(PREGNANCY_STATUS, PREGNANT, day="2025-10-01")], False),
        ([observation(PREGNANCY_STATUS, PREGNANT), patient(gender="male")], False),
        ([recorded("2026-10-01"), observation(PREGNANCY_STATUS, NOT_PREGNANT, day="2026-11-01")], False),
        ([recorded("2026-10-01"), observation(PREGNANCY_STATUS, NOT_PREGNANT, day="2026-05-01")], True),
        (
            [
                observation(PREGNANCY_STATUS, PREGNANT, day="2026-05-01"),
                {**observation(PREGNANCY_STATUS, NOT_PREGNANT, day="2026-11-01"), "id": "newer"},
            ],
            False,
        ),
        (
            [
                observation(PREGNANCY_STATUS, PREGNANT, day="2026-11-01"),
                {**observation(PREGNANCY_STATUS, NOT_PREGNANT, day="2026-05-01"), "id": "older"},
            ],
            True,
        ),
        (
            [
                {**observation(PREGNANCY_STATUS, PREGNANT), "id": "a"},
                {**observation(PREGNANCY_STATUS, NOT_PREGNANT), "id": "z"},
            ],
            True,
        ),
        ([observation(PREGNANCY_STATUS, code(SNOMED, "146799005"))], False),
    ],
)
def test_pregnancy_holds_for_42_weeks_from_its_record_unless_a_newer_answer_denies_it(
    resources: list[dict[str, Any]], pregnant: bool
) -> None:
    assert left_case(read(*resources)).pregnant is pregnant


@pytest.mark.parametrize(
    ("resources", "lactating"),
    [
        ([condition(LACTATING, recordedDate="2024-11-20")], True),
        ([condition(LACTATING, recordedDate="2024-11-19")], False),
        ([condition(LACTATING, recordedDate="2026-01-01", abatementString="weaned")], False),
        ([observation(BREASTFEEDING, True)], True),
        ([condition(LACTATING, recordedDate="2026-01-01"), observation(BREASTFEEDING, False)], False),
    ],
)
def test_lactation_holds_for_two_years_unless_denied(resources: list[dict[str, Any]], lactating: bool) -> None:
    assert left_case(read(*resources)).lactating is lactating


@pytest.mark.parametrize(
    ("resource", "notes"),
    [
        (condition(code(ICD, "Z51.5")), ("hospice or palliative care is recorded (Condition/k)",)),
        (condition(code(ICD, "Z51.5"), clinical="resolved"), ()),
        (condition(code(ICD, "Z79.01")), ("anticoagulant use is recorded: plan the biopsy accordingly",)),
        (
            condition(code(ICD, "Z86.000")),
            ("an earlier in situ neoplasm of the breast is recorded, its type not stated (Condition/k)",),
        ),
        (
            condition(code(SNOMED, "269497004"), bodySite=site("left")),
            ("a neoplasm of uncertain behaviour of the breast is recorded (Condition/k)",),
        ),
        (condition(code(SNOMED, "269497004"), bodySite=site("right")), ()),
        (condition(code(ICD, "C79.81")), ("a metastasis to the breast is recorded (Condition/k)",)),
        (condition(code(ICD, "Z92.3")), ("earlier radiotherapy is recorded, its place not stated (Condition/k)",)),
        (
            observation(PREGNANCY_STATUS, "see letter"),
            ("an answer on pregnancy, breastfeeding or a breast cancer gene was not understood (Observation/o)",),
        ),
        (
            observation(PREGNANCY_STATUS, code(SNOMED, "146799005")),
            ("a possible pregnancy is recorded (Observation/o)",),
        ),
        (condition(code(ICD, "Z80.3")), ()),
    ],
)
def test_what_a_radiologist_should_know_is_one_line(resource: dict[str, Any], notes: tuple[str, ...]) -> None:
    assert left_case(read(resource)).notes == notes


def test_a_site_may_do_without_the_anticoagulant_note() -> None:
    limits = msgspec.structs.replace(LIMITS, anticoagulant_note=False)
    assert left_case(read(condition(code(ICD, "Z79.01"))), limits=limits).notes == ()


RIGHT_REMOVED = event("m", Act.MASTECTOMY, "2019-02-11", RIGHT)


@pytest.mark.parametrize(
    ("facts", "events", "proofs"),
    [
        ([condition(code(ICD, "Z90.11"), recordedDate="2015-06-01")], [], {"Condition/k": "2015-06-01"}),
        ([condition(code(SNOMED, "429242008"))], [], {"Condition/k": "None"}),
        ([condition(code(ICD, "Z90.13"), onsetDateTime="2015")], [], {"Condition/k": "2015"}),
        ([condition(ABSENT, bodySite=site("bare right"), clinical="inactive")], [], {"Condition/k": "None"}),
        ([condition(ABSENT, bodySite=site("bare left"))], [], {}),
        ([condition(ABSENT)], [], {}),
        ([condition(code(ICD, "Z90.10"))], [], {}),
        ([condition(code(ICD, "Z90.11"), verified="refuted")], [], {}),
        ([], [RIGHT_REMOVED], {"Procedure/m": "2019-02-11"}),
        ([], [event("m", Act.MASTECTOMY, None, BOTH)], {"Procedure/m": "None"}),
        ([], [event("m", Act.MASTECTOMY, "2019", LEFT)], {}),
        ([], [event("m", Act.MASTECTOMY, "2019", UNKNOWN)], {}),
        ([], [msgspec.structs.replace(RIGHT_REMOVED, standing=Standing.PLANNED)], {}),
        ([], [msgspec.structs.replace(RIGHT_REMOVED, acts=frozenset({Act.MASTECTOMY, Act.LUMPECTOMY}))], {}),
        ([], [event("l", Act.LUMPECTOMY, "2019", RIGHT)], {}),
        ([], [event("o", Act.OTHER_BREAST_SURGERY, "2019", RIGHT)], {}),
    ],
)
def test_only_a_mastectomy_or_absence_of_this_side_proves_that_the_breast_is_gone(
    facts: list[dict[str, Any]], events: list[Event], proofs: dict[str, str]
) -> None:
    found = breast_absent(read(*facts), events, RIGHT)
    assert {resource: str(days) for resource, days in found} == proofs


def test_without_a_side_no_breast_is_known_to_be_gone() -> None:
    assert breast_absent(read(condition(code(ICD, "Z90.13"))), [RIGHT_REMOVED], UNKNOWN) == ()


def test_nothing_recorded_is_nothing_claimed() -> None:
    assert left_case(read()) == CaseBackground()
    assert left_case(read(), side=UNKNOWN, quadrant=None, exam=None) == CaseBackground()


CHART = [
    {**resource, "id": f"r{number}"}
    for number, resource in enumerate(
        [
            condition(CANCER, **FOUND),
            condition(code(ICD, "C50.911"), onsetDateTime="2015"),
            condition(code(ICD, "Z90.11"), recordedDate="2016"),
            condition(LUMP, recordedDate="2026-10-01"),
            recorded("2026-10-01"),
            recorded("2026-09-01"),
            condition(code(ICD, "Z79.01")),
            condition(IMPLANT, recordedDate="2015"),
            observation(PREGNANCY_STATUS, PREGNANT),
            observation(PREGNANCY_STATUS, NOT_PREGNANT),
            observation(GERMLINE, BRCA1),
            observation(SEX_AT_BIRTH, "F"),
        ]
    )
]
EVENTS = [
    CHEMOTHERAPY,
    event("d", Act.CHEMOTHERAPY, "2026-09-01", UNKNOWN),
    event("l", Act.LUMPECTOMY, "2010-02-02", quadrant="upper_outer"),
    event("k", Act.LUMPECTOMY, "2010-02-02"),
    event("r", Act.RADIOTHERAPY, "2012-05-05"),
    event("s", Act.RADIOTHERAPY, "2012-05-05"),
    RIGHT_REMOVED,
]


@given(st.permutations(CHART), st.permutations(EVENTS))
def test_the_order_of_arrival_changes_nothing(resources: list[dict[str, Any]], events: list[Event]) -> None:
    expected, given_now = (without_paths(read(*items)) for items in (CHART, resources))
    assert given_now == expected
    assert left_case(given_now, *events) == left_case(expected, *EVENTS)
    assert breast_absent(given_now, events, RIGHT) == breast_absent(expected, EVENTS, RIGHT)


def without_paths(background: Background) -> Background:
    """Paths say where a resource stood, and move with it."""
    facts = [
        msgspec.structs.replace(fact, evidence=msgspec.structs.replace(fact.evidence, path=""))
        for fact in background.facts
    ]
    return msgspec.structs.replace(background, facts=tuple(facts), sex_evidence=None)
