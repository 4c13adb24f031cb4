"""What the chart holds beside the exams: events, results of tissue, and the patient's background, each with its evidence."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from fhir_models.days import Days
from fhir_models.reading import Evidence, Reading
from fhir_models.sides import NOWHERE, Place
from rules.follow_up import Act
from rules.vocabulary import History, Laterality


class Standing(StrEnum):
    """How far an event has come.

    Orders: LIVE, ON_HOLD, DRAFTED (not signed), PROPOSED (intent proposal, plan, option), CANCELLED. Appointments: BOOKED,
    REQUESTED (waitlist, proposed), MISSED, CANCELLED, KEPT. Procedures: DONE, UNDER_WAY, PLANNED, STOPPED. Any of them:
    REFUSED (by the patient, of this very act), CONTRAINDICATED, NOT_INDICATED, NOT_DONE (another reason or none, such as
    lost to follow-up). Tasks: REQUESTED, DONE, CANCELLED. Entered in error is no event at all.
    """

    LIVE = "live"
    ON_HOLD = "on_hold"
    DRAFTED = "drafted"
    PROPOSED = "proposed"
    CANCELLED = "cancelled"
    BOOKED = "booked"
    REQUESTED = "requested"
    MISSED = "missed"
    KEPT = "kept"
    DONE = "done"
    UNDER_WAY = "under_way"
    PLANNED = "planned"
    STOPPED = "stopped"
    REFUSED = "refused"
    CONTRAINDICATED = "contraindicated"
    NOT_INDICATED = "not_indicated"
    NOT_DONE = "not_done"


LIVE = (Standing.LIVE, Standing.ON_HOLD, Standing.DRAFTED)
"""How an order stands that is not over yet; not all of them count alike."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """An order, appointment, procedure, request or refusal that concerns the breasts.

    `kind` is order, appointment, procedure, request (Task, Communication) or condition. `acts` are all that its codes and
    words name. `days` is authoredOn of an order, start of an appointment, performed of a procedure (start of a period),
    `end` the end of that period, `planned` the occurrence of an order. `laterality` UNKNOWN: no side is stated. `text` is
    what it calls itself, as sent or, for a code without words, the act. `reason` is why it was not done, in Fleck's words.
    `based_on` are the references of the resources that it carries out or replaces. `conflict`: it names more than one side,
    and answers for none.
    """

    resource: str
    path: str
    kind: str
    acts: frozenset[Act]
    standing: Standing
    laterality: Laterality = Laterality.UNKNOWN
    place: Place = NOWHERE
    days: Days | None = None
    end: Days | None = None
    planned: Days | None = None
    text: str = ""
    reason: str | None = None
    based_on: tuple[str, ...] = ()
    conflict: bool = False


class TissueClass(StrEnum):
    """What tissue showed, by weight: the first of several governs (chart logic 0.6 and 5.3).

    PENDING: the report is registered, partial or preliminary, whatever codes it carries. UNCLASSIFIED: a final report of
    which neither code nor words were understood.
    """

    MALIGNANT = "malignant"
    DISCORDANT = "discordant"
    HIGH_RISK = "high_risk"
    INSUFFICIENT = "insufficient"
    UNCLASSIFIED = "unclassified"
    BENIGN = "benign"
    PENDING = "pending"


class Concordance(StrEnum):
    """What somebody wrote of imaging-pathology concordance; never inferred."""

    CONCORDANT = "concordant"
    DISCORDANT = "discordant"
    NOT_STATED = "not_stated"


class TissueResult(msgspec.Struct, frozen=True, kw_only=True):
    """A pathology report on the breast, or a new cancer of the problem list that stands for one.

    `days` is the collection, else the issue; None where neither is stated, and then it closes nothing. `laterality`
    UNKNOWN: no side anywhere. `excision`: the specimen is that of a surgical excision. `aside`: it is of something else
    than what a mammogram shows (cyst fluid, a capsule, skin, a node), and answers for no finding. `no_cancer`: it says
    that there is no cancer, or names only benign tissue. `quoted` is the sentence or code that gave the class.
    """

    resource: str
    path: str
    tissue: TissueClass
    concordance: Concordance = Concordance.NOT_STATED
    laterality: Laterality = Laterality.UNKNOWN
    place: Place = NOWHERE
    days: Days | None = None
    excision: bool = False
    aside: bool = False
    no_cancer: bool = False
    quoted: str = ""
    evidence: tuple[Evidence, ...] = ()

    @property
    def is_condition(self) -> bool:
        """Whether it is a cancer of the problem list, and no pathology report."""
        return self.resource.startswith("Condition/")


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """A statement about the patient that is neither an exam nor an event, with the days for which it was stated.

    `kind` is the column `normal` of `codes/context_concepts.csv` (kinds condition and observation); `active` whether it
    still holds by its clinical status; `days` the onset, else the recording; `recorded` the recording.
    """

    kind: str
    laterality: Laterality = Laterality.UNKNOWN
    place: Place = NOWHERE
    days: Days | None = None
    recorded: Days | None = None
    ended: bool = False
    active: bool = True
    evidence: Evidence


class Background(msgspec.Struct, frozen=True, kw_only=True):
    """The patient as far as the chart tells.

    `sex` is female, male, other or unknown; `age` in years on the day of asking, None without a birth date; `deceased` is
    the resource that says so ("Patient/p1"); `facts` stand in a fixed order, whatever order they arrived in.
    """

    sex: str = "unknown"
    sex_evidence: Evidence | None = None
    age: int | None = None
    deceased: str | None = None
    facts: tuple[Fact, ...] = ()


class CaseBackground(msgspec.Struct, frozen=True, kw_only=True):
    """What the background means for one finding: the fields of a case, and notes for the card.

    `neoadjuvant_by` is the resource of the treatment. `notes` say what was seen and not used ("earlier lumpectomy in this
    breast, place not stated"), in the words of a card; `evidence` is for what was used.
    """

    history: tuple[History, ...] = ()
    symptoms: tuple[str, ...] = ()
    years_since_rt: float | None = None
    neoadjuvant: bool = False
    neoadjuvant_by: str | None = None
    pregnant: bool = False
    lactating: bool = False
    node_benign_cause: bool = False
    notes: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was read of one patient: exams (in `reading`, each once), events, tissue and background.

    `tissue` holds pathology reports and new cancers of the problem list alike.
    """

    reading: Reading
    events: tuple[Event, ...] = ()
    tissue: tuple[TissueResult, ...] = ()
    background: Background = Background()
