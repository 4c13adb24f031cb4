"""The words of the domain: BI-RADS lexicon terms, the case that is judged, the decision that is given.

Field names and allowed values are those a radiologist reads in `docs/case_fields.md`; the first value named there
is the default, and a missing field always takes it.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class ReportStatus(StrEnum):
    """Status of the report or Observation, as FHIR statuses collapse for the table."""

    FINAL = "final"
    AMENDED = "amended"
    PRELIMINARY = "preliminary"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered-in-error"


class Modality(StrEnum):
    """Modality of the exam; tomosynthesis (DBT) counts as mammography."""

    MAMMOGRAPHY = "mammography"
    CT = "ct"
    US = "us"
    MRI = "mri"
    OTHER = "other"


class ScoringSystem(StrEnum):
    """Scoring system of the reported category. RCR covers UK M1-M5 and the Australian 1-5."""

    BI_RADS = "BI-RADS"
    RCR = "RCR"


class StudyContext(StrEnum):
    UNKNOWN = "unknown"
    SCREENING = "screening"
    DIAGNOSTIC = "diagnostic"


class WorkupDone(StrEnum):
    """Whether magnification CC and 90-degree lateral views were obtained for this finding."""

    UNKNOWN = "unknown"
    YES = "yes"
    NO = "no"


class Presence(StrEnum):
    """CONFLICT: one resource says present and another absent for the same side."""

    PRESENT = "present"
    ABSENT = "absent"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"


class Laterality(StrEnum):
    UNKNOWN = "unknown"
    LEFT = "left"
    RIGHT = "right"
    BILATERAL = "bilateral"


class Morphology(StrEnum):
    """BI-RADS morphology of calcifications (5th edition words; v2025 names are mapped on reading)."""

    SKIN = "skin"
    VASCULAR = "vascular"
    COARSE_POPCORN = "coarse_popcorn"
    LARGE_RODLIKE = "large_rodlike"
    ROUND = "round"
    PUNCTATE = "punctate"
    RIM = "rim"
    LUCENT_CENTERED = "lucent_centered"
    DYSTROPHIC = "dystrophic"
    MILK_OF_CALCIUM = "milk_of_calcium"
    SUTURE = "suture"
    AMORPHOUS = "amorphous"
    COARSE_HETEROGENEOUS = "coarse_heterogeneous"
    FINE_PLEOMORPHIC = "fine_pleomorphic"
    FINE_LINEAR_BRANCHING = "fine_linear_branching"


class Certainty(StrEnum):
    """Certainty of a typically benign diagnosis ("probably dermal" is PROBABLE)."""

    DEFINITE = "definite"
    PROBABLE = "probable"


class Distribution(StrEnum):
    DIFFUSE = "diffuse"
    REGIONAL = "regional"
    GROUPED = "grouped"
    LINEAR = "linear"
    SEGMENTAL = "segmental"


class Change(StrEnum):
    """Change against prior exams."""

    NOT_STATED = "not_stated"
    NEW = "new"
    INCREASING = "increasing"
    CHANGED = "changed"
    STABLE_LT2Y = "stable_lt2y"
    STABLE_GE2Y = "stable_ge2y"
    DECREASING = "decreasing"


class Priors(StrEnum):
    """Whether prior exams exist (not whether they were compared)."""

    UNKNOWN = "unknown"
    NONE = "none"
    AVAILABLE = "available"


class AssociatedFeature(StrEnum):
    MASS = "mass"
    MASS_BENIGN = "mass_benign"
    ARCHITECTURAL_DISTORTION = "architectural_distortion"
    POSTSURGICAL_DISTORTION = "postsurgical_distortion"
    ASYMMETRY = "asymmetry"
    DEVELOPING_ASYMMETRY = "developing_asymmetry"
    SKIN_THICKENING = "skin_thickening"
    SKIN_RETRACTION = "skin_retraction"
    NIPPLE_RETRACTION = "nipple_retraction"
    AXILLARY_ADENOPATHY = "axillary_adenopathy"
    TRABECULAR_THICKENING = "trabecular_thickening"


class Site(StrEnum):
    BREAST = "breast"
    AXILLARY_NODE = "axillary_node"


class History(StrEnum):
    ADJACENT_KNOWN_CANCER = "adjacent_known_cancer"
    LUMPECTOMY_SITE = "lumpectomy_site"
    BRCA = "brca"
    CHEST_RT = "chest_rt"
    PERSONAL_CANCER = "personal_cancer"
    IMPLANT = "implant"
    SURGERY_OR_TRAUMA = "surgery_or_trauma"


class BiopsyResult(StrEnum):
    """Result of a biopsy of this very finding."""

    MALIGNANT = "malignant"
    HIGH_RISK = "high_risk"
    BENIGN_CONCORDANT = "benign_concordant"
    BENIGN_DISCORDANT = "benign_discordant"
    INSUFFICIENT = "insufficient"


class Sex(StrEnum):
    FEMALE = "female"
    MALE = "male"
    OTHER = "other"
    UNKNOWN = "unknown"


class Category(StrEnum):
    """Assessment category as the radiologist stated it. NEED_PRIORS is "0P" (incomplete, need prior images)."""

    INCOMPLETE = "0"
    NEED_PRIORS = "0P"
    NEGATIVE = "1"
    BENIGN = "2"
    PROBABLY_BENIGN = "3"
    SUSPICIOUS = "4"
    LOW_SUSPICION = "4A"
    MODERATE_SUSPICION = "4B"
    HIGH_SUSPICION = "4C"
    HIGHLY_SUGGESTIVE = "5"
    KNOWN_MALIGNANCY = "6"


RCR_CATEGORIES = ("1", "2", "3", "4", "5")
"""The scores of system RCR."""


class Management(StrEnum):
    """The report's own written recommendation."""

    ROUTINE = "routine"
    SHORT_INTERVAL = "short_interval"
    DIAGNOSTIC = "diagnostic"
    BIOPSY = "biopsy"


class Recommendation(StrEnum):
    """What the decision asks for, in ascending urgency (rank = position; evidence P3)."""

    NO_CARD = "no_card"
    ROUTINE_SCREENING = "routine_screening"
    NO_FOLLOW_UP = "no_follow_up"
    SHORT_INTERVAL_FOLLOW_UP = "short_interval_follow_up"
    OBTAIN_PRIOR_IMAGES = "obtain_prior_images"
    CLINICIAN_REVIEW = "clinician_review"
    DIAGNOSTIC_MAMMOGRAM = "diagnostic_mammogram"
    SPECIALIST_MANAGEMENT = "specialist_management"
    BIOPSY = "biopsy"


URGENCY: dict[Recommendation, int] = {recommendation: rank for rank, recommendation in enumerate(Recommendation)}
"""Urgency rank of each recommendation, 0 (no_card) to 8 (biopsy); evidence section 6, P3."""


class Indicator(StrEnum):
    """CDS Hooks card urgency; NONE where no card is given."""

    NONE = "none"
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Discordance(StrEnum):
    NONE = "none"
    DESCRIPTOR_HIGHER_MAJOR = "descriptor_higher_major"
    DESCRIPTOR_HIGHER_MINOR = "descriptor_higher_minor"
    REPORTED_HIGHER = "reported_higher"
    CATEGORY_NOT_VALID_IN_CONTEXT = "category_not_valid_in_context"
    SUBCATEGORY_LOWER_THAN_DESCRIPTORS = "subcategory_lower_than_descriptors"
    IMAGING_PATHOLOGY_DISCORDANT = "imaging_pathology_discordant"
    CATEGORY_MANAGEMENT_MISMATCH = "category_management_mismatch"


class Flag(StrEnum):
    MIXED_MORPHOLOGY = "mixed_morphology_most_suspicious_governs"
    MAGNIFICATION_FIRST = "magnification_views_first_for_extent"
    PREGNANCY_OR_LACTATION = "pregnancy_or_lactation_does_not_defer"
    CATEGORY_BELONGS_ELSEWHERE = "category_belongs_to_another_finding"
    CATEGORY_MAY_BELONG_ELSEWHERE = "category_may_belong_to_another_finding"
    HIGH_RISK_BIOPSY_OPTION = "high_risk_biopsy_is_a_reasonable_option"
    WORKUP_NOT_VERIFIED = "workup_not_verified"


class SizeClass(StrEnum):
    """Size class by morphology and stated particle size (0.5 mm); shown, never a rule's input."""

    MACROCALCIFICATION = "macrocalcification"
    MICROCALCIFICATION = "microcalcification"
    MIXED = "mixed"
    NOT_DETERMINED = "not_determined"


class MorphologyClass(StrEnum):
    """Form in a word; "round_or_punctate" depends on the distribution."""

    TYPICALLY_BENIGN = "typically_benign"
    ROUND_OR_PUNCTATE = "round_or_punctate"
    SUSPICIOUS = "suspicious"
    NOT_STATED = "not_stated"


class DistributionClass(StrEnum):
    """Place in a word: scattered (diffuse, regional), grouped, in a line or lobe (linear, segmental)."""

    SCATTERED = "scattered"
    GROUPED = "grouped"
    IN_A_LINE_OR_LOBE = "in_a_line_or_lobe"
    NOT_STATED = "not_stated"


SURVEILLANCE_MONTHS = (0, 6, 12, 24, 36)
"""Visits of a category-3 protocol; 36 is optional (policy switch S4)."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One calcification finding in one breast, with what surrounds it."""

    case_id: str | None = None
    report_id: str | None = None
    report_status: ReportStatus = ReportStatus.FINAL
    modality: Modality = Modality.MAMMOGRAPHY
    system: ScoringSystem = ScoringSystem.BI_RADS
    study_context: StudyContext = StudyContext.UNKNOWN
    workup_done: WorkupDone = WorkupDone.UNKNOWN
    presence: Presence = Presence.PRESENT
    laterality: Laterality = Laterality.UNKNOWN
    morphology: tuple[Morphology, ...] = ()
    certainty: Certainty = Certainty.DEFINITE
    distribution: tuple[Distribution, ...] = ()
    bilateral_similar: bool = False
    count: int | None = None
    extent_mm: float | None = None
    particle_size_mm: float | None = None
    change: Change = Change.NOT_STATED
    priors: Priors = Priors.UNKNOWN
    associated_features: tuple[AssociatedFeature, ...] = ()
    symptoms: tuple[str, ...] = ()
    site: Site = Site.BREAST
    node_benign_cause: bool = False
    history: tuple[History, ...] = ()
    years_since_rt: float | None = None
    biopsy_result: BiopsyResult | None = None
    months_since_biopsy: float | None = None
    neoadjuvant: bool = False
    separate_from_known_cancer: bool = False
    sex: Sex = Sex.FEMALE
    age: int | None = None
    pregnant: bool = False
    lactating: bool = False
    surveillance_month: int = 0
    overdue: bool = False
    reported_category: Category | None = None
    reported_management: Management | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What the table answers for one case; the JSON form is the contract of `decide`."""

    case_id: str | None = None
    recommendation: Recommendation
    interval_months: str | None
    estimated_category: str
    category_if_confirmed: str
    indicator: Indicator
    discordance: Discordance
    size_class: SizeClass
    morphology_class: MorphologyClass
    distribution_class: DistributionClass
    flags: tuple[Flag, ...]
    rules: tuple[str, ...]
    timeframe: str | None
    rationale: str
    expected_ppv: str | None
    citations: tuple[str, ...]
    evidence: str
    table_version: str
    policy: tuple[str, ...] = ()
    report_recommendation: Recommendation | None = None
