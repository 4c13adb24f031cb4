"""Who may call: without a token, with a good one, with forged ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import msgspec

from cds_service.doctor.checks import Sighting, judged, load_checks, not_offered, not_tried
from cds_service.doctor.exchange import Seen
from cds_service.doctor.json_shape import JsonObject
from cds_service.doctor.local_server import LocalServer
from cds_service.doctor.service import Service, encode
from cds_service.doctor.session import JSON, Session
from cds_service.doctor.tokens import Forgery, Identity, forge, load_forgeries, sign

_INTERNALS = re.compile(rb'Traceback|File "|\.py\b|\bat [a-z]+\.[A-Za-z.]+\(|Exception|InvalidSignature|DecodeError')
_BY_TOKENS = tuple(
    check for check in load_checks() if check.startswith("trust.") and check not in ("trust.closed", "trust.challenge")
)
_JKU = "trust.jku-not-fetched"


class Door(msgspec.Struct, frozen=True):
    """Where tokens are tried: `knock` calls the service with one, or without; `audience` is what a good one names."""

    knock: Callable[[str | None], Seen]
    audience: str
    listener: LocalServer


def probe_trust(
    session: Session, service: Service, request: JsonObject, listener: LocalServer, polite: bool
) -> Iterator[Sighting]:
    """Knock without and with tokens. `listener` is where a foreign jku leads."""
    url, body, identity = session.url_of(service), encode(request), session.identity

    def knock(token: str | None) -> Seen:
        return session.wire.send("POST", url, {**JSON, **({"Authorization": f"Bearer {token}"} if token else {})}, body)

    bare = knock(None)
    closed = bare.status in (401, 403)
    yield judged("trust.closed", closed, bare.words if closed else f"open: {bare.words} without a token")
    if not closed:
        yield from (not_offered(check, "the service asks for no token") for check in ("trust.challenge", *_BY_TOKENS))
        return
    yield _challenge(bare, "no token")
    if identity is None:
        yield from (not_tried(check, "give --issuer, and --key or --serve-jwks") for check in _BY_TOKENS)
        return
    door = Door(knock, session.audience_of(identity, url), listener)
    good = knock(sign(identity, door.audience))
    listing = session.send("GET", session.discovery_url)
    accepted = _let_in(good) and listing.status == 200
    yield judged("trust.accepted", accepted, f"call {good.words}; discovery {listing.words}")
    if polite:
        yield from (not_tried(check, "left out: --polite") for check in _BY_TOKENS if check != "trust.accepted")
        return
    # Without an accepted token a refusal proves nothing; that a foreign jku is fetched is seen all the same.
    forgeries = load_forgeries()
    for forgery in forgeries if accepted else [item for item in forgeries if "jku" in item.header]:
        yield from _try_forged(door, identity, forgery, judge=accepted)
    if not accepted:
        yield from (not_tried(check, "a good token is refused too") for check in _BY_TOKENS if check != _JKU)
        return
    array = knock(sign(identity, [door.audience, "https://another-service.invalid"]))
    yield judged("trust.audience-array", _let_in(array), array.words)
    token = sign(identity, door.audience)
    first, again = knock(token), knock(token)
    yield from _refusal("trust.replay", again, token, f"first {first.status}, again {again.words}")


def _try_forged(door: Door, identity: Identity, forgery: Forgery, judge: bool) -> Iterator[Sighting]:
    token = forge(identity, forgery, door.audience, f"{door.listener.url}/jwks.json")
    door.listener.taken()
    seen = door.knock(token)
    if judge:
        yield from _refusal(forgery.check, seen, token, f"{seen.words} ({forgery.words})")
    if "jku" in forgery.header:
        fetched = bool(door.listener.taken())
        yield judged(_JKU, not fetched, "the service fetched our URL" if fetched else "not fetched")


def _refusal(check: str, seen: Seen, token: str, words: str) -> Iterator[Sighting]:
    yield judged(check, seen.status in (401, 403), words)
    if not _let_in(seen):
        yield _challenge(seen, check)
        leak = "internals" if _INTERNALS.search(seen.body) else ""
        if any(part.encode() in seen.body for part in token.split(".") if part):
            leak = "parts of the token"
        yield judged("trust.no-leak", not leak, f"{leak} in the body ({check})" if leak else "nothing")


def _challenge(seen: Seen, case: str) -> Sighting:
    challenged = seen.status == 401 and bool(seen.headers.get("www-authenticate"))
    words = "401 with WWW-Authenticate" if challenged else f"{seen.status} without WWW-Authenticate ({case})"
    if not challenged and seen.headers.get("www-authenticate"):
        words = f"{seen.status}, not 401 ({case})"
    return judged("trust.challenge", challenged, words)


def _let_in(seen: Seen) -> bool:
    return seen.status not in (401, 403) and not seen.crashed
