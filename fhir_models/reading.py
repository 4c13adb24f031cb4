"""What was read from the resources: exams, findings with their evidence, and everything that could not be used.

The JSON form of `Reading` is the contract of `main.py read`. Words are those of `rules.vocabulary`; a reading knows a
few more (`presence` historic and hypothetical, `change` stable and resolved, unspecified morphology classes), which
`fhir_models.cases` narrows before the rules see them.
"""

from __future__ import annotations

import msgspec

from fhir_models.days import Days
from rules.vocabulary import Category, Laterality


class Evidence(msgspec.Struct, frozen=True):
    """Where a statement was read: resource ("Observation/x"), element path, the words or codes as sent."""

    resource: str
    path: str
    text: str


AFTER_TODAY = "dated after today"
"""Why something is not used, wherever it stands."""


class TooMuchError(ValueError):
    """More findings, exams, events or results than any patient has: reading or judging them would take seconds."""


class Unread(msgspec.Struct, frozen=True):
    """A resource or element that could not be used. `why` never quotes patient data."""

    resource: str
    path: str
    why: str


class UnknownCode(msgspec.Struct, frozen=True):
    """A code near a calcification finding that no table knows, and how often it came."""

    system: str | None
    code: str
    display: str | None
    count: int


class ReadPatient(msgspec.Struct, frozen=True):
    id: str | None = None
    sex: str = "unknown"
    birth_date: str | None = None


class ExamCategory(msgspec.Struct, frozen=True):
    """Assessment categories of an exam. `basis` is "coded", "number" (BI-RADS 4A in text) or "words".

    `system` is "BI-RADS" or "RCR"; RCR categories are "1" to "5" and never converted. `conflict` is True where code
    and text disagreed and the higher was taken.
    """

    overall: str | None = None
    left: str | None = None
    right: str | None = None
    basis: str | None = None
    system: str = "BI-RADS"
    conflict: bool = False
    evidence: tuple[Evidence, ...] = ()


class ReadFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One calcification finding as read. `category` is a category given to this very finding."""

    presence: str = "present"
    laterality: Laterality = Laterality.UNKNOWN
    morphology: tuple[str, ...] = ()
    distribution: tuple[str, ...] = ()
    change: str = "not_stated"
    certainty: str = "definite"
    associated_features: tuple[str, ...] = ()
    symptoms: tuple[str, ...] = ()
    count: int | None = None
    particle_size_mm: float | None = None
    extent_mm: float | None = None
    bilateral_similar: bool = False
    site: str = "breast"
    quadrant: str | None = None
    clock: str | None = None
    depth: str | None = None
    distance_mm: float | None = None
    category: Category | None = None
    category_system: str = "BI-RADS"
    status: str = "final"
    source: str = "coded"
    notes: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()


class Exam(msgspec.Struct, frozen=True, kw_only=True):
    """One exam: a report with its findings, or standalone findings of one day.

    `status` is a `rules.vocabulary.ReportStatus` value, `study_context` a `StudyContext`, `modality` a `Modality`;
    `laterality` is the side the exam covers (unknown = not said, read as both). `days` is the date as a range of calendar
    days, None where the date is missing or none. `abstained` says why a report's content could not be read reliably.

    What tells versions of one exam: `issued` (an instant as written), `revision` (0 preliminary, 1 final, 2 a later
    version), `addendum` (it adds to another version instead of replacing it), `identifiers` (accession numbers),
    `based_on` (orders), `study` (its code). A collapsed exam names the versions that it replaces in `versions`, and in
    `amended` the day on which the last was issued.
    """

    id: str
    date: str | None
    days: Days | None
    status: str
    study_context: str
    workup_done: str
    modality: str
    laterality: str
    density: str | None
    category: ExamCategory
    recommendation_stated: tuple[str, ...]
    findings: tuple[ReadFinding, ...]
    abstained: str | None = None
    issued: str | None = None
    revision: int = 1
    addendum: bool = False
    identifiers: tuple[str, ...] = ()
    based_on: tuple[str, ...] = ()
    study: str | None = None
    versions: tuple[str, ...] = ()
    amended: str | None = None


class HistoryItem(msgspec.Struct, frozen=True):
    """A statement about the patient read from a Condition (kind = History value, symptom word or finding word)."""

    kind: str
    laterality: Laterality
    date: str | None
    evidence: tuple[Evidence, ...]


class FollowUp(msgspec.Struct, frozen=True):
    """What was ordered, booked, done, found in tissue or refused, as far as the chart tells.

    `kind` is order, appointment, procedure, request, condition or pathology; `what` its acts or the class of the tissue;
    `standing` how far it has come; `date` as written or as a range.
    """

    kind: str
    what: tuple[str, ...]
    standing: str
    laterality: Laterality
    date: str | None
    evidence: tuple[Evidence, ...]


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """Everything read from one input, exams newest first."""

    patient: ReadPatient
    exams: tuple[Exam, ...]
    history: tuple[HistoryItem, ...] = ()
    follow_ups: tuple[FollowUp, ...] = ()
    unread: tuple[Unread, ...] = ()
    unknown_codes: tuple[UnknownCode, ...] = ()
