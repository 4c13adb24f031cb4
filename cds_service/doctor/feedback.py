"""Feedback as clients send it, about cards that this run got itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import orjson

from cds_service.doctor.calls import Case
from cds_service.doctor.checks import Sighting, judged, load_checks, not_offered, not_tried
from cds_service.doctor.exchange import Seen
from cds_service.doctor.json_shape import JsonObject, is_text, items_of, members_of
from cds_service.doctor.session import JSON, Session

COMMENT = "Conformance test with a synthetic patient: please ignore."
_REASON = {"code": "patient-refuses", "system": "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"}
_CHECKS = tuple(check for check in load_checks() if check.startswith("feedback.") and check != "feedback.offered")
_MALFORMED = (b"not json", b"[]", b'{"feedback": "none"}', b'{"feedback": [{"outcome": "overridden"}]}')


def probe_feedback(session: Session, case: Case, polite: bool) -> Iterator[Sighting]:
    """Send feedback about a card of this service."""
    name = case.service.name
    card = _card_with_uuid(session.call(case.service, case.request(case.prefetch)))
    if card is None:
        yield from (not_tried(check, f"{name}: no card with a uuid came") for check in ("feedback.offered", *_CHECKS))
        return
    suggestions = map(members_of, items_of(card.get("suggestions")))
    chosen = next((item["uuid"] for item in suggestions if is_text(item.get("uuid"))), None)
    overridden = _item(card, "overridden", overrideReason={"reason": _REASON, "userComment": COMMENT})
    first = _post(session, case, overridden)
    if first.status in (404, 405, 501):
        yield from (not_offered(check, f"{name}: {first.status}") for check in ("feedback.offered", *_CHECKS))
        return
    yield judged("feedback.offered", True, f"{name}: {first.words}")
    yield _taken("feedback.overridden", first, name)
    yield _taken("feedback.repeat", _post(session, case, overridden), name)
    yield _taken("feedback.without-reason", _post(session, case, _item(card, "overridden")), name)
    if chosen:
        accepted = _item(card, "accepted", acceptedSuggestions=[{"id": chosen}])
        yield _taken("feedback.accepted", _post(session, case, accepted), name)
    else:
        yield not_tried("feedback.accepted", f"{name}: no suggestion with a uuid came")
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
    epic = {**_item(card, "overridden", overrideReasons={"reason": _REASON, "userComment": COMMENT})}
    yield _taken("feedback.epic", _post(session, case, {**epic, "outcomeTimestamp": now}), name)
    if polite:
        yield from (not_tried(check, "left out: --polite") for check in ("feedback.batch", "feedback.malformed"))
        return
    unknown = {**overridden, "card": str(uuid4())}
    yield _taken("feedback.batch", _post(session, case, unknown, _item(card, "overridden")), name)
    for body in _MALFORMED:
        seen = _send(session, case, body)
        yield judged("feedback.malformed", seen.refused, f"{name}: {seen.words}")


def _item(card: JsonObject, outcome: str, **members: object) -> dict[str, object]:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"card": card["uuid"], "outcome": outcome, "outcomeTimestamp": now, **members}


def _post(session: Session, case: Case, *items: JsonObject) -> Seen:
    return _send(session, case, orjson.dumps({"feedback": items}))


def _send(session: Session, case: Case, body: bytes) -> Seen:
    return session.send("POST", f"{session.url_of(case.service)}/feedback", body, JSON)


def _taken(check: str, seen: Seen, name: str) -> Sighting:
    return judged(check, 200 <= seen.status < 300, f"{name}: {seen.words}")


def _card_with_uuid(seen: Seen) -> JsonObject | None:
    cards = map(members_of, items_of(members_of(seen.document()).get("cards")))
    having = [card for card in cards if is_text(card.get("uuid"))]
    suggesting = [card for card in having if items_of(card.get("suggestions"))]
    return next(iter((*suggesting, *having)), None)
