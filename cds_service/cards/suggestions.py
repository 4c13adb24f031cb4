"""What a card suggests: the usual draft order, and the actions of CDS Hooks as clients take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import uuid4

from cds_service.cards.answers import BreastAnswer
from cds_service.cards.card_context import CardContext
from cds_service.cards.text import TEXT
from fhir_models.orders import OrderKind, OrderTemplates, order_text
from rules.vocabulary import Laterality, Recommendation

Suggestion = Mapping[str, Any]
Action = Mapping[str, Any]


def usual_order(answer: BreastAnswer, context: CardContext, orders: OrderTemplates) -> dict[str, Any] | None:
    """Return the draft order of a breast, None where none may be offered.

    The state must allow it, the side be certain, and the orders on file have come.
    """
    item = answer.headline
    decision = item.decision
    if not item.now.draft or not context.gaps.orders_received:
        return None
    return orders.draft(
        recommendation=decision.recommendation,
        laterality=answer.laterality,
        size_class=decision.size_class,
        months=decision.interval_months,
        due=item.due,
        today=context.today,
        patient_id=context.patient_id,
        version=context.fhir_version,
        intent=context.profile.order_intent,
        receiver=context.profile.order_codes,
    )


def order_label(answer: BreastAnswer) -> str:
    """Return the name of the usual order in words."""
    decision = answer.headline.decision
    return _label(decision.recommendation, answer.laterality, decision.interval_months)


def create(order: Mapping[str, Any], label: str) -> Action:
    """Return the action that places a new order."""
    return {"type": "create", "description": TEXT["action"]["create"].format(order=label), "resource": order}


def update(draft: Mapping[str, Any], label: str) -> Action:
    """Return the action that changes a draft into another order; `draft` is the whole resource."""
    return {"type": "update", "description": TEXT["action"]["update"].format(order=label), "resource": draft}


def update_side(draft: Mapping[str, Any], laterality: Laterality) -> Action:
    """Return the action that changes the side of a draft; `draft` is the whole resource."""
    side = TEXT["side"][laterality].lower()
    return {"type": "update", "description": TEXT["action"]["side"].format(side=side), "resource": draft}


def delete(name: str, why: str) -> Action:
    """Return the action that deletes a draft; `name` is its type and id, `why` a key of the card text."""
    return {"type": "delete", "description": TEXT["action"][why], "resourceId": name}


def suggestion(actions: Sequence[Action], *, recommended: bool) -> Suggestion:
    """Return a suggestion of actions that belong together, labelled as the first of them."""
    preferred = {"isRecommended": True} if recommended else {}
    return {"label": actions[0]["description"], "uuid": str(uuid4()), **preferred, "actions": list(actions)}


def usual_suggestion(answer: BreastAnswer, context: CardContext, orders: OrderTemplates) -> Suggestion | None:
    """Return the suggestion to place the usual order, None where none may be offered."""
    order = usual_order(answer, context, orders)
    return suggestion([create(order, order_label(answer))], recommended=answer.side_is_sure) if order else None


@lru_cache(256)
def _label(recommendation: Recommendation, laterality: Laterality, months: str | None) -> str:
    return order_text(OrderKind(recommendation, laterality, months, True, "R4", "proposal"))
