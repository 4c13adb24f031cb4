"""How far a recommendation has come: what in the chart ordered, booked, did, refused or overtook it (chart logic 5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import msgspec

from fhir_models.cases import FindingCase
from fhir_models.chart.background.of_finding import breast_absent
from fhir_models.chart.governing import INCOMPLETE, covers, is_later
from fhir_models.chart.overlooked import Noted, counts, not_counted, not_of_this_breast
from fhir_models.chart.records import LIVE, Chart, Event, Standing
from fhir_models.chart.stated import exam_side
from fhir_models.chart.tissue import TissueState, fits_place, fits_side
from fhir_models.chart.versions import is_standing
from fhir_models.days import Days, certainly_before
from fhir_models.reading import Exam
from fhir_models.sides import ONE_BREAST, breasts_of
from rules.follow_up import Act, Closing, Limits, LoopFacts
from rules.vocabulary import Laterality, Modality, Recommendation, ReportStatus

_NOT_MEANT = (Standing.CONTRAINDICATED, Standing.NOT_INDICATED)
_IMAGING = frozenset({Act.SCREENING_MAMMOGRAPHY, Act.DIAGNOSTIC_MAMMOGRAPHY, Act.MAMMOGRAPHY})


class Loop(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of a recommendation, and the resources behind them.

    `due` is the range of days by which it should be done, None where no limit applies or the exam has no day; `overdue`
    are the days since the last possible one, 0 where it is not past. `later` is the exam that overtook this one without
    answering it; `absent` the resource that says the breast was removed.
    """

    facts: LoopFacts
    due: Days | None = None
    overdue: int = 0
    order: Event | None = None
    booking: Event | None = None
    done: Event | None = None
    refusal: Event | None = None
    care: str | None = None
    later: Exam | None = None
    absent: str | None = None
    noted: tuple[Noted, ...] = ()


def loop_of(
    case: FindingCase,
    recommendation: Recommendation,
    interval_months: str | None,
    chart: Chart,
    today: date,
    limits: Limits,
) -> Loop:
    """Return the loop of one recommendation for the breast of a case."""
    closing = limits.closing.get(recommendation)
    due = due_days(closing, case.t0, interval_months, case)
    after_tissue = case.tissue.result is not None and case.t0 == case.tissue.result.days
    fitting = _fitting(case, closing, chart)
    counted = [event for event in fitting if counts(event, case.t0, today)]
    done = _newest(event for event in counted if _does(event, closing, case, strictly=after_tissue))
    order = _newest(event for event in counted if _orders(event, closing, case, strictly=after_tissue))
    booking = _booking(fitting, closing, today)
    refusal = _refusal(counted, closing, order)
    care = _care(case, recommendation, counted, closing)
    later = _later(case, recommendation, chart.reading.exams)
    absent = _absent(case, chart)
    late = due is not None and due.last < today
    facts = LoopFacts(
        recommendation=recommendation,
        deceased=chart.background.deceased is not None,
        breast=absent[1] if absent else "present",
        report=_report(case),
        tissue=_tissue(case),
        care="under_care" if care else "none",
        done=_done(done, today, limits),
        later=later[1] if later else "none",
        order=_order(order),
        booking="none" if booking is None else "booked" if booking.standing == Standing.BOOKED else "requested",
        refusal=_refused(refusal, today, limits),
        late=late,
        old=_is_old(case.t0, today, limits),
        answered=case.course.asked is not None,
    )
    return Loop(
        facts=facts,
        due=due,
        overdue=(today - due.last).days if due is not None and late else 0,
        order=order,
        booking=booking,
        done=done,
        refusal=refusal,
        care=care,
        later=later[0] if later else None,
        absent=absent[0] if absent else None,
        noted=(
            *not_counted(fitting, case, closing, today, (order, booking, done, refusal)),
            *not_of_this_breast(case, closing, chart, today),
        ),
    )


def due_days(closing: Closing | None, t0: Days | None, interval_months: str | None, case: FindingCase) -> Days | None:
    """Return when a recommendation is due; after a benign biopsy a follow-up counts from the biopsy, or a later exam."""
    if closing is None or t0 is None:
        return None
    if closing.due_days is not None:
        return t0.plus_days(closing.due_days)
    months = max((int(part) for part in (interval_months or "").split("-") if part.isdigit()), default=None)
    if months is None:
        return None
    exam, tissue = case.exam.days, case.tissue.result
    sampled = tissue.days if tissue is not None and case.tissue.state == TissueState.BENIGN_CONCORDANT else None
    if sampled is None:
        return t0.plus_months(months)
    followed = certainly_before(sampled.plus_months(months // 2), exam)
    return (exam if followed and exam is not None else sampled).plus_months(months)


def _fitting(case: FindingCase, closing: Closing | None, chart: Chart) -> list[Event]:
    """Return the events of the right kind and side; screening mammograms too, as they are named where they do not count."""
    if closing is None:
        return []
    wanted = closing.ordered_by | closing.done_by
    if wanted & _IMAGING:
        wanted |= {Act.SCREENING_MAMMOGRAPHY}
    return [event for event in chart.events if event.acts & wanted and _fits(event, case)]


def _fits(event: Event, case: FindingCase) -> bool:
    """Chemotherapy has no side; everything else fits the breast, or is not counted. What names two sides answers none."""
    return Act.CHEMOTHERAPY in event.acts or (not event.conflict and fits_side(event.laterality, case.target))


def _is_at_place(event: Event, case: FindingCase, closing: Closing) -> bool:
    return not closing.by_place or fits_place(event.place, case.target) is True


def _does(event: Event, closing: Closing | None, case: FindingCase, *, strictly: bool) -> bool:
    if closing is None or event.kind != "procedure" or event.standing not in (Standing.DONE, Standing.UNDER_WAY):
        return False
    acts = event.acts & closing.done_by
    if not acts or not _is_at_place(event, case, closing):
        return False
    # A mammogram of the exam's own day is that exam, and a biopsy of the result's own day is the one that gave it.
    strictly = strictly or bool(acts & _IMAGING)
    return not strictly or certainly_before(case.t0, event.days)


def _orders(event: Event, closing: Closing | None, case: FindingCase, *, strictly: bool) -> bool:
    if closing is None or event.standing not in LIVE or event.kind not in ("order", "request"):
        return False
    acts = event.acts & closing.ordered_by
    if not acts or not _is_at_place(event, case, closing):
        return False
    if acts <= {Act.MAMMOGRAPHY} and event.laterality == Laterality.UNKNOWN:
        return False
    biopsy_again = strictly and bool(acts & {Act.BIOPSY, Act.EXCISION})
    return not biopsy_again or certainly_before(case.t0, event.days)


def _newest(events: Iterable[Event]) -> Event | None:
    ranked = sorted(
        events, key=lambda event: (_rank(event), event.days.first if event.days else date.min, event.resource)
    )
    return ranked[-1] if ranked else None


def _rank(event: Event) -> int:
    """A live order stands before one on hold, that before a draft."""
    return {Standing.LIVE: 3, Standing.DONE: 3, Standing.ON_HOLD: 2, Standing.UNDER_WAY: 2}.get(event.standing, 1)


def _booking(events: Sequence[Event], closing: Closing | None, today: date) -> Event | None:
    """Return the next appointment for what is recommended, else a request for one."""
    if closing is None:
        return None
    ahead = [
        event
        for event in events
        if event.kind == "appointment"
        and event.acts & closing.ordered_by
        and event.standing in (Standing.BOOKED, Standing.REQUESTED)
        and (event.days is None or event.days.last >= today)
        and (event.days is not None or event.standing == Standing.REQUESTED)
    ]
    ranked = sorted(ahead, key=lambda event: (event.standing != Standing.BOOKED, str(event.days), event.resource))
    return ranked[0] if ranked else None


def _refusal(events: Sequence[Event], closing: Closing | None, order: Event | None) -> Event | None:
    """Return the newest refusal, or statement that it is not meant, that no newer live order follows (chart logic 5.4)."""
    if closing is None:
        return None
    meant = closing.ordered_by | closing.done_by
    if Act.BIOPSY in meant:
        meant = frozenset({Act.BIOPSY, Act.EXCISION})  # who declines the operation has not declined the biopsy
    refused = _newest(
        event for event in events if event.standing in (Standing.REFUSED, *_NOT_MEANT) and event.acts & meant
    )
    if refused is None or refused.days is None:
        return None
    ordered = order.days if order is not None and order.standing == Standing.LIVE else None
    return None if certainly_before(refused.days, ordered) else refused


def _care(
    case: FindingCase, recommendation: Recommendation, events: Sequence[Event], closing: Closing | None
) -> str | None:
    """Return the resource of the treatment that follows a result, or of the one before surgery."""
    if recommendation != Recommendation.SPECIALIST_MANAGEMENT or closing is None:
        return None
    if case.tissue.state == TissueState.EXCISED and case.tissue.result:
        return case.tissue.result.resource
    treated = (
        event
        for event in events
        if event.kind == "procedure"
        and event.standing in (Standing.DONE, Standing.UNDER_WAY)
        and event.acts & (closing.done_by | {Act.SURGICAL_CONSULT})
        and not (event.acts <= {Act.EXCISION} and event.days == case.t0)
    )
    found = _newest(treated)
    return found.resource if found else case.background.neoadjuvant_by


def _later(case: FindingCase, recommendation: Recommendation, exams: Sequence[Exam]) -> tuple[Exam, str] | None:
    """Return the later exam that does not answer: a mammogram without final report, else an ultrasound alone."""
    awaited = (
        Recommendation.DIAGNOSTIC_MAMMOGRAM,
        Recommendation.SHORT_INTERVAL_FOLLOW_UP,
        Recommendation.OBTAIN_PRIOR_IMAGES,
    )
    if recommendation not in awaited:
        return None
    standing = [exam for exam in exams if is_standing(exam) and is_later(exam, case.exam.days)]
    for exam in standing:
        if exam.modality == Modality.MAMMOGRAPHY and exam.status == ReportStatus.PRELIMINARY and _covers(exam, case):
            return exam, "preliminary"
    if recommendation == Recommendation.DIAGNOSTIC_MAMMOGRAM and case.case.reported_category in (*INCOMPLETE, None):
        for exam in standing:
            issued = exam.status != ReportStatus.PRELIMINARY
            if exam.modality == Modality.US and issued and fits_side(exam_side(exam), case.target):
                return exam, "ultrasound"
    return None


def _covers(exam: Exam, case: FindingCase) -> bool:
    return case.laterality not in ONE_BREAST or covers(exam, case.laterality)


def _absent(case: FindingCase, chart: Chart) -> tuple[str, str] | None:
    """Return the proof that the breast was removed, and whether before or after the exam; a vague day asks (3.13)."""
    sides = breasts_of(case.laterality)
    proofs = [breast_absent(chart.background, chart.events, side) for side in sides]
    if not all(proofs):
        return None
    found = [proof for of_side in proofs for proof in of_side]
    exam = case.exam.days
    for resource, days in found:
        if exam is None or days is None or not days.is_from(exam):
            return resource, "removed_before"
    return found[0][0], "removed_after"


def _report(case: FindingCase) -> str:
    if case.case.report_status == ReportStatus.PRELIMINARY:
        return "preliminary"
    return "unreadable_newer" if case.older is not None else "readable"


def _tissue(case: FindingCase) -> str:
    state = case.tissue.state
    return TissueState.HIGH_RISK if state == TissueState.EXCISED else state


def _done(done: Event | None, today: date, limits: Limits) -> str:
    if done is None:
        return "none"
    if done.standing == Standing.UNDER_WAY:
        return "under_way"
    since = (today - done.days.last).days if done.days else 0
    return "done_long_ago" if since > limits.result_days else "done"


def _order(order: Event | None) -> str:
    if order is None:
        return "none"
    return {Standing.ON_HOLD: "on_hold", Standing.DRAFTED: "drafted"}.get(order.standing, "live")


def _refused(refusal: Event | None, today: date, limits: Limits) -> str:
    if refusal is None or refusal.days is None:
        return "none"
    if refusal.standing in _NOT_MEANT:
        return "not_indicated"
    months = limits.refusal_months
    asked_again = months is not None and refusal.days.plus_months(months).last < today
    return "declined_long_ago" if asked_again else "declined"


def _is_old(t0: Days | None, today: date, limits: Limits) -> bool:
    return t0 is not None and limits.old_months is not None and t0.plus_months(limits.old_months).last < today
