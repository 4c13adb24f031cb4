"""What was not done, and why (chart logic 5.4)."""

from __future__ import annotations

from tests.timelines.case import Breast, case, days_after
from tests.timelines.resources import (
    CORE_BIOPSY,
    ICD10CM,
    SNOMED,
    STEREOTACTIC_BIOPSY,
    coded,
    condition,
    exam,
    order,
    procedure,
    site,
    task,
)

SUSPICIOUS = exam("2026-04-20", "left", "amorphous", "4A")
REFUSED = coded(SNOMED, "443390004", display="Refused")
DUE = days_after("2026-04-20", 30)


def declined(resource: str) -> Breast:
    """Return the biopsy, declined as the resource says."""
    return {"recommendation": "biopsy", "state": "declined", "closed_by": resource, "due": DUE}


OPEN: Breast = {"recommendation": "biopsy", "state": "open", "closed_by": None, "due": DUE}

CASES = (
    case(
        "u58",
        "Declined sixteen months ago",
        "5.4 and C5: a refusal is asked about again after 12 months.",
        [
            *exam("2025-01-20", "left", "amorphous", "4A"),
            procedure("2025-02-03", CORE_BIOPSY, site("left"), status="not-done", statusReason=REFUSED),
        ],
        left={"recommendation": "biopsy", "state": "open", "closed_by": None},
        mention=["left", "biopsy"],
        suggestions_max=1,
    ),
    case(
        "u59",
        "Not done because the patient was lost to follow-up",
        "5.4: lost to follow-up is no refusal; the card stays open and names it.",
        [
            *SUSPICIOUS,
            procedure(
                "2026-05-11",
                CORE_BIOPSY,
                site("left"),
                status="not-done",
                statusReason=coded(SNOMED, "275694009", display="Patient defaulted from follow-up"),
            ),
        ],
        left=OPEN,
        mention=["left", "biopsy", "follow-up", "2026-05-11"],
        never=["declined", "result pending"],
    ),
    case(
        "u60",
        "Not done because it is contraindicated",
        "5.4: contraindicated is a question to a clinician that names the reason.",
        [
            *SUSPICIOUS,
            procedure(
                "2026-05-11",
                CORE_BIOPSY,
                site("left"),
                status="not-done",
                statusReason=coded(SNOMED, "183932001", display="Procedure contraindicated"),
            ),
        ],
        left={"recommendation": "clinician_review"},
        mention=["left", "contraindicated"],
        never=["declined", "biopsy is recommended"],
        suggestions_max=0,
    ),
    case(
        "u61",
        "Declined in an order not to perform",
        "5.4: ServiceRequest.doNotPerform with a note of the patient's refusal.",
        [
            *SUSPICIOUS,
            order(
                "2026-04-27",
                STEREOTACTIC_BIOPSY,
                "left",
                doNotPerform=True,
                note=[{"text": "Biopsy declined by the patient."}],
            ),
        ],
        left=declined("ServiceRequest/o1"),
        mention=["left", "declined", "2026-04-27"],
        never=["overdue", "already ordered"],
        suggestions_max=0,
    ),
    case(
        "u62",
        "Declined, and ordered after that",
        "5.4: a newer live order ends a refusal.",
        [
            *exam("2026-05-18", "left", "amorphous", "4A"),
            procedure("2026-05-22", CORE_BIOPSY, site("left"), status="not-done", statusReason=REFUSED),
            order("2026-06-08", STEREOTACTIC_BIOPSY, "left"),
        ],
        left={
            "recommendation": "biopsy",
            "state": "ordered",
            "closed_by": "ServiceRequest/o1",
            "due": days_after("2026-05-18", 30),
        },
        mention=["left", "2026-06-08"],
        never=["overdue"],
        suggestions_max=0,
    ),
    case(
        "u63",
        "Declined in a rejected Task",
        "5.4: a Task that was rejected with such a reason.",
        [
            *SUSPICIOUS,
            task("2026-04-27", "Stereotactic biopsy of the left breast", status="rejected", statusReason=REFUSED),
        ],
        left=declined("Task/t1"),
        mention=["left", "declined", "2026-04-27"],
        never=["overdue"],
        suggestions_max=0,
    ),
    case(
        "u64",
        "Declined on the problem list",
        "5.4: a Condition Z53.2x that names the test and its side.",
        [
            *SUSPICIOUS,
            condition(
                coded(ICD10CM, "Z53.20", "Stereotactic biopsy of the left breast not carried out, patient's decision"),
                recordedDate="2026-04-27",
            ),
        ],
        left=declined("Condition/k1"),
        mention=["left", "declined", "2026-04-27"],
        never=["overdue"],
        suggestions_max=0,
    ),
    case(
        "u65",
        "Declined at category 4A, then the next exam is a 4C",
        "5.4 and 5: a refusal before the newer exam does not answer its higher category.",
        [
            *SUSPICIOUS,
            procedure("2026-04-27", CORE_BIOPSY, site("left"), status="not-done", statusReason=REFUSED),
            *exam("2026-06-08", "left", "fine linear", "4C", name="r2", distribution="segmental"),
        ],
        left={"recommendation": "biopsy", "state": "open", "closed_by": None, "due": days_after("2026-06-08", 30)},
        mention=["left", "biopsy", "2026-06-08"],
        never=["overdue"],
        suggestions_max=1,
        derived={"left": {"reported": "4C"}},
    ),
)
