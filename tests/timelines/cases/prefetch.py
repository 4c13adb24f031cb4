"""What arrived and what did not (chart logic 1), and findings without a report (3.1)."""

from __future__ import annotations

from tests.timelines.case import Breast, bundle, case, days_after
from tests.timelines.resources import SNOMED, STEREOTACTIC_BIOPSY, calcification, coded, exam, order, site

EXAM = "2026-06-02"
SUSPICIOUS = exam(EXAM, "left", "amorphous", "4A")
ORDER = order("2026-06-04", STEREOTACTIC_BIOPSY, "left")
STANDALONE = calcification(
    "c1",
    EXAM,
    site("left", "upper outer"),
    "fine pleomorphic",
    "4B",
    method=coded(SNOMED, "71651007", display="Mammography"),
)
DUE = days_after(EXAM, 30)
OPEN: Breast = {"recommendation": "biopsy", "state": "open", "closed_by": None, "due": DUE}
ORDERED: Breast = {"recommendation": "biopsy", "state": "ordered", "closed_by": "ServiceRequest/o1", "due": DUE}

CASES = (
    case(
        "u97",
        "A finding without a report",
        "3.1: standalone findings, grouped by side and day, are an exam.",
        [STANDALONE],
        left=OPEN,
        mention=["left", "biopsy", EXAM],
        never=["overdue", "already ordered"],
        suggestions_max=1,
        derived={"left": {"reported": "4B", "morphology": ["fine_pleomorphic"]}},
    ),
    case(
        "u98",
        "A finding without a report, its biopsy ordered",
        "3.1 and 5: the order is after the day of the finding, which is the exam.",
        [STANDALONE, ORDER],
        left=ORDERED,
        mention=["left", "2026-06-04"],
        suggestions_max=0,
    ),
    case(
        "u99",
        "The reports were cut off",
        "1: a Bundle with another page is incomplete for that key, and the card says so.",
        SUSPICIOUS,
        left=OPEN,
        mention=["left", "biopsy", "reports"],
        cut_off=["reports"],
    ),
    case(
        "u100",
        "The orders were cut off",
        "1 and 0.5: whether it is ordered cannot be excluded, and the card says that orders are incomplete.",
        SUSPICIOUS,
        left=OPEN,
        mention=["left", "biopsy", "orders"],
        never=["nobody ordered"],
        cut_off=["orders"],
    ),
    case(
        "u101",
        "Orders were not received",
        "1 and 6: without the orders key 'already ordered' cannot be excluded; no draft, and the card says so.",
        SUSPICIOUS,
        left=OPEN,
        mention=["left", "biopsy", "orders"],
        never=["nobody ordered", "already ordered"],
        suggestions_max=0,
        absent=["orders"],
    ),
    case(
        "u102",
        "The orders key holds an error",
        "1: an OperationOutcome in place of a Bundle is a key that was not received.",
        SUSPICIOUS,
        left=OPEN,
        mention=["left", "biopsy", "orders"],
        suggestions_max=0,
        absent=["orders"],
        more={
            "orders": {
                "resourceType": "OperationOutcome",
                "issue": [{"severity": "error", "code": "forbidden", "diagnostics": "not within the scope"}],
            }
        },
    ),
    case(
        "u103",
        "The same resources under two keys",
        "1: the same resource under two keys is one resource.",
        [*SUSPICIOUS, ORDER],
        left=ORDERED,
        mention=["left", "2026-06-04"],
        suggestions_max=0,
        more={"everything": bundle([ORDER, *SUSPICIOUS])},
    ),
    case(
        "u104",
        "Order and report under keys of other names",
        "0.1 and 1: content decides, not the key.",
        SUSPICIOUS,
        left=ORDERED,
        mention=["left", "2026-06-04"],
        suggestions_max=0,
        absent=["orders"],
        more={"requests": bundle([ORDER])},
    ),
)
