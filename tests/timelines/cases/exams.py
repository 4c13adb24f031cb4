"""Which exam governs, and what resolves an earlier one (chart logic 3)."""

from __future__ import annotations

from tests.timelines.case import NOT_TESTED, case, days_after, days_between
from tests.timelines.resources import exam, report

CHAIN = [
    *exam("2024-05-13", "left", "punctate", "3", name="r1"),
    *exam("2024-11-18", "left", "punctate", "3", name="r2"),
    *exam("2025-05-19", "left", "punctate", "3", name="r3"),
]

CASES = (
    case(
        "u01",
        "Ultrasound alone after category 0: benign",
        "3.7: a category 0 for calcifications is not resolved by ultrasound; the answer is due a week after it.",
        [
            *exam("2026-05-18", "right", "amorphous", "0", study="screening"),
            report("us1", "2026-06-02", ("ultrasound", None), "Right breast ultrasound: simple cyst. BI-RADS 2.", "2"),
        ],
        right={
            "recommendation": "clinician_review",
            "state": "ultrasound_only",
            "closed_by": "DiagnosticReport/us1",
            "due": days_after("2026-06-02", 7),
        },
        mention=["right", "ultrasound", "2026-06-02"],
        never=["resolved", "already ordered"],
        suggestions_max=1,
    ),
    case(
        "u02",
        "Ultrasound alone after category 0: suspicious",
        "3.7 with 0.4: ultrasound does not resolve the category 0, and its category 4 must not be lost.",
        [
            *exam("2026-05-18", "left", "punctate", "0", study="screening"),
            report(
                "us1",
                "2026-06-02",
                ("ultrasound", None),
                "Left breast ultrasound: irregular hypoechoic mass at 3 o'clock. BI-RADS 4.",
                "4",
            ),
        ],
        left=NOT_TESTED,
        mention=["left", "ultrasound", "2026-06-02"],
        never=["routine screening"],
    ),
    case(
        "u03",
        "Category 4B downgraded to 2 by a diagnostic exam",
        "3.8: a later diagnostic exam with category 1-3 resolves a category 4.",
        [
            *exam("2026-04-13", "left", "amorphous", "4B"),
            *exam("2026-05-04", "left", "milk of calcium", "2", name="r2", study="magnification"),
        ],
        left={
            "recommendation": "no_follow_up",
            "state": "closed",
            "closed_by": "DiagnosticReport/r2",
            "due": None,
        },
        cards=None,
        never=["biopsy is recommended", "overdue"],
        suggestions_max=0,
    ),
    case(
        "u04",
        "Category 4B downgraded to 3 by a diagnostic exam",
        "3.8: downgraded by the diagnostic exam; section 2: the category 4 is no part of the chain of category 3.",
        [
            *exam("2026-04-13", "left", "amorphous", "4B"),
            *exam("2026-05-04", "left", "punctate", "3", name="r2", study="magnification"),
        ],
        left={
            "recommendation": "short_interval_follow_up",
            "state": "open",
            "closed_by": None,
            "due": "2026-11-04",
        },
        mention=["left", "downgraded", "2026-05-04"],
        never=["biopsy is recommended", "overdue"],
        derived={"left": {"surveillance_month": 0, "reported": "3"}},
    ),
    case(
        "u05",
        "Category 4A followed by a screening exam of category 2",
        "3.8 and C4: a later screening exam does not resolve a category 4; both dates are said.",
        [
            *exam("2025-10-06", "left", "amorphous", "4A"),
            report(
                "r2",
                "2026-04-13",
                ("screening", "both"),
                "Both breasts: benign findings. BI-RADS 2.",
                "2",
            ),
        ],
        left={"recommendation": "biopsy", "state": "open", "closed_by": None, "due": days_after("2025-10-06", 30)},
        right=NOT_TESTED,
        cards=None,
        cards_max=2,
        mention=["left", "biopsy", "2025-10-06", "2026-04-13"],
    ),
    case(
        "u06",
        "Category 0, then a bilateral diagnostic exam of category 1",
        "3.7 and 3.5: any later readable mammographic exam that covers the side resolves a category 0.",
        [
            *exam("2026-05-04", "left", "amorphous", "0", study="screening"),
            report(
                "r2",
                "2026-05-18",
                ("diagnostic", "both"),
                "Both breasts: negative on magnification views. BI-RADS 1.",
                "1",
            ),
        ],
        left={"state": "closed", "closed_by": "DiagnosticReport/r2", "due": None},
        cards=0,
        never=["diagnostic mammogram is recommended", "overdue"],
    ),
    case(
        "u07",
        "Two years of category 3 end in category 2",
        "3.9 and 5: the last exam of the chain does the follow-up; category 2 with nothing open asks for nothing.",
        [*CHAIN, *exam("2026-05-18", "left", "punctate", "2", name="r4", extra=" Unchanged since May 2024.")],
        left={
            "recommendation": "no_follow_up",
            "state": "closed",
            "closed_by": "DiagnosticReport/r4",
            "due": None,
        },
        cards=None,
        never=["short-interval", "overdue"],
        suggestions_max=0,
    ),
    case(
        "u08",
        "Two years of category 3 end stable, without a category",
        "Section 2, change: two exams at least 23 months apart say so; X09 and D35: stable for two years is benign.",
        [
            *CHAIN,
            *exam("2026-05-18", "left", "punctate", None, name="r4", change="Stable", in_words=False),
        ],
        left={"recommendation": "no_follow_up", "due": None},
        cards=None,
        never=["overdue"],
        suggestions_max=0,
        derived={"left": {"change": "stable_ge2y", "priors": "available"}},
    ),
    case(
        "u09",
        "Two years of category 3, and the radiologist says 3 again",
        "0 and section 5: never less than the radiologist; at month 24 the next exam is due after 12 months.",
        [*CHAIN, *exam("2026-05-18", "left", "punctate", "3", name="r4")],
        left={
            "recommendation": "short_interval_follow_up",
            "state": "open",
            "closed_by": None,
            "due": "2027-05-18",
        },
        mention=["left", "2027-05"],
        never=["overdue"],
        derived={"left": {"surveillance_month": 24}},
    ),
    case(
        "u10",
        "Category 3 chain broken by a category 2",
        "Section 2, surveillance_month: any other category breaks the chain, so the third exam is a first one.",
        [
            *exam("2025-03-10", "left", "punctate", "3", name="r1"),
            *exam("2025-09-15", "left", "punctate", "2", name="r2"),
            *exam("2026-04-13", "left", "punctate", "3", name="r3"),
        ],
        left={
            "recommendation": "short_interval_follow_up",
            "state": "open",
            "closed_by": None,
            "due": "2026-10-13",
        },
        mention=["left", "2026-10"],
        never=["overdue", "2027-04"],
        derived={"left": {"surveillance_month": 0}},
    ),
    case(
        "u11",
        "Category 3, last day of grace",
        "6 and C2: more than 92 days past due changes the answer, 92 do not.",
        exam("2025-09-15", "left", "punctate", "3"),
        left={
            "recommendation": "short_interval_follow_up",
            "state": "open",
            "closed_by": None,
            "due": "2026-03-15",
            "overdue_days": 92,
        },
        mention=["left", "92 days"],
        derived={"left": {"overdue": False}},
    ),
    case(
        "u12",
        "Category 3, one day past the grace",
        "6 and X10: more than 92 days past due, a diagnostic mammogram now.",
        exam("2025-09-14", "left", "punctate", "3"),
        left={
            "recommendation": "diagnostic_mammogram",
            "state": "open",
            "closed_by": None,
            "due": "2026-03-14",
            "overdue_days": 93,
            "indicator": "warning",
        },
        mention=["left", "93 days"],
        derived={"left": {"overdue": True}},
    ),
    case(
        "u13",
        "Category 4A open for 43 months",
        "3.11 and C7: after 36 months an old open recommendation is a question to a clinician, not an order draft.",
        exam("2022-11-02", "left", "amorphous", "4A"),
        left={"recommendation": "clinician_review", "state": "open", "closed_by": None},
        mention=["left", "2022"],
        suggestions_max=0,
    ),
    case(
        "u14",
        "Category 4A open for 35 months",
        "3.11: an open recommendation never expires; until 36 months it is the recommendation itself.",
        exam("2023-06-26", "left", "amorphous", "4A"),
        today="2026-06-01",
        left={"recommendation": "biopsy", "state": "open", "closed_by": None, "due": "2023-07-26"},
        mention=["left", "biopsy", f"{days_between('2023-07-26', '2026-06-01')} days"],
        suggestions_max=1,
    ),
    case(
        "u15",
        "The newest exam is only a link to an outside PDF",
        "3.10: an unreadable newest exam is said; nothing is claimed overdue from the older one.",
        [
            *exam("2025-12-01", "left", "punctate", "3"),
            report(
                "r2",
                "2026-06-11",
                ("diagnostic", "left"),
                None,
                presentedForm=[
                    {"contentType": "application/pdf", "url": "https://archive.example.org/9917", "title": "Report"}
                ],
            ),
        ],
        left={
            "recommendation": "clinician_review",
            "state": "newer_exam_unreadable",
            "closed_by": "DiagnosticReport/r2",
            "overdue_days": 0,
        },
        mention=["left", "2026-06-11"],
        never=["overdue", "already ordered"],
        suggestions_max=0,
    ),
    case(
        "u16",
        "The newer exam is of the other breast",
        "3.5: an exam of the right breast alone never replaces the left one's last exam.",
        [
            *exam("2026-05-20", "left", "amorphous", "4A"),
            *exam("2026-06-08", "right", "vascular", "2", name="r2", distribution="linear", quadrant=None),
        ],
        left={"recommendation": "biopsy", "state": "open", "closed_by": None, "due": days_after("2026-05-20", 30)},
        right={"recommendation": "no_follow_up", "state": "nothing_open", "closed_by": None, "due": None},
        cards_max=2,
        mention=["left", "biopsy", "2026-05-20"],
        never=["right breast biopsy", "overdue"],
    ),
    case(
        "u17",
        "Screening and diagnostic exam on one day",
        "3.6: of two exams of one day the diagnostic one governs.",
        [
            *exam("2026-06-03", "left", "amorphous", "0", study="screening"),
            *exam("2026-06-03", "left", "punctate", "3", name="r2", study="magnification"),
        ],
        left={
            "recommendation": "short_interval_follow_up",
            "state": "open",
            "closed_by": None,
            "due": "2026-12-03",
        },
        mention=["left", "2026-12"],
        never=["diagnostic mammogram is recommended", "overdue"],
        derived={"left": {"reported": "3", "morphology": ["punctate"]}},
    ),
    case(
        "u18",
        "Ultrasound of the same day raises the category",
        "3.6: an ultrasound of the same day may raise the breast's category.",
        [
            *exam("2026-06-03", "left", "punctate", "3"),
            report(
                "us1",
                "2026-06-03",
                ("ultrasound", None),
                "Left breast ultrasound: irregular hypoechoic area at the calcifications. BI-RADS 4A.",
                "4A",
            ),
        ],
        left={"recommendation": "biopsy", "state": "open", "closed_by": None, "due": days_after("2026-06-03", 30)},
        mention=["left", "biopsy", "ultrasound"],
        never=["short-interval follow-up is recommended"],
    ),
    case(
        "u19",
        "Ultrasound of the same day does not lower the category",
        "3.6: an ultrasound of the same day never lowers the mammographic category.",
        [
            *exam("2026-06-03", "left", "amorphous", "4A"),
            report("us1", "2026-06-03", ("ultrasound", None), "Left breast ultrasound: no correlate. BI-RADS 2.", "2"),
        ],
        left={"recommendation": "biopsy", "state": "open", "closed_by": None, "due": days_after("2026-06-03", 30)},
        mention=["left", "biopsy"],
        derived={"left": {"reported": "4A"}},
    ),
    case(
        "u20",
        "British score M3 at screening",
        "Section 2, system: M1-M5 are RCR scores; RCR 3 is investigated, it is not category 3.",
        [
            report(
                "r1",
                "2026-06-03",
                ("screening", "both"),
                "Left breast: grouped punctate microcalcification, M3. Right breast: M1.",
            )
        ],
        left={
            "recommendation": "diagnostic_mammogram",
            "state": "open",
            "closed_by": None,
            "due": days_after("2026-06-03", 60),
        },
        mention=["left", "diagnostic mammogram"],
        never=["short-interval", "overdue"],
        derived={"left": {"system": "RCR", "reported": "3"}},
    ),
    case(
        "u21",
        "British score M4 at a diagnostic exam",
        "Section 2, system: an RCR 4 asks for tissue as a category 4 does.",
        [
            report(
                "r1",
                "2026-06-03",
                ("diagnostic", "left"),
                "Left breast: segmental fine pleomorphic microcalcification on magnification views, M4.",
            )
        ],
        left={"recommendation": "biopsy", "state": "open", "closed_by": None, "due": days_after("2026-06-03", 30)},
        mention=["left", "biopsy"],
        derived={"left": {"system": "RCR", "reported": "4"}},
    ),
    case(
        "u22",
        "Category 0 for calcifications, no side anywhere",
        "Section 2, reported: no side and no finding make one case without side, and no order draft.",
        [
            report(
                "r1", "2026-06-03", ("screening", "both"), "Calcifications, further views are needed. BI-RADS 0.", "0"
            )
        ],
        unspecified={
            "recommendation": "diagnostic_mammogram",
            "state": "open",
            "closed_by": None,
            "due": days_after("2026-06-03", 60),
        },
        mention=["side"],
        never=["left breast", "right breast"],
        suggestions_max=0,
    ),
)
