"""Is it the same finding, and is the cancer beside it (chart logic 4, and section 2 on history)."""

from __future__ import annotations

from tests.timelines.case import Breast, case, days_after
from tests.timelines.resources import (
    ICD10CM,
    STEREOTACTIC_BIOPSY,
    Concept,
    Resource,
    calcification,
    coded,
    condition,
    exam,
    pathology,
    procedure,
    report,
    site,
)

EXAM = "2026-05-25"
OPEN: Breast = {"recommendation": "biopsy", "state": "open", "closed_by": None, "due": days_after(EXAM, 30)}


def two_findings(first: Concept, second: Concept) -> list[Resource]:
    """Return a diagnostic exam of the left breast with two suspicious findings."""
    words = "Left breast: two separate groups of suspicious calcifications on magnification views. BI-RADS 4B."
    return [
        report("r1", EXAM, ("diagnostic", "left"), words, "4B", results=["c1", "c2"]),
        calcification("c1", EXAM, first, "fine pleomorphic", "4B"),
        calcification("c2", EXAM, second, "amorphous", "4A"),
    ]


CASES = (
    case(
        "u85",
        "Two findings, the biopsy matches one by clock and distance",
        "4: one hour and 15 mm apart is the same finding; the other one is still open.",
        [
            *two_findings(site("left", "upper outer", 2, 40), site("left", "lower inner", 7, 30)),
            procedure("2026-06-08", STEREOTACTIC_BIOPSY, site("left", "upper outer", 1, 55)),
        ],
        left=OPEN,
        mention=["left", "biopsy", "2026-06-08"],
        never=["overdue"],
    ),
    case(
        "u86",
        "Two findings, a biopsy without a place",
        "4: an event without a place closes none of several.",
        [
            *two_findings(site("left", "upper outer", 2, 40), site("left", "lower inner", 7, 30)),
            procedure("2026-06-08", STEREOTACTIC_BIOPSY, site("left")),
        ],
        left=OPEN,
        mention=["left", "biopsy"],
        never=["overdue"],
    ),
    case(
        "u87",
        "Two findings of one quadrant, told apart by distance",
        "4: more than 20 mm apart is another finding; a benign concordant result answers only the one it is of.",
        [
            *two_findings(site("left", "upper outer", 2, 30), site("left", "upper outer", 2, 80)),
            procedure("2026-06-08", STEREOTACTIC_BIOPSY, site("left", "upper outer", 2, 75)),
            pathology(
                "2026-06-08",
                "Left breast, core: fibrocystic change with calcifications. Concordant with imaging.",
                ["27431007"],
                specimens=[site("left", "upper outer", 2, 75)],
            ),
        ],
        left=OPEN,
        mention=["left", "biopsy"],
        never=["overdue"],
    ),
    case(
        "u88",
        "One finding, the biopsy two hours away on the clock",
        "4: one finding on that side then and now is matched by side.",
        [
            report(
                "r1",
                EXAM,
                ("diagnostic", "left"),
                "Left breast: grouped amorphous calcifications. BI-RADS 4A.",
                "4A",
                results=["c1"],
            ),
            calcification("c1", EXAM, site("left", "upper outer", 1), "amorphous", "4A"),
            procedure("2026-06-08", STEREOTACTIC_BIOPSY, site("left", "upper outer", 3)),
        ],
        left={
            "recommendation": "biopsy",
            "state": "done_pending",
            "closed_by": "Procedure/b1",
            "due": days_after(EXAM, 30),
        },
        mention=["left", "2026-06-08", "pending"],
        suggestions_max=0,
    ),
    case(
        "u89",
        "Punctate group in the quadrant of a known cancer",
        "Section 2, adjacent_known_cancer: active cancer of the same side and the same quadrant (site digit of C50).",
        [
            *exam("2026-06-02", "left", "punctate", None, in_words=False),
            condition(coded(ICD10CM, "C50.412"), onsetDateTime="2026-04-02", recordedDate="2026-04-02"),
        ],
        left={"recommendation": "biopsy", "state": "open", "closed_by": None, "due": days_after("2026-06-02", 30)},
        mention=["left", "biopsy"],
        derived={"left": {"history": ["adjacent_known_cancer", "personal_cancer"], "nac": False}},
    ),
    case(
        "u90",
        "Punctate group, the known cancer in another quadrant",
        "Section 2: never adjacent from the same breast alone.",
        [
            *exam("2026-06-02", "left", "punctate", None, in_words=False),
            condition(coded(ICD10CM, "C50.212"), onsetDateTime="2026-04-02", recordedDate="2026-04-02"),
        ],
        left={
            "recommendation": "short_interval_follow_up",
            "state": "open",
            "closed_by": None,
            "due": "2026-12-02",
        },
        mention=["left", "2026-12"],
        derived={"left": {"history": ["personal_cancer"], "nac": False}},
    ),
)
