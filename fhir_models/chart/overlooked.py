"""Events that look like the answer to a recommendation and are none, and why (chart logic 5 and 6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum

import msgspec

from fhir_models.cases import FindingCase
from fhir_models.chart.records import LIVE, Chart, Event, Standing
from fhir_models.chart.tissue import fits_place
from fhir_models.days import Days, certainly_from
from fhir_models.sides import ONE_BREAST
from rules.follow_up import Act, Closing
from rules.vocabulary import Laterality

NAMED_FOR_MONTHS = 12
"""Events that do not count are named on the card if they are at most this much older than the exam."""


class Why(StrEnum):
    """Why an event that looks like an answer is none; the words stand with the card text."""

    BEFORE = "before"
    VAGUE_DATE = "vague_date"
    UNDATED = "undated"
    CANCELLED = "cancelled"
    PROPOSED = "proposed"
    DRAFTED = "drafted"
    ON_HOLD = "on_hold"
    REQUESTED = "requested"
    MISSED = "missed"
    PAST = "past"
    NOT_DONE = "not_done"
    UNPLACED = "unplaced"
    SCREENING = "screening"
    SIDE_UNSTATED = "side_unstated"
    REFUSED_BEFORE = "refused_before"
    SIDE_CONFLICT = "side_conflict"
    OTHER_BREAST = "other_breast"


class Noted(msgspec.Struct, frozen=True):
    """An event that does not count, and why."""

    event: Event
    why: Why


def counts(event: Event, t0: Days | None, today: date) -> bool:
    """Whether an event certainly lies on or after the day from which the recommendation runs, and not in the future."""
    return certainly_from(event.days.up_to(today) if event.days else None, t0)


def not_counted(
    events: Iterable[Event], case: FindingCase, closing: Closing | None, today: date, used: Sequence[Event | None]
) -> Iterable[Noted]:
    """Yield the events that look like an answer and are none."""
    if closing is None:
        return
    for event in events:
        if not any(event is other for other in used):
            why = _why(event, case, closing, today)
            if why is not None:
                yield Noted(event, why)
    named = {Standing.ON_HOLD: Why.ON_HOLD, Standing.DRAFTED: Why.DRAFTED, Standing.REQUESTED: Why.REQUESTED}
    yield from (Noted(event, named[event.standing]) for event in used if event is not None and event.standing in named)


def not_of_this_breast(case: FindingCase, closing: Closing | None, chart: Chart, today: date) -> Iterable[Noted]:
    """Yield what would answer, were it not for the other breast, for two sides, or for none while both are in question."""
    if closing is None or case.t0 is None:
        return
    for event in chart.events:
        known = event.standing in (*LIVE, Standing.BOOKED, Standing.DONE) and event.acts & closing.ordered_by
        booked = event.kind == "appointment" and certainly_from(event.days, case.t0)
        if not known or not (booked or counts(event, case.t0, today)):
            continue
        if event.conflict:
            yield Noted(event, Why.SIDE_CONFLICT)
        elif event.laterality == Laterality.UNKNOWN and not case.target.alone:
            yield Noted(event, Why.SIDE_UNSTATED)
        elif case.target.alone and {event.laterality, case.laterality} == set(ONE_BREAST):
            yield Noted(event, Why.OTHER_BREAST)


def _why(event: Event, case: FindingCase, closing: Closing, today: date) -> Why | None:
    wanted = event.acts & (closing.ordered_by | closing.done_by)
    t0 = case.t0
    if event.days is None:
        return Why.UNDATED if wanted and event.kind in ("order", "procedure") else None
    if t0 is None:
        return None
    if event.days.is_before(t0):
        recent = event.days.plus_months(NAMED_FOR_MONTHS).is_from(t0)
        asked = event.kind == "order" and event.standing == Standing.LIVE and event.acts & closing.ordered_by
        return Why.BEFORE if recent and asked and case.tissue.result is None else None
    if not event.days.is_from(t0):
        return Why.VAGUE_DATE if wanted else None
    if not event.acts & closing.ordered_by:
        screening = Act.SCREENING_MAMMOGRAPHY in event.acts and event.kind == "order"
        return Why.SCREENING if screening and event.standing == Standing.LIVE else None
    if event.kind == "appointment":
        past = event.standing in (Standing.BOOKED, Standing.KEPT) and event.days.last < today
        return Why.PAST if past else _STANDINGS.get(event.standing)
    if closing.by_place and fits_place(event.place, case.target) is None:
        return Why.UNPLACED
    if event.standing in LIVE and event.acts <= {Act.MAMMOGRAPHY} and event.laterality == Laterality.UNKNOWN:
        return Why.SIDE_UNSTATED
    return _STANDINGS.get(event.standing)


_STANDINGS = {
    Standing.CANCELLED: Why.CANCELLED,
    Standing.PROPOSED: Why.PROPOSED,
    Standing.REQUESTED: Why.REQUESTED,
    Standing.MISSED: Why.MISSED,
    Standing.NOT_DONE: Why.NOT_DONE,
    Standing.STOPPED: Why.NOT_DONE,
    Standing.DRAFTED: Why.DRAFTED,
    Standing.REFUSED: Why.REFUSED_BEFORE,
}
