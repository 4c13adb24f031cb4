"""Dates: partial ones, time zones, months (chart logic 7)."""

from __future__ import annotations

from tests.timelines.case import case, days_after
from tests.timelines.resources import exam

CASES = (
    case(
        "u23",
        "An exam of this year, the day unknown",
        "7: a partial date is a range, capped at today; the card prints the year, never an invented day.",
        exam("2026", "left", "amorphous", "4A"),
        left={"recommendation": "biopsy", "state": "open", "closed_by": None, "due": "2026-01-31/2026-07-15"},
        mention=["left", "biopsy", "2026"],
        never=["overdue", "2026-01-01", "2026-12-31"],
    ),
    case(
        "u24",
        "An exam of last year, the day unknown",
        "7: overdue only where even the latest possible day is past, and by the days since that one.",
        exam("2025", "left", "amorphous", "4A"),
        left={
            "recommendation": "biopsy",
            "state": "open",
            "closed_by": None,
            "due": "2025-01-31/2026-01-30",
            "overdue_days": 136,
        },
        mention=["left", "biopsy", "2025", "136 days"],
        never=["2025-01-01", "2025-12-31"],
    ),
    case(
        "u25",
        "An exam late in the evening, west of Greenwich",
        "7: the calendar day as written by the sender, no shift to UTC.",
        exam("2026-05-31T23:30:00-05:00", "left", "amorphous", "0", study="screening"),
        left={
            "recommendation": "diagnostic_mammogram",
            "state": "open",
            "closed_by": None,
            "due": days_after("2026-05-31", 60),
        },
        mention=["left", "2026-05-31"],
        never=["2026-06-01", "overdue"],
    ),
    case(
        "u26",
        "Category 3 on 31 August",
        "7: month arithmetic clips, so that six months after 31 August is 28 February.",
        exam("2025-08-31", "left", "punctate", "3"),
        today="2026-02-10",
        left={
            "recommendation": "short_interval_follow_up",
            "state": "open",
            "closed_by": None,
            "due": "2026-02-28",
        },
        mention=["left", "2026-02"],
        never=["2026-03-0", "overdue"],
    ),
)
