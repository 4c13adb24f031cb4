"""Proves the loop table: every input is decided, every row is reached, and the safety invariants of follow-up hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from rules.conditions import Row
from rules.follow_up import Limits, LoopAnswer, LoopFacts, LoopState
from rules.loop import Loop, loop_answer
from rules.proof.boxes import Box, meets, partition, volume, within
from rules.proof.domain import asked
from rules.proof.exceptions import Exceptions
from rules.proof.line import Line
from rules.table import FactValue
from rules.vocabulary import URGENCY, Indicator, Recommendation

_EITHER = (False, True)
_VALUES: Mapping[str, Iterable[FactValue]] = {
    "recommendation": tuple(Recommendation),
    "deceased": _EITHER,
    "breast": ("present", "removed_before", "removed_after"),
    "report": ("readable", "preliminary", "unreadable_newer"),
    "tissue": (
        "none",
        "pending",
        "malignant",
        "high_risk",
        "discordant",
        "insufficient",
        "benign_concordant",
        "benign_unstated",
        "unclassified",
    ),
    "care": ("none", "under_care"),
    "done": ("none", "under_way", "done", "done_long_ago"),
    "later": ("none", "preliminary", "ultrasound"),
    "order": ("none", "live", "on_hold", "drafted"),
    "booking": ("none", "booked", "requested"),
    "refusal": ("none", "declined", "declined_long_ago", "not_indicated"),
    "late": _EITHER,
    "old": _EITHER,
    "answered": _EITHER,
}
DOMAIN: Box = {fact: frozenset(values) for fact, values in _VALUES.items()}
"""Everything that `LoopFacts` can be."""

_SPECIALIST = frozenset[FactValue]({Recommendation.SPECIALIST_MANAGEMENT})
_NOT_SPECIALIST = DOMAIN["recommendation"] - _SPECIALIST
_ALIVE: Box = {"deceased": frozenset({False}), "breast": frozenset({"present", "removed_before"})}
_CANCER: Box = {**_ALIVE, "tissue": frozenset({"malignant", "high_risk"}), "care": frozenset({"none"})}

_UNCLEAR: Box = {
    **_ALIVE,
    "tissue": frozenset({"benign_unstated", "unclassified"}),
    "recommendation": _NOT_SPECIALIST,
}
_FAILED: Box = {**_ALIVE, "tissue": frozenset({"discordant", "insufficient"}), "recommendation": _NOT_SPECIALIST}
_AWAITED: Box = {
    "deceased": frozenset({False}),
    "breast": frozenset({"present"}),
    "report": frozenset({"readable", "preliminary"}),
    "tissue": frozenset({"pending"}),
    "recommendation": _NOT_SPECIALIST,
}
_OVERDUE_RESULT: Box = {**_AWAITED, "done": frozenset({"done_long_ago"})}

_MUST_BE_HEARD: tuple[Box, ...] = (
    _CANCER,
    _UNCLEAR,
    _FAILED,
    _AWAITED,
    {**_ALIVE, "report": frozenset({"unreadable_newer"})},
    {**_ALIVE, "report": frozenset({"preliminary"}), "recommendation": _NOT_SPECIALIST},
)
"""What is never silent, whatever a row says; lateness is added for what can be late."""

_NO_DRAFT: tuple[Box, ...] = (
    {"deceased": frozenset({True})},
    {"breast": frozenset({"removed_before", "removed_after"})},
    {"report": frozenset({"preliminary", "unreadable_newer"})},
    {"order": frozenset({"live", "on_hold", "drafted"})},
    {"booking": frozenset({"booked", "requested"})},
    {"refusal": frozenset({"declined", "not_indicated"})},
    {"tissue": frozenset({"pending", "benign_unstated", "unclassified"}), "recommendation": _NOT_SPECIALIST},
    {"old": frozenset({True}), "recommendation": _NOT_SPECIALIST},
)
"""Where no draft order may be offered; what was done is added for what can be done."""


class Kind(NamedTuple):
    """Inputs that differ in nothing that matters: their number, one of them, and the answer under an indicator."""

    row: Row
    box: Box
    recommendation: Recommendation
    indicator: Indicator
    answer: LoopAnswer


def prove_loop(loop: Loop, limits: Limits, exceptions: Exceptions) -> Iterator[Line]:
    """Prove the loop table under one policy; exceptions are named in `tables/proof_exceptions.toml`."""
    pieces, undecided = partition(DOMAIN, loop.rows)
    kinds = [kind for row, box in pieces for kind in _kinds(row, box, loop)]
    every = sum(volume(kind.box) for kind in kinds)
    strays = [f"{kind.row.id} answers, and {kind.answer.rule} is asked" for kind in kinds if _strays(kind)]
    yield Line("loop: every input decided, by the row the proof says", every, _once([*map(_shown, undecided), *strays]))
    yield _reached(loop, {piece.row.id for piece in pieces})
    heard = (*_MUST_BE_HEARD, *_lateness(limits))
    broken: Sequence[tuple[str, Callable[[Kind], bool]]] = (
        ("a card is silent only in rows that are named", lambda kind: _is_silent(kind, exceptions)),
        (
            "no unanswered tissue, unread or unfinished report, or lateness is silent",
            lambda kind: _is_unheard(kind, heard, exceptions),
        ),
        ("no draft beside an order, a booking, a refusal, a removed breast, an unread report", _drafts(limits)),
        ("never less urgent than the decision", lambda kind: _is_below(kind, exceptions)),
        ("late and open is never info", _is_late_info),
        ("a malignant or high-risk result is a specialist's until one has it", _is_untreated),
        ("a result that is awaited, unclear or explains nothing is what the card is about", _is_unsaid),
        ("what is shown has an indicator and something to say", _is_empty),
    )
    for name, breaks in broken:
        yield Line(f"loop: {name}", every, _once(_told(kind) for kind in kinds if breaks(kind)))
    yield _later_is_graver(kinds, loop)
    yield _independence(loop, limits)


def indicators(recommendation: FactValue) -> tuple[Indicator, ...]:
    """Return the indicators that a decision may have with a recommendation: none only where there is no card."""
    if recommendation == Recommendation.NO_CARD:
        return (Indicator.NONE,)
    return (Indicator.INFO, Indicator.WARNING, Indicator.CRITICAL)


def facts_in(box: Box) -> LoopFacts:
    """Return one input of a box, the same for equal boxes."""
    return msgspec.convert({fact: min(values, key=str) for fact, values in box.items()}, LoopFacts)


def _kinds(row: Row, box: Box, loop: Loop) -> Iterator[Kind]:
    for value in sorted(box["recommendation"], key=str):
        part = within(box, recommendation=[value])
        facts = facts_in(part)
        for indicator in indicators(value):
            answer = loop_answer(facts, indicator, loop)
            yield Kind(row, part, facts.recommendation, indicator, answer)


def _strays(kind: Kind) -> bool:
    return kind.answer.rule != kind.row.id


def _reached(loop: Loop, reached: set[str]) -> Line:
    broken = [f"{row.id} never answers" for row in loop.rows if row.possible and row.id not in reached]
    for fact, sets in asked(loop.rows).items():
        unknown = frozenset[FactValue]().union(*sets) - DOMAIN.get(fact, frozenset())
        broken += [f"{fact} is never {value}" for value in sorted(map(str, unknown))]
    return Line("loop: every row is reached, none asks what cannot be", len(loop.rows), tuple(broken))


def _lateness(limits: Limits) -> Iterator[Box]:
    due = frozenset[FactValue](limits.closing)
    yield {**_ALIVE, "late": frozenset({True}), "recommendation": due - _SPECIALIST}
    yield {**_ALIVE, "late": frozenset({True}), "recommendation": due & _SPECIALIST, "care": frozenset({"none"})}


def _is_silent(kind: Kind, exceptions: Exceptions) -> bool:
    return not kind.answer.shown and not exceptions.excuse("loop_silence", [kind.row.id])


def _is_unheard(kind: Kind, heard: Iterable[Box], exceptions: Exceptions) -> bool:
    silent = not kind.answer.shown and any(meets(kind.box, condition) for condition in heard)
    return silent and not exceptions.excuse("loop_heard", [kind.row.id])


def _drafts(limits: Limits) -> Callable[[Kind], bool]:
    doable = frozenset[FactValue](name for name, entry in limits.closing.items() if entry.done_by) - _SPECIALIST
    done: Box = {"done": DOMAIN["done"] - {"none"}, "recommendation": doable}
    forbidden = (*_NO_DRAFT, done)
    return lambda kind: kind.answer.draft and any(meets(kind.box, condition) for condition in forbidden)


def _is_below(kind: Kind, exceptions: Exceptions) -> bool:
    below = URGENCY[kind.answer.recommendation] < URGENCY[kind.recommendation]
    return below and not exceptions.excuse("loop_urgency", [kind.row.id])


def _is_late_info(kind: Kind) -> bool:
    late = True in kind.box["late"] and kind.answer.state == LoopState.OPEN
    return late and kind.answer.indicator in (Indicator.NONE, Indicator.INFO)


def _is_untreated(kind: Kind) -> bool:
    if kind.answer.recommendation == Recommendation.SPECIALIST_MANAGEMENT:
        return False
    return meets(kind.box, _CANCER)


def _is_unsaid(kind: Kind) -> bool:
    answer, asks = kind.answer, Recommendation.CLINICIAN_REVIEW
    info = answer.indicator in (Indicator.NONE, Indicator.INFO)
    return (
        (meets(kind.box, _UNCLEAR) and (answer.recommendation != asks or info))
        or (meets(kind.box, _FAILED) and answer.recommendation not in (Recommendation.BIOPSY, asks))
        or (meets(kind.box, _AWAITED) and answer.state != LoopState.DONE_PENDING)
        or (meets(kind.box, _OVERDUE_RESULT) and info)
    )


def _is_empty(kind: Kind) -> bool:
    answer = kind.answer
    return answer.shown and Indicator.NONE in (answer.indicator, answer.recommendation)


def _later_is_graver(kinds: Iterable[Kind], loop: Loop) -> Line:
    """The same facts once the due day has passed: no card goes, none gets less urgent."""
    checked, broken = 0, list[str]()
    for kind in kinds:
        if False not in kind.box["late"]:
            continue
        checked += volume(within(kind.box, late=[False]))
        for row, box in partition({**kind.box, "late": frozenset({True})}, loop.rows)[0]:
            answer = loop_answer(facts_in(box), kind.indicator, loop)
            if kind.answer.shown and (not answer.shown or _weight(answer) < _weight(kind.answer)):
                broken.append(f"{kind.row.id} to {row.id}")
    return Line("loop: a due day that has passed never lowers or silences", checked, _once(broken))


def _weight(answer: LoopAnswer) -> tuple[int, int]:
    return URGENCY[answer.recommendation], tuple(Indicator).index(answer.indicator)


def _independence(loop: Loop, limits: Limits) -> Line:
    """Facts that cannot matter do not: no row that can answer here asks them."""
    checked, broken = 0, list[str]()
    for box, facts in _irrelevant(limits):
        checked += volume(box)
        for row, piece in partition(box, loop.rows)[0]:
            where = "+".join(sorted(map(str, piece["recommendation"])))
            broken += [f"{row.id} asks {fact} of {where}" for fact in facts if piece[fact] != DOMAIN[fact]]
    return Line("loop: what cannot matter does not", checked, _once(broken))


def _irrelevant(limits: Limits) -> Iterator[tuple[Box, Sequence[str]]]:
    """Orders of what nobody orders, deeds of what nobody does (nor any sampling awaited), dues of what is never due."""
    not_pending = DOMAIN["tissue"] - {"pending"}
    for recommendation in Recommendation:
        box = within(DOMAIN, recommendation=[recommendation])
        closing = limits.closing.get(recommendation)
        if closing is None or not closing.ordered_by:
            yield box, ("order", "booking", "refusal")
        if closing is None or not closing.done_by or recommendation in _SPECIALIST:
            yield within(box, tissue=not_pending), ("done",)
        yield box, ("late", "old") if closing is None else ("answered",)
        if recommendation not in _SPECIALIST:
            yield within(box, tissue=DOMAIN["tissue"] - _CANCER["tissue"]), ("care",)
    yield within(DOMAIN, deceased=[True]), [fact for fact in DOMAIN if fact != "deceased"]
    yield within(DOMAIN, deceased=[False], breast=["removed_after"]), [fact for fact in DOMAIN if fact not in _ALIVE]


def _told(kind: Kind) -> str:
    return f"{kind.row.id} answers {kind.answer.state} with {kind.answer.recommendation} to {kind.recommendation}"


def _shown(box: Box) -> str:
    return "no row decides " + ", ".join(
        f"{fact} {'/'.join(sorted(map(str, values)))}" for fact, values in box.items() if values != DOMAIN[fact]
    )


def _once(violations: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(violations))
