"""What each breast calls for now: every finding is decided, its loop looked at, and the most urgent one leads (P6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date

import msgspec

from cds_service.errors import refusing_too_much
from fhir_models.cases import FindingCase, cases_for
from fhir_models.category_text import severity
from fhir_models.chart.loops import Loop, due_days, loop_of
from fhir_models.chart.records import Chart
from fhir_models.days import Days
from rules.engine import Ruleset, decide
from rules.follow_up import Limits, LoopAnswer, LoopState
from rules.loop import loop_answer
from rules.vocabulary import URGENCY, Case, Decision, Flag, Indicator, Laterality, Recommendation

SILENT = (Recommendation.NO_CARD, Recommendation.ROUTINE_SCREENING)
"""Withdrawn reports, and calcifications that a report denies without asking for anything else."""


class Decided(msgspec.Struct, frozen=True):
    """A finding with what the table says of it, and how far that has come.

    `decision` is the table's; `now` what the chart makes of it. `due` is the range of days by which the latter should be
    done, `overdue` the days since the last of them, both only where the state may claim them.
    """

    finding: FindingCase
    decision: Decision
    loop: Loop
    now: LoopAnswer
    due: Days | None
    overdue: int

    @property
    def closed_by(self) -> str | None:
        """The resource that answers the recommendation, or that stands in its way."""
        loop, exam = self.loop, self.finding.exam
        tissue = self.finding.tissue.result
        done = loop.done or tissue
        resources = {
            LoopState.ORDERED: loop.order.resource if loop.order else None,
            LoopState.BOOKED: loop.booking.resource if loop.booking else None,
            LoopState.DONE_PENDING: done.resource if done else None,
            LoopState.DECLINED: loop.refusal.resource if loop.refusal else None,
            LoopState.CLOSED: loop.later.id if loop.later else exam.id,
            LoopState.UNDER_CARE: loop.care,
            LoopState.BREAST_ABSENT: loop.absent,
            LoopState.SIDE_CONFLICT: loop.absent,
            LoopState.NEWER_EXAM_UNREADABLE: exam.id,
            LoopState.AWAIT_FINAL: loop.later.id if loop.later else exam.id,
            LoopState.ULTRASOUND_ONLY: loop.later.id if loop.later else None,
        }
        return resources.get(self.now.state)


class BreastAnswer(msgspec.Struct, frozen=True):
    """The findings of one breast with their decisions, most urgent first. Bilateral: the same holds for both."""

    laterality: Laterality
    findings: tuple[Decided, ...]

    @property
    def headline(self) -> Decided:
        """The finding that leads."""
        return self.findings[0]

    @property
    def side_is_sure(self) -> bool:
        """Whether what is asked is asked of this breast: it alone was examined, or has calcifications that ask for as much.

        A category of both breasts that came without them, or asks for more than they do, may be the other breast's.
        """
        return all(
            item.finding.exam.laterality == self.laterality
            or (item.finding.finding is not None and Flag.CATEGORY_MAY_BELONG_ELSEWHERE not in item.decision.flags)
            for item in self.findings
            if item.now.recommendation == self.headline.now.recommendation
        )


def answer_chart(chart: Chart, ruleset: Ruleset, today: date) -> tuple[BreastAnswer, ...]:
    """Return what is to be said of each breast; what needs nothing said is left out.

    Raises:
        RequestError: 413, more findings and events than can be judged in one call.
    """
    return answer_breasts([item for item in decide_chart(chart, ruleset, today) if item.now.shown])


def decide_chart(chart: Chart, ruleset: Ruleset, today: date) -> list[Decided]:
    """Decide every finding that governs, and look how far it has come; also what needs nothing said.

    Raises:
        RequestError: 413, more findings and events than can be judged in one call.
    """
    with refusing_too_much():
        cases = cases_for(chart, today, ruleset.limits, asks_with(ruleset))
    return [item for case in cases if (item := decide_finding(case, chart, ruleset, today)) is not None]


def asks_with(ruleset: Ruleset) -> Callable[[Case], bool]:
    """Return whether the table asks, for a case, for more than the screening that is due anyway."""
    return lambda case: URGENCY[decide(case, ruleset).recommendation] > URGENCY[Recommendation.NO_FOLLOW_UP]


def decide_finding(case: FindingCase, chart: Chart, ruleset: Ruleset, today: date) -> Decided | None:
    """Decide a finding and look how far it has come; None where the table has nothing to say."""
    decision = decide(case.case, ruleset)
    if decision.recommendation in SILENT:
        return None
    limits = ruleset.limits
    loop = loop_of(case, decision.recommendation, decision.interval_months, chart, today, limits)
    if decision.recommendation == Recommendation.SHORT_INTERVAL_FOLLOW_UP and loop.overdue > limits.grace_days:
        overdue = decide(msgspec.structs.replace(case.case, overdue=True), ruleset)
        if overdue.recommendation != decision.recommendation:
            loop = _overdue_loop(overdue, loop, loop_of(case, overdue.recommendation, None, chart, today, limits))
            decision = overdue
    now = loop_answer(loop.facts, decision.indicator, ruleset.loop)
    if now.draft and _may_be_of_the_other_breast(case, decision):
        now = msgspec.structs.replace(now, draft=False)
    due = loop.due if now.recommendation == decision.recommendation else _due_instead(case, now, loop, limits)
    late = (today - due.last).days if due and now.claims_due else 0
    return Decided(case, decision, loop, now, due, max(late, 0))


def _may_be_of_the_other_breast(case: FindingCase, decision: Decision) -> bool:
    """Whether the category asks for more than the finding does, names no breast, and the other breast has a finding too."""
    stated = case.exam.category
    named = stated.left or stated.right or (case.finding and case.finding.category)
    if named or Flag.CATEGORY_MAY_BELONG_ELSEWHERE not in decision.flags:
        return False
    return any(finding.laterality != case.laterality for finding in case.exam.findings if finding.presence != "absent")


def _overdue_loop(decision: Decision, follow_up: Loop, loop: Loop) -> Loop:
    """A follow-up that is long overdue becomes another act, and stays due when it was; its orders count (rule X10)."""
    order, booking = loop.order or follow_up.order, loop.booking or follow_up.booking
    facts = msgspec.structs.replace(
        follow_up.facts if follow_up.order and not loop.order else loop.facts,
        recommendation=decision.recommendation,
        booking=loop.facts.booking if loop.booking else follow_up.facts.booking,
        late=True,
    )
    return msgspec.structs.replace(
        loop, facts=facts, due=follow_up.due, overdue=follow_up.overdue, order=order, booking=booking
    )


def _due_instead(case: FindingCase, now: LoopAnswer, loop: Loop, limits: Limits) -> Days | None:
    """Return when the question is due that the chart puts in the place of the recommendation."""
    t0 = loop.later.days if loop.later and now.state == LoopState.ULTRASOUND_ONLY else case.t0
    return due_days(limits.closing.get(now.recommendation), t0, None, case)


def answer_breasts(decided: Sequence[Decided]) -> tuple[BreastAnswer, ...]:
    """Group by breast; a finding of both breasts speaks for each, one without side for itself."""
    both = [item for item in decided if item.finding.laterality == Laterality.BILATERAL]
    answers: list[BreastAnswer] = []
    for side in (Laterality.LEFT, Laterality.RIGHT):
        own = [item for item in decided if item.finding.laterality == side]
        answers += [_answer(side, [*own, *both])] if own or both else []
    if len(answers) == 2 and _same(*answers):
        answers = [_answer(Laterality.BILATERAL, _distinct((*answers[0].findings, *answers[1].findings)))]
    if sideless := [item for item in decided if item.finding.laterality == Laterality.UNKNOWN]:
        answers.append(_answer(Laterality.UNKNOWN, sideless))
    return tuple(answers)


def _answer(laterality: Laterality, findings: Iterable[Decided]) -> BreastAnswer:
    return BreastAnswer(laterality, tuple(sorted(findings, key=_precedence, reverse=True)))


def _precedence(item: Decided) -> tuple[int, ...]:
    """Most urgent first; of equally urgent ones what is still open, the graver indicator, the more severe category."""
    decision, now = item.decision, item.now
    categories = (decision.estimated_category, decision.category_if_confirmed)
    gravest = max(severity(part) for stated in categories for part in stated.split("-"))
    still_open = now.state not in (LoopState.ORDERED, LoopState.BOOKED, LoopState.DONE_PENDING, LoopState.DECLINED)
    return URGENCY[now.recommendation], still_open, tuple(Indicator).index(now.indicator), gravest


def _same(left: BreastAnswer, right: BreastAnswer) -> bool:
    def lead(answer: BreastAnswer) -> tuple[object, ...]:
        item = answer.headline
        decision = item.decision
        return (
            item.finding.exam.id,
            item.now.recommendation,
            item.now.state,
            item.closed_by,
            item.due,
            decision.interval_months,
            decision.estimated_category,
            decision.discordance,
            decision.flags,
        )

    return lead(left) == lead(right)


def _distinct(findings: Iterable[Decided]) -> Iterable[Decided]:
    """A finding of both breasts once; the same words about two findings are two."""
    seen: set[int] = set()
    for item in findings:
        told_by = item.finding.finding or item.finding
        if id(told_by) not in seen:
            seen.add(id(told_by))
            yield item
