"""The patient: death, palliative care, absent breasts, pregnancy, sex (chart logic 2, 3.13 and 3.14)."""

from __future__ import annotations

from tests.timelines.case import NOT_TESTED, Breast, case, days_after
from tests.timelines.resources import ICD10CM, SNOMED, coded, condition, exam, patient, procedure

EXAM = "2026-06-02"
SUSPICIOUS = exam(EXAM, "left", "amorphous", "4A")
OPEN: Breast = {"recommendation": "biopsy", "state": "open", "closed_by": None, "due": days_after(EXAM, 30)}

CASES = (
    case(
        "u91",
        "The patient died, only the month is known",
        "3.14: any deceasedDateTime, and there is no card at all.",
        SUSPICIOUS,
        left={"recommendation": "no_card", "state": "deceased", "closed_by": "Patient/w1", "due": None},
        cards=0,
        cards_max=0,
        never=["biopsy"],
        who=patient(deceasedDateTime="2026-06"),
    ),
    case(
        "u92",
        "The patient is in hospice care",
        "3.14: the card stays, as information, with the fact named.",
        [*SUSPICIOUS, condition(coded(SNOMED, "170935008", display="Full care by hospice"), recordedDate="2026-04-01")],
        left={**OPEN, "indicator": "info"},
        mention=["left", "biopsy", "hospice"],
    ),
    case(
        "u93",
        "Both breasts were removed years before the exam",
        "3.13: absent before the exam is a side conflict, a question to a clinician.",
        [*SUSPICIOUS, condition(coded(ICD10CM, "Z90.13"), recordedDate="2018-09-10")],
        left={
            "recommendation": "clinician_review",
            "state": "side_conflict",
            "closed_by": "Condition/k1",
            "due": days_after(EXAM, 7),
        },
        right=NOT_TESTED,
        mention=["left"],
        never=["biopsy is recommended"],
        suggestions_max=0,
    ),
    case(
        "u94",
        "Both breasts were removed after the exam",
        "3.13: absent after the exam, and nothing is left to recommend.",
        [
            *exam("2026-02-09", "left", "amorphous", "4A"),
            procedure("2026-03-16", coded(SNOMED, "27865001", display="Excision of bilateral breasts"), name="m1"),
        ],
        left={"recommendation": "no_card", "state": "breast_absent", "closed_by": "Procedure/m1", "due": None},
        right=NOT_TESTED,
        cards=0,
        never=["biopsy is recommended", "overdue"],
        suggestions_max=0,
    ),
    case(
        "u95",
        "A pregnancy of 2019 is still on the problem list",
        "Section 2, pregnant: recorded within 294 days, which this is not.",
        [*SUSPICIOUS, condition(coded(SNOMED, "77386006"), onsetDateTime="2019-05-01", recordedDate="2019-05-20")],
        left=OPEN,
        mention=["left", "biopsy"],
        never=["pregnan"],
        derived={"left": {"pregnant": False}},
    ),
    case(
        "u96",
        "A man, with a pregnancy recorded by mistake",
        "Section 2, sex and pregnant: never in men.",
        [*SUSPICIOUS, condition(coded(SNOMED, "77386006"), onsetDateTime="2026-04-01", recordedDate="2026-04-20")],
        left=OPEN,
        mention=["left", "biopsy"],
        derived={"left": {"sex": "male", "pregnant": False}},
        who=patient(gender="male"),
    ),
)
