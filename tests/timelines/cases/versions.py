"""Versions of one exam (chart logic 3.3 and 3.4)."""

from __future__ import annotations

from tests.timelines.case import case, days_after
from tests.timelines.resources import STEREOTACTIC_BIOPSY, exam, order, report

CASES = (
    case(
        "u27",
        "A corrected report moves the exam day back, before the order",
        "3.3: versions collapse before sorting; 5: the order is after the exam day that is valid now.",
        [
            *exam("2026-06-10", "left", "amorphous", "4A", accession="A7", issued="2026-06-10T11:00:00-05:00"),
            *exam(
                "2026-06-02",
                "left",
                "amorphous",
                "4A",
                name="r2",
                accession="A7",
                status="corrected",
                issued="2026-06-12T08:00:00-05:00",
            ),
            order("2026-06-04", STEREOTACTIC_BIOPSY, "left"),
        ],
        left={
            "recommendation": "biopsy",
            "state": "ordered",
            "closed_by": "ServiceRequest/o1",
            "due": days_after("2026-06-02", 30),
        },
        mention=["left", "2026-06-04"],
        never=["overdue"],
        suggestions_max=0,
    ),
    case(
        "u28",
        "The report is amended after the order",
        "5 and 3.3: what counts is the exam day, not the day of the amendment; the card says that it was amended.",
        [
            *exam("2026-06-01", "left", "amorphous", "4A", accession="A8", issued="2026-06-01T12:00:00-05:00"),
            *exam(
                "2026-06-01",
                "left",
                "fine pleomorphic",
                "4B",
                name="r2",
                accession="A8",
                status="amended",
                issued="2026-06-08T09:30:00-05:00",
            ),
            order("2026-06-03", STEREOTACTIC_BIOPSY, "left"),
        ],
        left={
            "recommendation": "biopsy",
            "state": "ordered",
            "closed_by": "ServiceRequest/o1",
            "due": days_after("2026-06-01", 30),
        },
        mention=["left", "amended", "2026-06-08", "2026-06-03"],
        suggestions_max=0,
        derived={"left": {"reported": "4B", "report_status": "amended", "morphology": ["fine_pleomorphic"]}},
    ),
    case(
        "u29",
        "An addendum raises category 3 to 4A",
        "3.3: an addendum overwrites the category that it states and inherits the finding that it does not repeat.",
        [
            *exam("2026-06-01", "left", "punctate", "3", accession="A9", issued="2026-06-01T12:00:00-05:00"),
            report(
                "r2",
                "2026-06-01",
                ("diagnostic", "left"),
                "ADDENDUM: outside mammograms of 2023 were reviewed. The left breast calcifications are new. BI-RADS 4A.",
                "4A",
                accession="A9",
                status="appended",
                issued="2026-06-09T16:00:00-05:00",
            ),
        ],
        left={"recommendation": "biopsy", "state": "open", "closed_by": None, "due": days_after("2026-06-01", 30)},
        mention=["left", "biopsy", "amended"],
        never=["short-interval follow-up is recommended", "overdue"],
        derived={"left": {"reported": "4A", "report_status": "amended", "morphology": ["punctate"]}},
    ),
    case(
        "u30",
        "A preliminary report beside the final one of the same exam",
        "3.4: preliminary beside a final of the same exam is ignored.",
        [
            *exam(
                "2026-06-05",
                "left",
                "fine linear",
                "5",
                accession="A10",
                status="preliminary",
                issued="2026-06-05T09:00:00-05:00",
            ),
            *exam(
                "2026-06-05", "left", "amorphous", "4A", name="r2", accession="A10", issued="2026-06-05T15:00:00-05:00"
            ),
        ],
        left={"recommendation": "biopsy", "state": "open", "closed_by": None, "due": days_after("2026-06-05", 30)},
        mention=["left", "biopsy"],
        never=["await", "BI-RADS 5"],
        derived={"left": {"reported": "4A", "report_status": "final", "morphology": ["amorphous"]}},
    ),
    case(
        "u31",
        "The newest report was entered in error",
        "3.1: an entered-in-error report is no candidate.",
        [
            *exam("2026-04-13", "left", "punctate", "3"),
            report(
                "r2",
                "2026-06-01",
                ("diagnostic", "left"),
                "Left breast: segmental fine linear calcifications. BI-RADS 5.",
                "5",
                status="entered-in-error",
            ),
        ],
        left={
            "recommendation": "short_interval_follow_up",
            "state": "open",
            "closed_by": None,
            "due": "2026-10-13",
        },
        mention=["left", "2026-10"],
        never=["BI-RADS 5", "biopsy is recommended"],
    ),
)
