"""Orders, drafts and requests: what counts as ordered (chart logic 1, 5 and 5.1)."""

from __future__ import annotations

from typing import Any

from tests.timelines.case import NOT_TESTED, TODAY, Breast, case, days_after
from tests.timelines.resources import (
    DICOM,
    STEREOTACTIC_BIOPSY,
    SUBJECT,
    Resource,
    calcification,
    coded,
    exam,
    imaging,
    order,
    report,
    site,
    task,
)

SCREENED = "2026-05-26"
DIAGNOSED = "2026-06-02"
RECALL = exam(SCREENED, "left", "amorphous", "0", study="screening")
SUSPICIOUS = exam(DIAGNOSED, "left", "amorphous", "4B")
PRIORS_NEEDED = [
    report(
        "r1",
        SCREENED,
        ("screening", "both"),
        "Left breast: grouped punctate calcifications. Prior mammograms are needed for comparison. BI-RADS 0. "
        "Right breast: negative. BI-RADS 1.",
        "0",
        results=["c1"],
    ),
    calcification("c1", SCREENED, site("left", "upper outer"), "punctate"),
]
BOTH_SUSPICIOUS: list[Resource] = [
    report(
        "r1",
        DIAGNOSED,
        ("diagnostic", "both"),
        "Left breast: grouped amorphous calcifications. BI-RADS 4A. "
        "Right breast: grouped fine pleomorphic calcifications. BI-RADS 4B.",
        "4B",
        results=["c1", "c2"],
    ),
    calcification("c1", DIAGNOSED, site("left", "upper outer"), "amorphous", "4A"),
    calcification("c2", DIAGNOSED, site("right", "lower inner"), "fine pleomorphic", "4B"),
]


def recall(state: str, closed_by: str | None = None) -> Breast:
    """Return how the category 0 stands."""
    due = days_after(SCREENED, 60)
    return {"recommendation": "diagnostic_mammogram", "state": state, "closed_by": closed_by, "due": due}


def biopsy(state: str, closed_by: str | None = None) -> Breast:
    """Return how the category 4 stands."""
    due = days_after(DIAGNOSED, 30)
    return {"recommendation": "biopsy", "state": state, "closed_by": closed_by, "due": due}


def priors(**members: Any) -> Breast:
    """Return how the request for prior images stands."""
    return {"recommendation": "obtain_prior_images", "due": days_after(SCREENED, 30), **members}


CASES = (
    case(
        "u32",
        "The diagnostic order is on hold",
        "5.1: an order on hold is live, and the card says that it is on hold.",
        [*RECALL, order("2026-05-28", imaging("diagnostic", "left"), "left", status="on-hold")],
        left=recall("ordered", "ServiceRequest/o1"),
        mention=["left", "on hold", "2026-05-28"],
        never=["overdue"],
        suggestions_max=0,
    ),
    case(
        "u33",
        "A proposal is no order",
        "5 and 5.1: intent proposal does not count.",
        [*RECALL, order("2026-05-28", imaging("diagnostic", "left"), "left", intent="proposal")],
        left=recall("open"),
        mention=["left", "diagnostic mammogram"],
        never=["already ordered"],
        suggestions_max=1,
    ),
    case(
        "u34",
        "A screening order does not answer category 0",
        "5: a screening order does not count for a diagnostic mammogram.",
        [*RECALL, order("2026-05-28", imaging("screening", "both"), "both")],
        left=recall("open"),
        mention=["left", "diagnostic mammogram"],
        never=["already ordered"],
        suggestions_max=1,
    ),
    case(
        "u35",
        "An ultrasound order alone does not answer category 0",
        "5: an ultrasound order alone does not count for calcifications.",
        [*RECALL, order("2026-05-28", imaging("ultrasound"), "left")],
        left=recall("open"),
        mention=["left", "diagnostic mammogram"],
        never=["already ordered"],
        suggestions_max=1,
    ),
    case(
        "u36",
        "The order is for the other breast",
        "0.2 and 5: an order of the other breast never answers this one.",
        [*RECALL, order("2026-05-28", imaging("diagnostic", "right"), "right")],
        left=recall("open"),
        mention=["left", "diagnostic mammogram"],
        never=["already ordered"],
    ),
    case(
        "u37",
        "A bilateral order covers the breast",
        "5: the side fits if equal or bilateral.",
        [*RECALL, order("2026-05-28", imaging("diagnostic", "both"))],
        left=recall("ordered", "ServiceRequest/o1"),
        mention=["left", "2026-05-28"],
        never=["overdue"],
        suggestions_max=0,
    ),
    case(
        "u38",
        "An order without side, one breast open",
        "5: an unstated side fits while only this breast is open.",
        [*RECALL, order("2026-05-28", imaging("diagnostic"))],
        left=recall("ordered", "ServiceRequest/o1"),
        mention=["left", "2026-05-28"],
        never=["overdue"],
        suggestions_max=0,
    ),
    case(
        "u39",
        "An order without side, both breasts open",
        "0.2 and 5: with both breasts open, an unstated side answers neither.",
        [*BOTH_SUSPICIOUS, order("2026-06-04", STEREOTACTIC_BIOPSY)],
        left=biopsy("open"),
        right=biopsy("open"),
        cards=None,
        cards_max=2,
        mention=["left", "right", "biopsy"],
        never=["already ordered"],
    ),
    case(
        "u40",
        "The order belongs to another patient",
        "0.2: a case is of this patient's breast; what is about another patient answers nothing.",
        [*SUSPICIOUS, order("2026-06-04", STEREOTACTIC_BIOPSY, "left", subject={"reference": "Patient/someone-else"})],
        left=biopsy("open"),
        mention=["left", "biopsy"],
        never=["already ordered"],
    ),
    case(
        "u41",
        "An order of which only the year is known",
        "7: an event whose range straddles the exam day does not close, and the card says so.",
        [*exam("2026-06-02", "left", "amorphous", "4B"), order("2026", STEREOTACTIC_BIOPSY, "left")],
        left=biopsy("open"),
        mention=["left", "biopsy", "may belong"],
        never=["already ordered", "2026-01-01", "2026-12-31"],
    ),
    case(
        "u42",
        "A live biopsy order in R5",
        "5 and 5.1: a live biopsy order after the exam; its code is a CodeableReference in R5.",
        [*SUSPICIOUS, order("2026-06-04", STEREOTACTIC_BIOPSY, "left", r5=True)],
        left=biopsy("ordered", "ServiceRequest/o1"),
        mention=["left", "2026-06-04"],
        never=["overdue"],
        suggestions_max=0,
        r5=True,
    ),
    case(
        "u43",
        "The follow-up of category 3 is ordered for September",
        "5: an unspecified or diagnostic mammogram of the side counts, and its occurrence date is shown.",
        [
            *exam("2026-03-02", "left", "punctate", "3"),
            order("2026-03-04", imaging("views", "left"), occurrenceDateTime="2026-09-01"),
        ],
        left={
            "recommendation": "short_interval_follow_up",
            "state": "ordered",
            "closed_by": "ServiceRequest/o1",
            "due": "2026-09-02",
        },
        mention=["left", "2026-03-04", "2026-09-01"],
        never=["overdue"],
        suggestions_max=0,
    ),
    case(
        "u44",
        "Routine screening does not answer category 3",
        "5: a routine screening order before the due date does not count for the follow-up of category 3.",
        [
            *exam("2026-03-02", "left", "punctate", "3"),
            order("2026-03-04", imaging("screening", "both"), occurrenceDateTime="2026-07-20"),
        ],
        left={
            "recommendation": "short_interval_follow_up",
            "state": "open",
            "closed_by": None,
            "due": "2026-09-02",
        },
        mention=["left", "2026-09"],
        never=["already ordered", "overdue"],
    ),
    case(
        "u45",
        "A Task asks another hospital for the prior images",
        "5: a release-of-records Task counts only as requested.",
        [
            *PRIORS_NEEDED,
            task("2026-05-29", "Release of records: prior mammograms from an outside hospital", status="accepted"),
        ],
        left=priors(),
        mention=["left", "prior", "requested", "2026-05-29"],
        never=["already ordered", "overdue"],
    ),
    case(
        "u46",
        "A letter to the patient was sent",
        "5: a Communication that was sent does not count.",
        [
            *PRIORS_NEEDED,
            {
                "resourceType": "Communication",
                "id": "m1",
                "status": "completed",
                "subject": SUBJECT,
                "sent": "2026-05-28T10:00:00-05:00",
                "payload": [{"contentString": "Your mammogram was read. Please bring your earlier mammograms."}],
            },
        ],
        left=priors(state="open", closed_by=None),
        mention=["left", "prior"],
        never=["already ordered", "already requested"],
    ),
    case(
        "u47",
        "Comparison with prior exams is ordered",
        "5: an order to compare prior exams counts for obtain_prior_images.",
        [*PRIORS_NEEDED, order("2026-05-27", coded(DICOM, "111138", display="Old films for comparison"), "left")],
        left=priors(state="ordered", closed_by="ServiceRequest/o1"),
        mention=["left", "2026-05-27"],
        never=["overdue"],
        suggestions_max=0,
    ),
    case(
        "u48",
        "The right biopsy is being signed",
        "1: a draft of the right kind for the right side needs no card.",
        SUSPICIOUS,
        left={"recommendation": "biopsy"},
        cards=0,
        cards_max=0,
        hook="order-sign",
        drafts=[order(TODAY, STEREOTACTIC_BIOPSY, "left", name="d1", status="draft")],
    ),
    case(
        "u49",
        "A biopsy of the wrong breast is being signed",
        "1: right kind and other side is a warning that names both sides.",
        SUSPICIOUS,
        left=biopsy("open") | {"indicator": "warning"},
        right=NOT_TESTED,
        cards=None,
        cards_max=2,
        mention=["draft", "left", "right"],
        never=["already ordered"],
        hook="order-sign",
        drafts=[order(TODAY, STEREOTACTIC_BIOPSY, "right", name="d1", status="draft")],
    ),
    case(
        "u50",
        "A screening mammogram is being selected while a biopsy is open",
        "1: a screening order while a biopsy is open leaves the open card standing; the draft is R5.",
        SUSPICIOUS,
        left=biopsy("open"),
        mention=["left", "biopsy"],
        never=["already ordered"],
        hook="order-select",
        drafts=[order(TODAY, imaging("screening", "both"), name="d1", status="draft", r5=True)],
        r5=True,
    ),
    case(
        "u51",
        "An order drafted earlier and never signed",
        "5.1: a draft in the chart is drafted, not signed, and closes nothing.",
        [*SUSPICIOUS, order("2026-06-04", STEREOTACTIC_BIOPSY, "left", status="draft")],
        left=biopsy("open"),
        mention=["left", "biopsy", "not signed"],
        never=["already ordered"],
    ),
)
