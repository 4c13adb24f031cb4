"""Timelines: charts with a day and what is expected of them (tests/timelines/README.md), through the real services."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import orjson

from cds_service.hooks.service_call import answer_as_sent, context_for
from cds_service.hooks.services import SERVICES
from cds_service.knowledge import load_knowledge
from cds_service.protocol.hook_request import encode_answer, read_hook_request
from cds_service.settings import Settings

SETTINGS = Settings()
KNOWLEDGE = load_knowledge(SETTINGS)
SIDES = ("left", "right", "unspecified")
HOOK_INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"

Timeline = dict[str, Any]
Cards = list[dict[str, Any]]


def read_timelines(folder: Path) -> list[Timeline]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]


def cards_of(timeline: Timeline) -> Cards:
    request = {
        "hook": timeline["hook"],
        "hookInstance": HOOK_INSTANCE,
        "context": timeline["context"],
        "prefetch": timeline["prefetch"],
    }
    service = SERVICES[f"calcification-{timeline['hook']}"]
    today = date.fromisoformat(timeline["today"])
    context = context_for(KNOWLEDGE, SETTINGS, SETTINGS.profile, today)
    read = read_hook_request(orjson.dumps(request), service.service.hook)
    return orjson.loads(encode_answer(answer_as_sent(service, read, context).cards))["cards"]


def disagreements(timeline: Timeline, cards: Cards) -> Iterator[str]:
    """Yield each expectation that the cards do not meet."""
    expect = timeline["expect"]
    by_side = {side: _decision(cards, side) for side in SIDES}
    for member in ("recommendation", "state", "closed_by", "due"):
        for side, wanted in expect.get(member, {}).items():
            shown = by_side[side]
            may_be_silent = not shown and _is_silent(expect, side)
            if shown.get(member) != wanted and not may_be_silent:
                yield f"{member} {side}: {shown.get(member)}, not {wanted}"
    for side, days in expect.get("overdue_days", {}).items():
        if by_side[side].get("overdue_days", 0) != days:
            yield f"overdue_days {side}: {by_side[side].get('overdue_days', 0)}, not {days}"
    least, most = expect.get("card_count", 0), expect.get("card_count_max", expect.get("card_count", len(cards)))
    if not min(least, most) <= len(cards) <= most:
        yield f"{len(cards)} cards, not {least} to {most}"
    text = "\n".join(f"{card['summary']}\n{card['detail']}" for card in cards).lower()
    yield from (f"not mentioned: {words}" for words in expect.get("must_mention", ()) if words.lower() not in text)
    yield from (f"mentioned: {words}" for words in expect.get("must_not", ()) if words.lower() in text)
    orders = sum(
        action.get("resource", {}).get("resourceType") == "ServiceRequest"
        for card in cards
        for suggestion in card.get("suggestions", ())
        for action in suggestion["actions"]
    )
    if orders > expect.get("suggestions_max", orders):
        yield f"{orders} draft orders, not at most {expect['suggestions_max']}"


def _is_silent(expect: dict[str, Any], side: str) -> bool:
    """Whether a side may be without a card: nothing to say, closed, or fewer cards are expected than sides speak."""
    quiet = {None, "closed", "nothing_open", "under_care", "done", "breast_absent", "deceased"}
    return expect.get("state", {}).get(side) in quiet


def _decision(cards: Cards, side: str) -> dict[str, Any]:
    wanted = {"unspecified": ("unknown",)}.get(side, (side, "bilateral"))
    decisions = (card["extension"]["org.fleck.decision"] for card in cards)
    return next((decision for decision in decisions if decision["laterality"] in wanted), {})
