"""Biopsies and what tissue showed (chart logic 5 and 5.3)."""

from __future__ import annotations

from typing import Any

from tests.timelines.case import NOT_TESTED, Breast, case, days_after
from tests.timelines.cases.orders import BOTH_SUSPICIOUS, DIAGNOSED
from tests.timelines.resources import (
    CYST_ASPIRATION,
    EXCISIONAL_BIOPSY,
    ICD10CM,
    LUMPECTOMY,
    SENTINEL_NODE_BIOPSY,
    STEREOTACTIC_BIOPSY,
    SURGEON,
    coded,
    condition,
    exam,
    order,
    pathology,
    procedure,
    site,
)

EXAM = "2026-05-18"
SUSPICIOUS = exam(EXAM, "left", "amorphous", "4B")
MILD = exam(EXAM, "left", "coarse heterogeneous", "4A")
SAMPLED = "2026-06-05"
FIBROCYSTIC, DCIS, INVASIVE, ADH, PAPILLOMA = "27431007", "1162814007", "82711006", "427785007", "5244003"
OPEN: Breast = {"recommendation": "biopsy", "state": "open", "closed_by": None, "due": days_after(EXAM, 30)}


def result(recommendation: str, day: str, days: int, **members: Any) -> Breast:
    """Return what follows a result of that day, open and due in so many days."""
    return {
        "recommendation": recommendation,
        "state": "open",
        "closed_by": None,
        "due": days_after(day, days),
        **members,
    }


CASES = (
    case(
        "u66",
        "The biopsy on record is of the other breast",
        "0.2 and 5: a biopsy of the other side does not count.",
        [*SUSPICIOUS, procedure("2026-06-03", STEREOTACTIC_BIOPSY, site("right"))],
        left=OPEN,
        mention=["left", "biopsy"],
        never=["result pending"],
    ),
    case(
        "u67",
        "Only a sentinel node was sampled",
        "5: a sentinel node biopsy is no biopsy of the finding.",
        [*SUSPICIOUS, procedure("2026-06-03", SENTINEL_NODE_BIOPSY, site("left"))],
        left=OPEN,
        mention=["left", "biopsy"],
        never=["result pending"],
    ),
    case(
        "u68",
        "Only a cyst was aspirated",
        "5: the aspiration of a cyst is no biopsy of the finding.",
        [*SUSPICIOUS, procedure("2026-06-03", CYST_ASPIRATION, site("left"))],
        left=OPEN,
        mention=["left", "biopsy"],
        never=["result pending"],
    ),
    case(
        "u69",
        "Core biopsy twenty days ago, no result",
        "6: a result that is pending for more than 14 days is a warning.",
        [*SUSPICIOUS, procedure("2026-05-26", STEREOTACTIC_BIOPSY, site("left"))],
        left={
            "recommendation": "biopsy",
            "state": "done_pending",
            "closed_by": "Procedure/b1",
            "due": days_after(EXAM, 30),
            "indicator": "warning",
        },
        mention=["left", "2026-05-26", "20 days", "pending"],
        never=["overdue"],
        suggestions_max=0,
    ),
    case(
        "u70",
        "Core biopsy a week ago, in R5",
        "5: a completed biopsy is result pending; R5 calls its day occurrence.",
        [*SUSPICIOUS, procedure("2026-06-08", STEREOTACTIC_BIOPSY, site("left"), r5=True)],
        left={
            "recommendation": "biopsy",
            "state": "done_pending",
            "closed_by": "Procedure/b1",
            "due": days_after(EXAM, 30),
            "indicator": "info",
        },
        mention=["left", "2026-06-08", "pending"],
        never=["overdue"],
        suggestions_max=0,
        r5=True,
    ),
    case(
        "u71",
        "The pathology report is registered",
        "5.3: a registered report is pending.",
        [*SUSPICIOUS, pathology(SAMPLED, None, specimens=[site("left")], status="registered")],
        left={
            "recommendation": "biopsy",
            "state": "done_pending",
            "closed_by": "DiagnosticReport/path1",
            "due": days_after(EXAM, 30),
        },
        mention=["left", "pending"],
        never=["overdue", "specialist"],
        suggestions_max=0,
    ),
    case(
        "u72",
        "A preliminary pathology report already carries a code",
        "5.3: registered, partial and preliminary are pending, whatever codes they carry.",
        [*SUSPICIOUS, pathology(SAMPLED, None, [DCIS], specimens=[site("left")], status="preliminary")],
        left={
            "recommendation": "biopsy",
            "state": "done_pending",
            "closed_by": "DiagnosticReport/path1",
            "due": days_after(EXAM, 30),
        },
        mention=["left", "pending"],
        never=["specialist"],
        suggestions_max=0,
    ),
    case(
        "u73",
        "High-risk lesion excised without cancer",
        "5.3: excised, and no cancer words left after negation: done, silent.",
        [
            *exam("2026-02-09", "left", "amorphous", "4A"),
            procedure("2026-02-20", STEREOTACTIC_BIOPSY, site("left")),
            pathology("2026-02-20", "Left breast, core: atypical ductal hyperplasia with calcifications.", [ADH]),
            procedure("2026-03-23", EXCISIONAL_BIOPSY, site("left"), name="b2"),
            pathology(
                "2026-03-23",
                "Left breast, excision: residual atypical ductal hyperplasia. No carcinoma identified.",
                [ADH],
                name="path2",
                specimens=[site("left")],
                taken_by="excision",
            ),
        ],
        left=NOT_TESTED,
        cards=0,
        never=["overdue", "biopsy is recommended"],
        suggestions_max=0,
    ),
    case(
        "u74",
        "High-risk lesion excised with cancer",
        "5.3: cancer in the excision makes it malignant, upgraded; the excision that found it is not its treatment.",
        [
            *exam("2026-04-20", "left", "amorphous", "4A"),
            procedure("2026-05-01", STEREOTACTIC_BIOPSY, site("left")),
            pathology("2026-05-01", "Left breast, core: atypical ductal hyperplasia with calcifications.", [ADH]),
            procedure("2026-06-08", EXCISIONAL_BIOPSY, site("left"), name="b2"),
            pathology(
                "2026-06-08",
                "Left breast, excision: invasive ductal carcinoma, 4 mm.",
                [INVASIVE],
                name="path2",
                specimens=[site("left")],
                taken_by="excision",
            ),
        ],
        left=result("specialist_management", "2026-06-08", 14),
        mention=["left", "malignant", "upgraded"],
        never=["biopsy is recommended", "overdue"],
        derived={"left": {"biopsy_result": "malignant"}},
    ),
    case(
        "u75",
        "Cancer at the core, then a lumpectomy",
        "5 and 6: breast surgery after the result is under care, silent.",
        [
            *exam("2026-03-30", "left", "fine pleomorphic", "4C"),
            pathology("2026-04-14", "Left breast, core: invasive ductal carcinoma.", [INVASIVE]),
            procedure("2026-05-11", LUMPECTOMY, site("left"), name="l1"),
        ],
        left={"recommendation": "specialist_management", "closed_by": "Procedure/l1"},
        cards=0,
        never=["overdue", "biopsy is recommended"],
        suggestions_max=0,
    ),
    case(
        "u76",
        "Cancer at the core, the surgeon is asked",
        "5: a live referral to a surgeon after the result counts for specialist_management.",
        [
            *SUSPICIOUS,
            pathology(SAMPLED, "Left breast, core: ductal carcinoma in situ.", [DCIS]),
            order("2026-06-08", SURGEON, "left"),
        ],
        left={
            "recommendation": "specialist_management",
            "state": "ordered",
            "closed_by": "ServiceRequest/o1",
            "due": days_after(SAMPLED, 14),
        },
        cards=None,
        never=["overdue", "biopsy is recommended"],
        suggestions_max=0,
    ),
    case(
        "u77",
        "Benign core after category 4C, nothing said of concordance",
        "5.3: benign and silence after 4C or 5 is discordant until argued.",
        [
            *exam(EXAM, "left", "fine linear", "4C", distribution="segmental"),
            pathology(SAMPLED, "Left breast, core: fibrocystic change, calcifications present.", [FIBROCYSTIC]),
        ],
        left=result("biopsy", SAMPLED, 30, indicator="warning"),
        mention=["left", "cordan"],
        never=["short-interval", "routine"],
        derived={"left": {"biopsy_result": "benign_discordant"}},
    ),
    case(
        "u78",
        "Benign core, stated to be discordant",
        "5.3: benign and discordant asks for tissue again.",
        [
            *MILD,
            pathology(
                SAMPLED,
                "Left breast, core: fibrocystic change with calcifications. Imaging-pathology correlation: discordant.",
                [FIBROCYSTIC],
            ),
        ],
        left=result("biopsy", SAMPLED, 30, indicator="warning"),
        mention=["left", "discordant"],
        never=["short-interval", "routine"],
        derived={"left": {"biopsy_result": "benign_discordant"}},
    ),
    case(
        "u79",
        "A papilloma, called benign and concordant",
        "5.3: DICOM calls a papilloma benign, T03 high-risk: high-risk wins.",
        [
            *MILD,
            pathology(
                SAMPLED,
                "Left breast, core: benign intraductal papilloma with calcifications. Concordant with imaging.",
                [PAPILLOMA],
            ),
        ],
        left=result("specialist_management", SAMPLED, 14),
        mention=["left", "high-risk"],
        never=["short-interval", "malignant"],
        derived={"left": {"biopsy_result": "high_risk"}},
    ),
    case(
        "u80",
        "Cancer words that are all denied",
        "0.6 and 5.3: negated cancer words are no cancer; benign and concordant is followed after 12 months.",
        [
            *MILD,
            pathology(
                SAMPLED,
                "Left breast, core: usual ductal hyperplasia with calcifications. No DCIS, no invasive carcinoma. "
                "Concordant with imaging.",
            ),
        ],
        left={
            "recommendation": "short_interval_follow_up",
            "state": "open",
            "closed_by": None,
            "due": "2027-06-05",
        },
        mention=["left", "concordant"],
        never=["specialist", "biopsy is recommended", "overdue"],
        derived={"left": {"biopsy_result": "benign_concordant"}},
    ),
    case(
        "u81",
        "Two specimens, one of them cancer",
        "5.3: of several specimens the worst counts.",
        [
            *SUSPICIOUS,
            pathology(
                SAMPLED,
                "A. Left breast, core: fibrocystic change with calcifications. "
                "B. Left breast, core: invasive ductal carcinoma.",
                [FIBROCYSTIC, INVASIVE],
                specimens=[site("left"), site("left")],
            ),
        ],
        left=result("specialist_management", SAMPLED, 14),
        mention=["left", "malignant"],
        never=["short-interval", "routine"],
        derived={"left": {"biopsy_result": "malignant"}},
    ),
    case(
        "u82",
        "Benign and concordant, the specimen in R5",
        "5.3: the side comes from the contained specimen, whose body site is a CodeableReference in R5.",
        [
            *BOTH_SUSPICIOUS,
            procedure("2026-06-08", STEREOTACTIC_BIOPSY, site("right"), r5=True),
            pathology(
                "2026-06-08",
                "Fibrocystic change with calcifications. Concordant with imaging.",
                [FIBROCYSTIC],
                specimens=[site("right")],
                r5=True,
            ),
        ],
        left={"recommendation": "biopsy", "state": "open", "closed_by": None, "due": days_after(DIAGNOSED, 30)},
        right={
            "recommendation": "short_interval_follow_up",
            "state": "open",
            "closed_by": None,
            "due": "2027-06-08",
        },
        cards=2,
        cards_max=2,
        mention=["left", "right", "concordant"],
        never=["overdue"],
        derived={"left": {"biopsy_result": None}, "right": {"biopsy_result": "benign_concordant"}},
        r5=True,
    ),
    case(
        "u83",
        "A new in-situ cancer on the problem list, no pathology report",
        "5: a new cancer or DCIS Condition of the side stands for a malignant result.",
        [*SUSPICIOUS, condition(coded(ICD10CM, "D05.12"), onsetDateTime=SAMPLED, recordedDate=SAMPLED)],
        left=result("specialist_management", SAMPLED, 14),
        mention=["left"],
        never=["biopsy is recommended", "overdue"],
    ),
    case(
        "u84",
        "Pathology without side, based on a sided order",
        "5.3: the side comes from the order that it is based on; it answers that breast alone.",
        [
            *BOTH_SUSPICIOUS,
            order("2026-06-03", STEREOTACTIC_BIOPSY, "left", status="completed"),
            pathology(
                "2026-06-08",
                "Core biopsy: ductal carcinoma in situ.",
                [DCIS],
                basedOn=[{"reference": "ServiceRequest/o1"}],
            ),
        ],
        left=result("specialist_management", "2026-06-08", 14),
        right={"recommendation": "biopsy", "state": "open", "closed_by": None, "due": days_after(DIAGNOSED, 30)},
        cards=2,
        cards_max=2,
        mention=["left", "malignant", "right", "biopsy"],
        derived={"left": {"biopsy_result": "malignant"}, "right": {"biopsy_result": None}},
    ),
)
