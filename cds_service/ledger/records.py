"""What the ledger is told: a call with its cards, and feedback on a card."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import msgspec

from cds_service.hooks.prefetch import Delivery
from cds_service.hooks.prefetch_keys import PATIENT_CHART
from cds_service.protocol.feedback import FeedbackItem
from fhir_models.reading import Unread

DECISION = "org.fleck.decision"
"""The extension in which our cards carry their decision."""

OTHER_TYPE = "other"
"""Stands for a resource type that no prefetch key asks for; what a sender wrote in its place is not kept."""

_ASKED_TYPES = frozenset(kind for key in PATIENT_CHART for kind in key.types)
_TYPE = re.compile(r"[A-Za-z]+")


class CardRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A card as given. The words are those of the card's decision extension; `suggestions` are their uuids."""

    uuid: str
    recommendation: str
    laterality: str
    state: str
    indicator: str
    state_rule: str | None = None
    rules: tuple[str, ...] = ()
    discordance: str | None = None
    estimated_category: str | None = None
    reported_category: str | None = None
    flags: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()


class CallRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A call that was answered, or refused with `status`.

    `given_at` has a zone. `patient_id` never reaches the store: a keyed hash of it does. `gaps` are prefetch keys of ours
    that did not come whole (absent, failed, incomplete); `unread` counts what could not be used, by resource type.
    """

    given_at: datetime
    service: str
    hook: str
    client: str
    milliseconds: float
    status: int
    hook_instance: str | None = None
    patient_id: str | None = None
    table_version: str | None = None
    cards: Sequence[CardRecord] = ()
    gaps: Mapping[str, str] = {}
    unread: Mapping[str, int] = {}


class FeedbackRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An item of feedback with who sent it, to which service, and when it came (with a zone)."""

    item: FeedbackItem
    client: str
    service: str
    received_at: datetime


def card_record(card: Mapping[str, Any]) -> CardRecord:
    """Return what is kept of a card of ours."""
    decision = cast("Mapping[str, Any]", card["extension"][DECISION])
    return CardRecord(
        uuid=card["uuid"],
        recommendation=decision["recommendation"],
        laterality=decision["laterality"],
        state=decision["state"],
        indicator=card["indicator"],
        state_rule=decision.get("state_rule"),
        rules=tuple(decision.get("rules", ())),
        discordance=decision.get("discordance"),
        estimated_category=decision.get("estimated_category"),
        reported_category=decision.get("reported_category"),
        flags=tuple(decision.get("flags", ())),
        suggestions=tuple(suggestion["uuid"] for suggestion in card.get("suggestions", ())),
    )


def gaps_of(delivery: Delivery) -> dict[str, str]:
    """Return the prefetch keys that did not come whole, each with what became of it."""
    return {
        **dict.fromkeys(delivery.incomplete, "incomplete"),
        **dict.fromkeys(delivery.absent, "absent"),
        **dict.fromkeys(delivery.failed, "failed"),
    }


def unread_counts(unread: Iterable[Unread]) -> dict[str, int]:
    """Count what could not be used by resource type."""
    kinds = (_TYPE.match(item.resource) for item in unread)
    return Counter(kind[0] if kind and kind[0] in _ASKED_TYPES else OTHER_TYPE for kind in kinds)
