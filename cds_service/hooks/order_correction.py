"""What makes an order fit: the draft changed as little as possible, a new order in its place, or the draft deleted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import msgspec

from cds_service.cards.answers import BreastAnswer
from cds_service.cards.card_context import CardContext
from cds_service.cards.suggestions import (
    Suggestion,
    create,
    delete,
    order_label,
    suggestion,
    update,
    update_side,
    usual_order,
)
from cds_service.hooks.order_drafts import ANY_DAY, Draft
from cds_service.hooks.order_misfit import MAMMOGRAMS, Misfit, Verdict
from cds_service.knowledge import Knowledge
from fhir_models.chart.events.read import read_events
from fhir_models.chart.records import Standing
from fhir_models.days import certainly_before
from fhir_models.entries import Located, read_entries
from fhir_models.sides import ONE_BREAST
from rules.follow_up import Act, LoopState
from rules.vocabulary import Laterality, Recommendation

_KIND = ("code", "category", "reasonCode", "reason")
_SIDE = ("bodySite", "extension")
_SIDED = (Misfit.WRONG_SIDE, Misfit.BOTH_BREASTS, Misfit.ONE_BREAST, Misfit.SIDES_DIFFER, Misfit.SIDE_UNSTATED)
"""Orders of the right kind: the side is what has to change, and the kind where it is a mammogram of no kind."""

_INSTEAD = {"bodySite": "bodyStructure", "orderDetail": "orderDetail"}
"""What is left out where a member is changed: R5 allows one of site and structure, and details are of the old order."""

_PLACE = "order"


def correction(
    verdict: Verdict, answer: BreastAnswer, context: CardContext, knowledge: Knowledge, *, may_change: bool
) -> Suggestion | None:
    """Return the suggestion that makes an order fit a breast, None where none is safe.

    `may_change`: no other card changes this draft, and no other breast needs it as it is.
    """
    draft = verdict.draft if may_change else msgspec.structs.replace(verdict.draft, resource=None)
    if verdict.misfit == Misfit.DUPLICATE:
        safe = draft.resource is not None and _is_placed(answer)
        return suggestion([delete(draft.name, "duplicate")], recommended=False) if safe else None
    if verdict.misfit == Misfit.SIDE_IN_DOUBT:
        return None
    if verdict.fitted:
        # It may be meant for something else, so deleting it is offered and not recommended.
        return suggestion([delete(draft.name, "wrong_side")], recommended=False) if draft.resource else None
    if verdict.misfit == Misfit.ONE_BREAST and answer.headline.decision.recommendation == Recommendation.BIOPSY:
        answer, draft = _of_missing_breast(answer, draft), msgspec.structs.replace(draft, resource=None)
    order = usual_order(answer, context, knowledge.orders)
    if order is None:
        return None
    label = order_label(answer)
    # A draft for the other breast may be meant for something else, and a screening is due beside a follow-up: what
    # changes them is not chosen beforehand.
    follow_up = answer.headline.decision.recommendation == Recommendation.SHORT_INTERVAL_FOLLOW_UP
    sure = answer.side_is_sure and verdict.misfit != Misfit.WRONG_SIDE
    sure = sure and not (follow_up and verdict.misfit == Misfit.SCREENING)
    if verdict.misfit in (Misfit.OTHER_BREAST, Misfit.OTHER) or draft.resource is None:
        return suggestion([create(order, label)], recommended=answer.side_is_sure)
    if changed := changed_draft(draft, verdict.misfit, order, answer, knowledge):
        if verdict.misfit == Misfit.LATE:
            return suggestion([update(changed, label)], recommended=sure)
        only_side = changed.get("code") == (draft.resource or {}).get("code")
        action = update_side(changed, answer.laterality) if only_side else update(changed, label)
        return suggestion([action], recommended=sure)
    replaced = [] if context.profile.one_action_per_suggestion else [delete(draft.name, "replaced")]
    return suggestion([create(order, label), *replaced], recommended=answer.side_is_sure and (sure or not replaced))


def changed_draft(
    draft: Draft, misfit: Misfit, order: Mapping[str, Any], answer: BreastAnswer, knowledge: Knowledge
) -> dict[str, Any] | None:
    """Return the whole draft with only what has to change taken from the usual order; None where it still would not fit.

    What results is read again as any order is: it must be for the act and the breast that the finding asks for.
    """
    sent = draft.resource
    if sent is None or _is_r5(sent) != _is_r5(order) or _has_empty_member(sent):
        return None
    for members in _changes(draft, misfit, answer.laterality):
        changed = {**sent, **_taken(members, sent, order)}
        changed = _on_time(changed, draft, order, answer, wanted="category" in members)
        for name in _INSTEAD.keys() & members:
            changed.pop(_INSTEAD[name], None)
        if _fits(changed, answer, knowledge):
            return changed
    return None


def _changes(draft: Draft, misfit: Misfit, side: Laterality) -> Iterator[tuple[str, ...]]:
    """Yield the members to be changed, ever more of them; the time is put right besides."""
    if misfit == Misfit.LATE:
        yield ()
    if misfit in _SIDED and not draft.event.acts <= {Act.MAMMOGRAPHY}:
        yield _SIDE
        yield (*_SIDE, "code")
    elif draft.event.laterality == side:
        yield _KIND
    yield (*_SIDE, *_KIND)
    yield (*_SIDE, *_KIND, "orderDetail")


def _taken(members: tuple[str, ...], sent: Mapping[str, Any], order: Mapping[str, Any]) -> dict[str, Any]:
    """Return members of the usual order; of the extensions only a side that the draft states itself is replaced."""
    taken = {name: order[name] for name in members if name in order and name != "extension"}
    stated = sent.get("extension")
    if "extension" in members and isinstance(stated, list):
        ours = {extension["url"]: extension for extension in order["extension"]}
        taken["extension"] = [_replaced(extension, ours) for extension in cast("list[object]", stated)]
    return taken


def _replaced(extension: object, ours: Mapping[str, object]) -> object:
    members = cast("dict[str, object]", extension) if isinstance(extension, dict) else {}
    return ours.get(str(members.get("url")), cast("object", extension))


def _on_time(
    changed: dict[str, Any], draft: Draft, order: Mapping[str, Any], answer: BreastAnswer, *, wanted: bool
) -> dict[str, Any]:
    """Return the draft with the usual order's time where one after the day by which the act is due, or `wanted` and none."""
    due, planned = answer.headline.due, draft.event.planned
    if not wanted if planned is None else not certainly_before(due, planned):
        return changed
    kept = {name: value for name, value in changed.items() if not name.startswith("occurrence")}
    return kept | {name: value for name, value in order.items() if name.startswith("occurrence")}


def _fits(changed: dict[str, Any], answer: BreastAnswer, knowledge: Knowledge) -> bool:
    wanted = knowledge.ruleset.limits.closing[answer.headline.decision.recommendation].ordered_by
    entries = read_entries([Located(_PLACE, changed)])
    events = read_events(entries, knowledge.terminology, ANY_DAY)
    return any(
        event.path == _PLACE
        and event.acts & wanted
        and not event.acts & (MAMMOGRAMS - wanted)
        and event.laterality == answer.laterality
        and not event.conflict
        for event in events
    )


def _is_placed(answer: BreastAnswer) -> bool:
    """Whether the order on file is active and in time, so that a second one is not needed."""
    item = answer.headline
    order = item.loop.order
    return (
        item.now.state == LoopState.ORDERED
        and order is not None
        and order.standing == Standing.LIVE
        and order.laterality == answer.laterality
        and not certainly_before(item.due, order.planned)
        and not item.overdue
    )


def _of_missing_breast(answer: BreastAnswer, draft: Draft) -> BreastAnswer:
    """Return the answer for the breast that a draft leaves out: a biopsy is ordered for each breast by itself."""
    missing = next(side for side in ONE_BREAST if side != draft.event.laterality)
    return msgspec.structs.replace(answer, laterality=missing)


def _has_empty_member(value: object) -> bool:
    """Whether null or something empty stands anywhere: it would have to be echoed, and CDS Hooks allows no such answer."""
    if isinstance(value, dict):
        members = cast("dict[str, object]", value).values()
    elif isinstance(value, list):
        members = cast("list[object]", value)
    else:
        return value is None or value == ""
    return not members or any(map(_has_empty_member, members))


def _is_r5(order: Mapping[str, Any]) -> bool:
    code = order.get("code")
    return isinstance(code, dict) and "concept" in code
