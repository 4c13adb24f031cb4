"""Calls as clients make them: with all prefetch, with none, and in every shape that clients and versions send."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import msgspec

from cds_service.doctor.checks import Sighting, judged, not_offered, not_tried
from cds_service.doctor.discovery import QUICK_SECONDS
from cds_service.doctor.exchange import Seen
from cds_service.doctor.fixtures import load_hooks, read_table
from cds_service.doctor.json_shape import JsonObject, items_of, members_of
from cds_service.doctor.prefetch_shapes import shaped
from cds_service.doctor.service import Service, new_request
from cds_service.doctor.session import Session

PATIENCE_SECONDS = 5.0
"""What a client waits where the hook says nothing else."""


class Variant(msgspec.Struct, frozen=True):
    """How a call differs from the plain one (request_variants.toml)."""

    check: str
    statuses: tuple[int, ...]
    prefetch: str = "full"
    add: Mapping[str, Any] = {}
    context: Mapping[str, Any] = {}
    what: str = ""


class Case(msgspec.Struct, frozen=True):
    """A service with the context and the whole prefetch that it is called with. `fhir` and `token` are of our stand-in."""

    service: Service
    context: JsonObject
    prefetch: Mapping[str, object]
    fhir: str
    token: str

    @property
    def patience(self) -> float:
        """Seconds that a client waits for this hook."""
        hook = load_hooks().get(self.service.hook)
        return hook.seconds if hook else PATIENCE_SECONDS

    def request(self, prefetch: Mapping[str, object] | None) -> dict[str, object]:
        """Return a plain call with this prefetch."""
        return new_request(self.service, self.context, prefetch)


def probe_calls(session: Session, case: Case) -> Iterator[Sighting]:
    """Call one service in every way."""
    name = case.service.name
    full = session.call(case.service, case.request(case.prefetch))
    again = session.call(case.service, case.request(case.prefetch))
    cards = _cards(full)
    yield judged("calls.full", full.status == 200, f"{name}: {full.words}")
    yield judged("calls.cards", True, f"{name}: {cards}") if cards else not_offered("calls.cards", f"{name}: no card")
    if full.status != 200:
        why = f"{name}: not even the whole prefetch was answered"
        yield from (not_tried(check, why) for check in {variant.check for variant in _variants()})
        return
    yield judged("calls.repeat", again.status == 200, f"{name}: {again.words}")
    fastest = min(full.seconds, again.seconds)
    yield judged("calls.latency", fastest <= QUICK_SECONDS, f"{name}: {fastest * 1000:.0f} ms")
    if case.service.prefetch:
        yield _without_data(session, case, cards)
        yield _failed_queries(session, case)
    slowest = full
    for variant in _variants():
        seen = session.call(case.service, _changed(case, variant))
        slowest = max(slowest, seen, key=lambda item: item.seconds)
        what = f" ({variant.what})" if variant.what else ""
        yield judged(variant.check, seen.status in variant.statuses, f"{name}: {seen.words}{what}")
    yield judged(
        "calls.abandoned",
        not slowest.trouble and slowest.seconds <= case.patience,
        f"{name}: at most {slowest.seconds:.1f} s",
    )


def _without_data(session: Session, case: Case, cards: int) -> Sighting:
    """Silence without data is wrong where data makes a card; a service that never needs data may answer."""
    seen = session.call(case.service, case.request(None))
    if seen.status == 200:
        silent = cards > 0 and not _cards(seen)
        words = f"{seen.words}, without a card" if silent else f"{seen.words}: it seems to need none"
        return judged("calls.no-data", not silent, f"{case.service.name}: {words}")
    return judged("calls.no-data", seen.status == 412, f"{case.service.name}: {seen.words}")


def _failed_queries(session: Session, case: Case) -> Sighting:
    seen = session.call(case.service, case.request(shaped(case.prefetch, "outcome-value")))
    right = seen.status == 412 or (seen.status == 200 and _cards(seen) > 0)
    silent = ", no card: taken for an empty history" if seen.status == 200 and not right else ""
    return judged("calls.outcome-value", right, f"{case.service.name}: {seen.words}{silent}")


def _changed(case: Case, variant: Variant) -> JsonObject:
    request = case.request(shaped(case.prefetch, variant.prefetch))
    context = {**case.context, **variant.context}
    return {**request, "context": context, **_filled(variant.add, {"{fhir}": case.fhir, "{token}": case.token})}


def _filled(value: Mapping[str, Any], places: Mapping[str, str]) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    for name, member in value.items():
        if isinstance(member, dict):
            filled[name] = _filled(cast("dict[str, Any]", member), places)
        elif isinstance(member, str):
            for place, text in places.items():
                member = member.replace(place, text)
            filled[name] = member
        else:
            filled[name] = member
    return filled


def _cards(seen: Seen) -> int:
    return len(items_of(members_of(seen.document()).get("cards")))


def _variants() -> list[Variant]:
    return msgspec.convert(members_of(read_table("request_variants.toml"))["variant"], list[Variant])
