"""The words of follow-up: what can be done about a finding, how far it has come, and what a loop's state means.

A loop is a recommendation for one breast with everything that may close it. `fhir_models` finds the facts of a loop in the
chart; the table `tables/6_loop.toml` says what they mean; `tables/closing.toml` says what counts for which recommendation.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from rules.vocabulary import Indicator, Recommendation


class Act(StrEnum):
    """What an order, an appointment or a procedure is for."""

    SCREENING_MAMMOGRAPHY = "screening_mammography"
    DIAGNOSTIC_MAMMOGRAPHY = "diagnostic_mammography"
    MAMMOGRAPHY = "mammography"
    BREAST_ULTRASOUND = "breast_ultrasound"
    BREAST_MRI = "breast_mri"
    BIOPSY = "biopsy"
    EXCISION = "excision"
    LUMPECTOMY = "lumpectomy"
    MASTECTOMY = "mastectomy"
    OTHER_BREAST_SURGERY = "other_breast_surgery"
    IMPLANT_INSERTION = "implant_insertion"
    IMPLANT_REMOVAL = "implant_removal"
    CHEMOTHERAPY = "chemotherapy"
    RADIOTHERAPY = "radiotherapy"
    SURGICAL_CONSULT = "surgical_consult"
    COMPARE_PRIORS = "compare_priors"
    SHORT_INTERVAL_FOLLOW_UP = "short_interval_follow_up"
    ROUTINE_FOLLOW_UP = "routine_follow_up"
    OTHER = "other"


class LoopState(StrEnum):
    """How a recommendation stands (chart logic section 6). SUPERSEDED and RESULTED are those of earlier exams."""

    OPEN = "open"
    ORDERED = "ordered"
    BOOKED = "booked"
    DONE_PENDING = "done_pending"
    DECLINED = "declined"
    CLOSED = "closed"
    NOTHING_OPEN = "nothing_open"
    UNDER_CARE = "under_care"
    BREAST_ABSENT = "breast_absent"
    DECEASED = "deceased"
    NEWER_EXAM_UNREADABLE = "newer_exam_unreadable"
    AWAIT_FINAL = "await_final"
    SIDE_CONFLICT = "side_conflict"
    ULTRASOUND_ONLY = "ultrasound_only"
    SUPERSEDED = "superseded"
    RESULTED = "resulted"


class Closing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What counts for a recommendation: orders and bookings of these acts, acts that do it, days or months until it is due.

    `due_months` "=interval": those of the recommended interval (the longest of a range). `by_place`: where several findings
    of the breast are open, only an act at the finding's place counts.
    """

    ordered_by: frozenset[Act]
    done_by: frozenset[Act]
    due_days: int | None = None
    due_months: str | None = None
    by_place: bool = False
    because: str = ""
    citations: tuple[str, ...] = ()


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of chart logic section 9 under the site's policy, in days or months as their names say."""

    closing: Mapping[Recommendation, Closing]
    grace_days: int
    result_days: int
    refusal_months: int | None
    old_months: int | None
    screening_closes_suspicion: bool
    ultrasound_closes_incomplete: bool
    unstated_concordance: str
    pregnancy_days: int
    lactation_days: int
    symptom_days: int
    anticoagulant_note: bool


class LoopFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the chart says of one recommendation; the domain of the state table. The first value of each is the default.

    `recommendation` is the decision's. `breast`: present, removed_before (the exam describes a breast that the chart says
    was removed before it), removed_after. `report`: readable, preliminary, unreadable_newer (an older exam was readable).
    `tissue`: none, pending, malignant, high_risk, discordant, insufficient, benign_concordant, benign_unstated,
    unclassified, of this finding, on or after its exam. `care`: none, under_care (treatment after the result, or before
    surgery). `done`: none, under_way, done, done_long_ago (no result within the limit), of an act that does what is
    recommended, never of the one that the tissue result is of; where that result is pending, of the sampling. `later`:
    none, preliminary (a later mammogram awaits its final report), ultrasound (the only later exam; where the limits let it
    close, only of category 1 to 3 after a category 0). `order`: none, live, on_hold, drafted. `booking`: none, booked,
    requested. `refusal`: none, declined, declined_long_ago, not_indicated (or contraindicated). `late`: even the last
    possible due day is past. `old`: older than the limit. `answered`: an earlier exam of this breast asked for something
    that this one answers.
    """

    recommendation: Recommendation
    deceased: bool = False
    breast: str = "present"
    report: str = "readable"
    tissue: str = "none"
    care: str = "none"
    done: str = "none"
    later: str = "none"
    order: str = "none"
    booking: str = "none"
    refusal: str = "none"
    late: bool = False
    old: bool = False
    answered: bool = False


class LoopAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the state table says: the state, what is recommended now, and what the card may do.

    `shown`: a card is due. `draft`: a draft order may be offered, where the side is certain and orders were received.
    `claims_due`: days overdue may be claimed; the due day may be named either way. `rule` is the row, `because` its reason.
    """

    rule: str
    state: LoopState
    recommendation: Recommendation
    indicator: Indicator
    shown: bool
    draft: bool
    claims_due: bool
    because: str
