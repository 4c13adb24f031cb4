"""One patient's chart in the order of time: exams, events and results of tissue, and how every recommendation stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

import msgspec

from cds_service.cards.answers import Decided, decide_chart
from fhir_models.chart.governing import ACTIONABLE, category_of_breast, covers, earlier_exams, mammograms, precedence
from fhir_models.chart.records import Chart
from fhir_models.days import Days
from fhir_models.reading import Exam, Unread
from fhir_models.sides import ONE_BREAST
from rules.engine import Ruleset
from rules.follow_up import LoopState
from rules.vocabulary import Case

DEFAULT_CASE = msgspec.to_builtins(Case())


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that happened. `date` is a day, a month or a year as written, absent where none is stated.

    `kind` is exam, order, appointment, procedure, request, condition or pathology; `standing` how far it has come; `why`
    what keeps an exam from being used.
    """

    kind: str
    resource: str
    what: str
    standing: str
    date: str | None = None
    laterality: str | None = None
    category: str | None = None
    findings: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    why: str | None = None


class OpenLoop(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a recommendation stands. `case` are the fields of its case that are not at their default, for `decide`."""

    laterality: str
    exam: str
    recommendation: str
    state: str
    indicator: str
    rule: str
    shown: bool
    closed_by: str | None = None
    due: str | None = None
    overdue_days: int = 0
    rules: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    case: dict[str, Any] = {}


class Timeline(msgspec.Struct, frozen=True):
    """A chart on a day, oldest first; what has no date stands first."""

    today: date
    patient: dict[str, Any]
    entries: tuple[Entry, ...]
    loops: tuple[OpenLoop, ...]
    unread: tuple[Unread, ...]


def timeline_of(chart: Chart, ruleset: Ruleset, today: date) -> Timeline:
    """Return the timeline of a chart."""
    background = chart.background
    patient = {"sex": background.sex, "age": background.age, "deceased": background.deceased}
    decided = decide_chart(chart, ruleset, today)
    return Timeline(
        today=today,
        patient={name: value for name, value in patient.items() if value is not None},
        entries=tuple(sorted(_entries(chart), key=lambda entry: (entry.date or "", entry.kind, entry.resource))),
        loops=(*_earlier_loops(decided, chart, ruleset, today), *map(_loop, decided)),
        unread=chart.reading.unread,
    )


def _entries(chart: Chart) -> Iterator[Entry]:
    for exam in chart.reading.exams:
        context = "" if exam.study_context == "unknown" else f"{exam.study_context} "
        yield Entry(
            kind="exam",
            resource=exam.id,
            what=f"{context}{exam.modality}",
            standing=exam.status,
            date=_written(exam.days),
            laterality=_side(exam.laterality),
            category=_category(exam),
            findings=tuple(_finding_words(exam)),
            versions=exam.versions,
            why=exam.abstained,
        )
    for event in chart.events:
        acts = ", ".join(sorted(event.acts)).replace("_", " ")
        standing = f"{event.standing} ({event.reason})" if event.reason else event.standing
        yield Entry(
            event.kind, event.resource, acts, standing.replace("_", " "), _written(event.days), _side(event.laterality)
        )
    for result in chart.tissue:
        words = f"{result.tissue}, concordance {result.concordance}".replace("_", " ")
        yield Entry("pathology", result.resource, words, "result", _written(result.days), _side(result.laterality))


def _finding_words(exam: Exam) -> Iterator[str]:
    for finding in exam.findings:
        words = (finding.presence, finding.laterality, *finding.morphology, *finding.distribution, finding.category)
        yield " ".join(word for word in words if word).replace("_", " ")


def _category(exam: Exam) -> str | None:
    category = exam.category
    sides = (("", category.overall), ("left ", category.left), ("right ", category.right))
    return ", ".join(f"{side}{stated}" for side, stated in sides if stated) or None


def _loop(item: Decided) -> OpenLoop:
    return OpenLoop(
        laterality=item.finding.laterality,
        exam=item.finding.exam.id,
        recommendation=item.now.recommendation,
        state=item.now.state,
        indicator=item.now.indicator,
        rule=item.now.rule,
        shown=item.now.shown,
        closed_by=item.closed_by,
        due=_written(item.due),
        overdue_days=item.overdue,
        rules=item.decision.rules,
        notes=item.finding.background.notes,
        case={
            name: value for name, value in msgspec.to_builtins(item.finding.case).items() if value != DEFAULT_CASE[name]
        },
    )


def _earlier_loops(decided: Sequence[Decided], chart: Chart, ruleset: Ruleset, today: date) -> Iterable[OpenLoop]:
    """Yield what exams before the governing ones had asked for, and what answered it."""
    exams = mammograms(chart.reading.exams)
    current = {item.finding.exam.id for item in decided}
    newest = max(exams, key=lambda exam: precedence(exam, today), default=None)
    if newest is None:
        return
    for side in ONE_BREAST:
        following = newest
        for exam in earlier_exams(exams, newest, side, today):
            category = category_of_breast(exam, side)
            if exam.id not in current and category is not None and category in ACTIONABLE:
                yield _earlier_loop(exam, side, following, chart, ruleset.lexicon.category_implies[category])
            following = exam if covers(exam, side) else following


def _earlier_loop(exam: Exam, side: str, following: Exam, chart: Chart, implied: str) -> OpenLoop:
    sampled = [
        result
        for result in chart.tissue
        if result.laterality == side
        and result.days is not None
        and exam.days is not None
        and result.days.is_from(exam.days)
        and (following.days is None or not following.days.is_before(result.days))
    ]
    state = LoopState.RESULTED if sampled else LoopState.SUPERSEDED
    closed_by = sampled[0].resource if sampled else following.id
    return OpenLoop(side, exam.id, implied, state, "none", "", shown=False, closed_by=closed_by)


def _side(laterality: str) -> str | None:
    return None if laterality == "unknown" else str(laterality)


def _written(days: Days | None) -> str | None:
    return str(days) if days else None
