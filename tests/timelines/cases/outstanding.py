"""What outlives a later exam: tissue without its answer, suspicion beside known cancer, acts on the other breast."""

from __future__ import annotations

from tests.timelines.case import NOT_TESTED, case
from tests.timelines.cases.tissue import ADH, DCIS, EXAM, FIBROCYSTIC, OPEN, SAMPLED, SUSPICIOUS, result
from tests.timelines.resources import (
    LUMPECTOMY,
    STEREOTACTIC_BIOPSY,
    calcification,
    exam,
    order,
    pathology,
    procedure,
    report,
    site,
)

CLEAR = report("r2", "2026-06-12", ("diagnostic", "left"), "Left breast: no suspicious findings. BI-RADS 2.", "2")
BIOPSY = procedure(SAMPLED, STEREOTACTIC_BIOPSY, site("left"))

CASES = (
    case(
        "u105",
        "Cancer at the core, then a diagnostic exam of category 2",
        "3.8 and 5: imaging never answers malignant tissue; only surgery or the specialists do.",
        [*SUSPICIOUS, pathology(SAMPLED, "Left breast, core: ductal carcinoma in situ.", [DCIS]), CLEAR],
        left=result("specialist_management", SAMPLED, 14),
        mention=["left", "malignant", SAMPLED],
        never=["routine"],
    ),
    case(
        "u106",
        "A high-risk core, then a diagnostic exam of category 2",
        "3.8 and 5: nor does imaging answer a high-risk result.",
        [*SUSPICIOUS, pathology(SAMPLED, "Left breast, core: atypical ductal hyperplasia.", [ADH]), CLEAR],
        left=result("specialist_management", SAMPLED, 14),
        mention=["left", "high-risk", SAMPLED],
        never=["routine", "malignant"],
    ),
    case(
        "u107",
        "A biopsy without result, then a diagnostic exam of category 2",
        "5: tissue was taken and its result is owed, whatever an exam says meanwhile.",
        [*SUSPICIOUS, BIOPSY, CLEAR],
        left={"recommendation": "biopsy", "state": "done_pending", "closed_by": "Procedure/b1"},
        mention=["left", "result", SAMPLED],
        never=["routine"],
    ),
    case(
        "u108",
        "The films after the clip are coded category 2",
        "3 and 5: films of the biopsy's day show where the clip is; they are no newer opinion of the finding.",
        [
            *SUSPICIOUS,
            BIOPSY,
            report("r2", SAMPLED, ("diagnostic", "left"), "Left post-procedure mammogram: clip in place.", "2"),
        ],
        left={"recommendation": "biopsy", "state": "done_pending", "closed_by": "Procedure/b1"},
        mention=["left", "result"],
        never=["downgraded", "routine"],
    ),
    case(
        "u109",
        "A new category 5 years after a benign core",
        "0.3 and 4: the old tissue answered the old finding; the new recommendation runs from the new exam.",
        [
            *exam("2023-05-02", "left", "amorphous", "4A", name="r0"),
            pathology("2023-05-14", "Left breast, core: fibrocystic change. Concordant.", [FIBROCYSTIC], name="path0"),
            *exam(EXAM, "left", "fine linear", "5", distribution="segmental"),
        ],
        left={**OPEN, "indicator": "critical"},
        mention=["left", "biopsy", "BI-RADS 5"],
        never=["never closed", "2023-06"],
    ),
    case(
        "u110",
        "A new category 4B beside a cancer under treatment",
        "2 and 5: known cancer is category 6; a 4B after it is another finding, and is biopsied.",
        [
            pathology("2026-02-10", "Left breast, core: ductal carcinoma in situ.", [DCIS], name="path0"),
            *SUSPICIOUS,
        ],
        left=OPEN,
        mention=["left", "biopsy", "2026-02-10"],
        never=["routine"],
    ),
    case(
        "u111",
        "The lumpectomy is ordered",
        "5: surgery is what a cancer asks of the specialists; its order is named as such.",
        [
            *SUSPICIOUS,
            pathology(SAMPLED, "Left breast, core: ductal carcinoma in situ.", [DCIS]),
            order("2026-06-10", LUMPECTOMY, "left"),
        ],
        left={"recommendation": "specialist_management", "state": "ordered", "closed_by": "ServiceRequest/o1"},
        mention=["left", "2026-06-10"],
        never=["does not answer"],
    ),
    case(
        "u112",
        "The biopsy that is ordered is of the other breast",
        "0.2: an act on the other breast closes nothing, and is named: a side may be wrong.",
        [*SUSPICIOUS, order("2026-05-20", STEREOTACTIC_BIOPSY, "right")],
        left=OPEN,
        right=NOT_TESTED,
        mention=["left", "ServiceRequest/o1", "other breast"],
    ),
    case(
        "u113",
        "The tissue was of a mass",
        "5: tissue that names another target, and no calcium, does not answer the calcifications.",
        [*SUSPICIOUS, pathology(SAMPLED, "Left breast mass, ultrasound-guided core: fibroadenoma. Concordant.")],
        left=OPEN,
        mention=["left", "biopsy", "path1"],
        never=["follow-up mammogram"],
    ),
    case(
        "u114",
        "An MRI of both breasts names the other one",
        "3.6: a category raises the finding of the breast that it is said of, and no other.",
        [
            *exam(EXAM, "left", "milk of calcium", "2", in_words=False),
            report("m1", EXAM, ("mri", "both"), "Right breast: BI-RADS 4. Left breast: BI-RADS 2."),
        ],
        left={"recommendation": "no_follow_up"},
        right={"recommendation": "clinician_review"},
        cards=2,
        cards_max=2,
        suggestions_max=0,
        mention=["right", "BI-RADS 4"],
        never=["consider image-guided biopsy"],
    ),
    case(
        "u115",
        "One category for the exam, a suspicious finding in one breast and a benign form in the other",
        "0.3 and 6: no advice goes below the category, but nothing is drafted for a breast that it may not be meant for.",
        [
            report("r1", EXAM, ("diagnostic", "both"), None, "4B", results=["r1l", "r1r"]),
            calcification("r1l", EXAM, site("left"), "fine pleomorphic"),
            calcification("r1r", EXAM, site("right"), "milk of calcium"),
        ],
        left=OPEN,
        right={"recommendation": "biopsy"},
        cards=2,
        cards_max=2,
        suggestions_max=1,
        mention=["may belong to another finding"],
    ),
)
