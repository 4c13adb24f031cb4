"""Appointments (chart logic 5.2)."""

from __future__ import annotations

from tests.timelines.case import Breast, case, days_after
from tests.timelines.resources import HL7, appointment, coded, exam, imaging

SUSPICIOUS = exam("2026-06-01", "left", "amorphous", "4B")
RECALL = exam("2026-05-26", "left", "amorphous", "0", study="screening")


def biopsy(state: str, closed_by: str | None = None) -> Breast:
    """Return how the category 4 stands."""
    return {"recommendation": "biopsy", "state": state, "closed_by": closed_by, "due": days_after("2026-06-01", 30)}


CASES = (
    case(
        "u52",
        "The biopsy is booked for next week",
        "5.2: booked, in the future, kind and side from the description.",
        [*SUSPICIOUS, appointment("2026-06-24", "Stereotactic biopsy, left breast")],
        left=biopsy("booked", "Appointment/a1") | {"indicator": "info"},
        mention=["left", "booked", "2026-06-24"],
        never=["overdue"],
        suggestions_max=0,
    ),
    case(
        "u53",
        "The diagnostic mammogram is booked, in R5",
        "5.2: kind and side from serviceType, whose members are CodeableReferences in R5.",
        [*RECALL, appointment("2026-06-24", serviceType=[{"concept": imaging("diagnostic", "left")}])],
        left={
            "recommendation": "diagnostic_mammogram",
            "state": "booked",
            "closed_by": "Appointment/a1",
            "due": days_after("2026-05-26", 60),
        },
        mention=["left", "booked", "2026-06-24"],
        suggestions_max=0,
        r5=True,
    ),
    case(
        "u54",
        "The booked day is past, and nothing came of it",
        "5.2: booked but past, nothing done: open, and the appointment is named.",
        [*SUSPICIOUS, appointment("2026-06-08", "Stereotactic biopsy, left breast")],
        left=biopsy("open"),
        mention=["left", "biopsy", "2026-06-08"],
        never=["booked for 2026-06-08", "result pending"],
    ),
    case(
        "u55",
        "On the waiting list",
        "5.2: waitlist is requested, not booked.",
        [*SUSPICIOUS, appointment(None, "Stereotactic biopsy, left breast", status="waitlist")],
        left={"recommendation": "biopsy", "due": days_after("2026-06-01", 30)},
        mention=["left", "requested"],
        never=["booked for", "overdue"],
    ),
    case(
        "u56",
        "The patient cancelled the appointment",
        "5.2: a cancelled appointment opens it again and is named; a patient's reason is no refusal of the test.",
        [
            *SUSPICIOUS,
            appointment(
                "2026-06-17",
                "Stereotactic biopsy, left breast",
                status="cancelled",
                cancelationReason=coded(f"{HL7}/appointment-cancellation-reason", "pat-crs"),
            ),
        ],
        left=biopsy("open"),
        mention=["left", "biopsy", "cancel", "2026-06-17"],
        never=["declined", "booked for"],
    ),
    case(
        "u57",
        "The appointment is for the other breast",
        "0.2 and 5.2: an appointment of the other breast does not answer this one.",
        [*SUSPICIOUS, appointment("2026-06-24", "Stereotactic biopsy, right breast")],
        left=biopsy("open"),
        mention=["left", "biopsy"],
        never=["booked for"],
    ),
)
