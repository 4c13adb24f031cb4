"""How far a recommendation has come, in words: the summary's beginning and reason, and the paragraph "Where it stands"."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from cds_service.cards.answers import Decided
from cds_service.cards.markdown import quoted
from cds_service.cards.text import TEXT, act_of
from fhir_models.chart.overlooked import Noted
from fhir_models.chart.records import Event
from fhir_models.chart.tissue import TissueState
from fhir_models.days import Days
from fhir_models.reading import Exam
from rules.follow_up import Act, LoopState
from rules.vocabulary import Recommendation

MAX_NOTED = 4
_SAMPLING = frozenset({Act.BIOPSY, Act.EXCISION})
_ORDERED = (LoopState.ORDERED, LoopState.BOOKED, LoopState.DONE_PENDING, LoopState.DECLINED)


def state_summary(item: Decided) -> str:
    """Return what the summary says after the side: the act, or what has become of it."""
    words, loop = TEXT["state_summary"], item.loop
    name = _name(item, loop.order or loop.booking or loop.done or loop.refusal)
    match item.now.state:
        case LoopState.ORDERED if loop.order and item.overdue:
            return words["ordered_late"].format(act=name, date=_date(loop.order.days), days=_days(item.overdue))
        case LoopState.ORDERED if loop.order:
            return words["ordered"].format(act=name, date=_date(loop.order.days))
        case LoopState.BOOKED if loop.booking:
            return f"{words['booked'].format(act=name, date=_date(loop.booking.days))}{_lateness(item)}"
        case LoopState.DONE_PENDING if loop.done:
            key = "under_way" if loop.facts.done == "under_way" else "done_pending"
            return words[key].format(act=_name(item, loop.done), date=_date(loop.done.days))
        case LoopState.DONE_PENDING if item.finding.tissue.result:
            return words["done_pending_tissue"].format(date=_date(item.finding.tissue.result.days))
        case LoopState.DECLINED if loop.refusal:
            return words["declined"].format(act=name, date=_date(loop.refusal.days))
        case LoopState.AWAIT_FINAL:
            return words["await_final"]
        case LoopState.OPEN if item.overdue and item.now.recommendation == Recommendation.SHORT_INTERVAL_FOLLOW_UP:
            return TEXT["state_reason"]["follow_up_due"]
        case _:
            return act_of(item)


def _name(item: Decided, event: Event | None) -> str:
    """Return what was ordered or done in words: an operation is not called a biopsy."""
    if event is not None and item.decision.recommendation == Recommendation.BIOPSY and not event.acts & _SAMPLING:
        return ", ".join(sorted(event.acts)).replace("_", " ")
    return TEXT["act_name"][item.decision.recommendation]


def state_reason(item: Decided) -> str | None:
    """Return why the chart puts a question in the place of the recommendation, or that it is overdue; None elsewhere."""
    reasons, state, finding = TEXT["state_reason"], item.now.state, item.finding
    if state == LoopState.AWAIT_FINAL:
        return reasons[state].format(date=_exam_date(item.loop.later or finding.exam))
    if state in (LoopState.SIDE_CONFLICT, LoopState.NEWER_EXAM_UNREADABLE):
        return reasons[state].format(date=_exam_date(finding.exam))
    if state == LoopState.ULTRASOUND_ONLY and item.loop.later:
        return reasons[state].format(date=_exam_date(item.loop.later))
    if key := _asked_because(item):
        result, refusal, t0 = finding.tissue.result, item.loop.refusal, finding.t0
        return reasons[key].format(
            date=_date(result.days if result and key != "not_indicated" else refusal.days if refusal else None),
            act=TEXT["act_name"][item.decision.recommendation],
            year=t0.first.year if t0 else "",
        )
    tissue = finding.tissue
    if item.now.recommendation == Recommendation.SPECIALIST_MANAGEMENT and tissue.result and tissue.state in reasons:
        return reasons[tissue.state].format(date=_date(tissue.result.days))
    if item.overdue and state == LoopState.OPEN:
        return reasons["overdue"].format(days=_days(item.overdue))
    return None


def _asked_because(item: Decided) -> str | None:
    """Return why the state table asks the radiologist instead of recommending what the decision table does."""
    if item.now.state != LoopState.OPEN or item.now.recommendation != Recommendation.CLINICIAN_REVIEW:
        return None
    if item.decision.recommendation == Recommendation.CLINICIAN_REVIEW:
        return None
    if item.finding.tissue.state == TissueState.BENIGN_UNSTATED:
        return "unstated_concordance"
    if item.finding.tissue.state == TissueState.UNCLASSIFIED:
        return "unclassified"
    return "not_indicated" if item.loop.facts.refusal == "not_indicated" else "old"


def where_it_stands(item: Decided, today: date, orders_received: bool) -> str | None:
    """Return the paragraph on state, due day and events that do not count; None where there is nothing to say."""
    sentences = [*_state(item, today, orders_received), *_course(item), *_due(item), *_noted(item.loop.noted)]
    return f"**Where it stands.** {' '.join(sentences)}" if sentences else None


def _state(item: Decided, today: date, orders_received: bool) -> Iterator[str]:
    words, loop, state = TEXT["state_detail"], item.loop, item.now.state
    if state == LoopState.ORDERED and loop.order:
        planned = f", for {loop.order.planned}" if loop.order.planned else ""
        yield words["ordered"].format(**_event(loop.order), planned=planned)
    elif state == LoopState.BOOKED and loop.booking:
        yield words["booked"].format(**_event(loop.booking), late=_lateness(item))
    elif state == LoopState.DONE_PENDING and loop.done and item.finding.tissue.state != TissueState.PENDING:
        key = "under_way" if loop.facts.done == "under_way" else "done_pending"
        days = (today - loop.done.days.last).days if loop.done.days else 0
        yield words[key].format(**_event(loop.done), days=_days(days))
    elif state == LoopState.DONE_PENDING and item.finding.tissue.result:
        result = item.finding.tissue.result
        yield words["done_pending_tissue"].format(resource=quoted(result.resource), date=_date(result.days))
    elif state == LoopState.DECLINED and loop.refusal:
        yield words["declined"].format(**_event(loop.refusal))
    elif state == LoopState.CLOSED and item.finding.course.asked:
        exam, category = item.finding.course.asked
        yield words["closed"].format(resource=quoted(exam.id), date=_exam_date(exam), category=category)
    elif state == LoopState.SIDE_CONFLICT and loop.absent:
        yield words["side_conflict"].format(resource=quoted(loop.absent))
    elif state == LoopState.NEWER_EXAM_UNREADABLE and item.finding.older:
        older = item.finding.older
        yield words["newer_exam_unreadable"].format(
            date=_exam_date(item.finding.exam),
            older=_exam_date(older),
            resource=quoted(older.id),
            category=_category(older),
        )
    elif state == LoopState.AWAIT_FINAL:
        exam = loop.later or item.finding.exam
        yield words["await_final"].format(resource=quoted(exam.id), date=_exam_date(exam))
    elif state == LoopState.ULTRASOUND_ONLY and loop.later:
        yield words["ultrasound_only"].format(
            date=_exam_date(loop.later), resource=quoted(loop.later.id), category=_category(loop.later)
        )
    else:
        yield from _open(item, orders_received)


def _lateness(item: Decided) -> str:
    """Return by how many days a booking lies after the day on which the act is due."""
    booked = item.loop.booking.days if item.loop.booking else None
    if booked is None or item.due is None or not item.due.is_before(booked):
        return ""
    return f", {(booked.first - item.due.last).days} days after it is due"


def _open(item: Decided, orders_received: bool) -> Iterator[str]:
    words, loop, tissue = TEXT["state_detail"], item.loop, item.finding.tissue
    key = _asked_because(item)
    if key in ("unstated_concordance", "unclassified") and tissue.result:
        yield words[key].format(date=_date(tissue.result.days), resource=quoted(tissue.result.resource))
    elif key == "not_indicated" and loop.refusal:
        yield words[key].format(**_event(loop.refusal))
    elif key == "old" and item.finding.t0:
        yield words[key].format(year=item.finding.t0.first.year)
    elif item.now.recommendation in (Recommendation.NO_FOLLOW_UP, Recommendation.CLINICIAN_REVIEW):
        return
    elif not orders_received:
        yield words["open_unknown"]
    elif not loop.order and not loop.booking:
        yield words["open"]
    if loop.facts.refusal == "declined_long_ago" and loop.refusal:
        yield words["declined_long_ago"].format(**_event(loop.refusal))


def _course(item: Decided) -> Iterator[str]:
    """What the other exams add: a downgrade, another modality's category, a screening exam since, that it is new."""
    words, finding = TEXT["state_detail"], item.finding
    if finding.downgraded:
        exam, before = finding.downgraded
        yield words["downgraded"].format(before=before, date=_exam_date(exam), resource=quoted(exam.id))
    if finding.raised_by:
        exam = finding.raised_by
        modality = TEXT["modality"][exam.modality]
        yield words["raised"].format(modality=modality, date=_exam_date(exam), resource=quoted(exam.id))
    if finding.overtaken_by:
        exam = finding.overtaken_by
        yield words["suspicion_stays"].format(resource=quoted(exam.id), date=_exam_date(exam))
    if finding.is_new and finding.course.earlier:
        exam = finding.course.earlier[0]
        yield words["new"].format(resource=quoted(exam.id), date=_exam_date(exam))
    if finding.background.neoadjuvant_by:
        yield words["neoadjuvant"].format(resource=quoted(finding.background.neoadjuvant_by))


def _due(item: Decided) -> Iterator[str]:
    words = TEXT["state_detail"]
    if item.due is None or item.now.state in (LoopState.CLOSED, LoopState.NOTHING_OPEN):
        return
    if item.overdue:
        key = "past_due" if item.now.state in _ORDERED else "overdue"
        yield words[key].format(due=_by(item.due), days=_days(item.overdue))
    elif item.now.claims_due or item.now.state in (LoopState.ORDERED, LoopState.BOOKED):
        yield words["due"].format(due=_by(item.due))
    after_biopsy = item.finding.tissue.state == TissueState.BENIGN_CONCORDANT
    if after_biopsy and item.now.recommendation == Recommendation.SHORT_INTERVAL_FOLLOW_UP:
        yield words["window"]


def _noted(noted: Iterable[Noted]) -> Iterator[str]:
    newest = sorted(noted, key=lambda one: (str(one.event.days or ""), one.event.resource), reverse=True)
    more = len(newest) - MAX_NOTED
    for one in newest[:MAX_NOTED]:
        told = one.event.reason
        told = TEXT["reason"].get(told, told.replace("_", " ")) if told else ""
        reason = f" ({told})" if told else ""
        yield TEXT["noted"][one.why].format(**_event(one.event), reason=reason)
    if more > 0:
        yield TEXT["noted"]["more"].format(more=more)


def _event(event: Event) -> dict[str, str]:
    what = event.text or ", ".join(sorted(event.acts)).replace("_", " ")
    return {"what": quoted(what, 80), "resource": quoted(event.resource), "date": _date(event.days)}


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def _by(due: Days) -> str:
    """Return until when something is due, as a sentence goes on with it."""
    return f"by {due}" if due.exact else f"between {due.first} and {due.last}"


def _date(days: Days | None) -> str:
    return str(days) if days else "an unknown day"


def _exam_date(exam: Exam) -> str:
    return str(exam.days) if exam.days else "an unknown day"


def _category(exam: Exam) -> str:
    category = exam.category
    stated = category.overall or " and ".join(
        f"{name} {value}" for name, value in (("left", category.left), ("right", category.right)) if value
    )
    return f", category {stated}" if stated else ""
