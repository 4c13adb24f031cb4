"""What a browser-based client needs: preflights without a token, and answers that the browser hands over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cds_service.doctor.checks import Sighting, judged, not_tried
from cds_service.doctor.exchange import Seen
from cds_service.doctor.session import Session

FOREIGN = "https://unknown-origin.invalid"
_CHECKS = ("preflight-get", "preflight-post", "answer", "vary", "no-credentials", "foreign-origin")


def probe_cors(session: Session, origin: str | None, post_url: str | None) -> Iterator[Sighting]:
    """Ask as a browser on a page of `origin` would, and as one on a page that nobody knows."""
    if not origin:
        yield from (
            not_tried(f"cors.{name}", "give the origin of a browser-based client with --origin") for name in _CHECKS
        )
        return
    preflights = [("preflight-get", "GET", session.discovery_url)]
    preflights += [("preflight-post", "POST", post_url)] if post_url else []
    for name, method, url in preflights:
        seen = _preflight(session, url, method, origin)
        fault = _preflight_fault(seen, origin, method)
        yield judged(f"cors.{name}", not fault, fault or seen.words)
        yield _credentials(seen)
    answer = session.send("GET", session.discovery_url, headers={"Origin": origin})
    granted = answer.headers.get("access-control-allow-origin", "")
    yield judged("cors.answer", granted in (origin, "*"), "granted" if granted else "no Access-Control-Allow-Origin")
    varies = [part.strip().lower() for part in answer.headers.get("vary", "").split(",")]
    for_one = granted == origin
    yield judged(
        "cors.vary", not for_one or "origin" in varies, "Vary: Origin" if "origin" in varies else "no Vary: Origin"
    )
    yield _credentials(answer)
    foreign = [
        _preflight(session, session.discovery_url, "GET", FOREIGN),
        session.send("GET", session.discovery_url, headers={"Origin": FOREIGN}),
    ]
    let_in = any(seen.headers.get("access-control-allow-origin") in (FOREIGN, "*") for seen in foreign)
    yield judged("cors.foreign-origin", not let_in, "granted to any origin" if let_in else "not granted")


def _preflight(session: Session, url: str, method: str, origin: str) -> Seen:
    asked: Mapping[str, str] = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization, content-type",
    }
    return session.wire.send("OPTIONS", url, asked)


def _preflight_fault(seen: Seen, origin: str, method: str) -> str:
    if not 200 <= seen.status < 300:
        return seen.words
    if seen.headers.get("access-control-allow-origin") not in (origin, "*"):
        return "the origin is not granted"
    allowed = [name.strip().lower() for name in seen.headers.get("access-control-allow-headers", "").split(",")]
    if "authorization" not in allowed:
        return "Access-Control-Allow-Headers lacks Authorization"
    if method == "POST" and not {"content-type", "*"} & set(allowed):
        return "Access-Control-Allow-Headers lacks Content-Type"
    return ""


def _credentials(seen: Seen) -> Sighting:
    sent = "access-control-allow-credentials" in seen.headers
    return judged("cors.no-credentials", not sent, "sent" if sent else "not sent")
