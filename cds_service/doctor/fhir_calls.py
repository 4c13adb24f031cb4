"""What a service does with the client's FHIR server, which we play: is it asked, with the token, and does its mood hurt?"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from cds_service.doctor.calls import Case
from cds_service.doctor.checks import Sighting, judged, load_checks, not_tried
from cds_service.doctor.exchange import Seen
from cds_service.doctor.json_shape import items_of, members_of
from cds_service.doctor.local_server import Arrival, LocalServer
from cds_service.doctor.session import Session
from cds_service.doctor.stand_in import Mood, StandIn

MAX_PAGES = 100
"""Queries for one call beyond which paging counts as unbounded."""

_CHECKS = tuple(check for check in load_checks() if check.startswith("fhir."))


class Hospital(msgspec.Struct, frozen=True):
    """Our servers: the FHIR server with its listener, and another host where no token may arrive."""

    stand_in: StandIn
    server: LocalServer
    elsewhere: LocalServer


class _Call(msgspec.Struct, frozen=True):
    seen: Seen
    arrived: tuple[Arrival, ...]
    strayed: tuple[Arrival, ...]


def probe_fhir(session: Session, case: Case, hospital: Hospital, polite: bool) -> Iterator[Sighting]:
    """Call without prefetch, our FHIR server in one mood after the other."""
    name = case.service.name
    if not case.service.prefetch:
        yield from (not_tried(check, f"{name} asks for no data") for check in _CHECKS)
        return
    strayed = _call(session, case, hospital, Mood.NORMAL, server=f"{hospital.elsewhere.url}/fhir").strayed
    if strayed:
        yield judged("fhir.unregistered", False, f"{name}: {len(strayed)} queries arrived at {hospital.elsewhere.url}")
    plain = _call(session, case, hospital, Mood.NORMAL)
    if not plain.arrived:
        why = f"{name}: {plain.seen.words}; nothing arrived at {case.fhir}: register it as a FHIR server of this client"
        yield from (not_tried(check, why) for check in _CHECKS)
        return
    yield judged("fhir.unregistered", not strayed, f"{name}: nothing arrived at a server that is not registered")
    yield judged(
        "fhir.used", plain.seen.status == 200, f"{name}: {plain.seen.words} after {len(plain.arrived)} queries"
    )
    bare = [arrival for arrival in plain.arrived if arrival.authorization != f"Bearer {case.token}"]
    yield judged("fhir.token", not bare, f"{name}: {len(bare)} of {len(plain.arrived)} queries without the token")
    yield from _partial(session, case, hospital)
    for mood in (Mood.REFUSING, Mood.FAILING, Mood.HTML):
        yield _unusable(_call(session, case, hospital, mood), f"{name}, {mood}")
    yield _stays("fhir.redirect", _call(session, case, hospital, Mood.REDIRECTING), case)
    yield _stays("fhir.foreign-next", _call(session, case, hospital, Mood.LEADING_AWAY), case)
    if polite:
        yield from (not_tried(f"fhir.{check}", "left out: --polite") for check in ("slow", "hanging", "endless-paging"))
        return
    slow = _call(session, case, hospital, Mood.SLOW)
    yield judged("fhir.slow", _in_time(slow, case), f"{name}: {slow.seen.words}")
    hanging = _call(session, case, hospital, Mood.HANGING)
    right = _in_time(hanging, case) and not _silent(hanging.seen)
    yield judged("fhir.hanging", right, f"{name}: {hanging.seen.words}")
    endless = _call(session, case, hospital, Mood.ENDLESS)
    bounded = _in_time(endless, case) and len(endless.arrived) <= MAX_PAGES
    yield judged("fhir.endless-paging", bounded, f"{name}: {endless.seen.words} after {len(endless.arrived)} queries")


def _call(
    session: Session, case: Case, hospital: Hospital, mood: Mood, without: str | None = None, server: str | None = None
) -> _Call:
    """Call with no prefetch, or all but one key, and see what arrives where."""
    hospital.stand_in.mood = mood
    hospital.server.taken()
    hospital.elsewhere.taken()
    rest = {key: value for key, value in case.prefetch.items() if key != without}
    authorization = {
        "access_token": case.token,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.read",
        "subject": "doctor-client",
    }
    request = case.request(rest if without else None)
    request |= {"fhirServer": server or case.fhir, "fhirAuthorization": authorization}
    seen = session.call(case.service, request)
    hospital.stand_in.mood = Mood.NORMAL
    return _Call(seen, tuple(hospital.server.taken()), tuple(hospital.elsewhere.taken()))


def _partial(session: Session, case: Case, hospital: Hospital) -> Iterator[Sighting]:
    found = [key for key, value in case.prefetch.items() if items_of(members_of(value).get("entry"))]
    if len(case.prefetch) < 2 or not found:
        yield not_tried("fhir.rest-of-prefetch", f"{case.service.name}: no part of the prefetch can be left out")
        return
    call = _call(session, case, hospital, Mood.NORMAL, without=found[0])
    fetched = bool(call.arrived)
    words = "fetched" if fetched else "not asked for"
    yield judged(
        "fhir.rest-of-prefetch", fetched, f"{case.service.name}: {call.seen.words}, the missing key was {words}"
    )


def _unusable(call: _Call, name: str) -> Sighting:
    right = call.seen.status == 412 or (call.seen.status == 200 and not _silent(call.seen))
    return judged("fhir.unusable", right, f"{name}: {call.seen.words}{', no card' if _silent(call.seen) else ''}")


def _stays(check: str, call: _Call, case: Case) -> Sighting:
    leaked = [arrival for arrival in call.strayed if case.token in arrival.authorization]
    words = "the token arrived at another host" if leaked else "the token went nowhere else"
    return judged(check, not leaked, f"{case.service.name}: {words} ({call.seen.words})")


def _silent(seen: Seen) -> bool:
    return seen.status == 200 and not items_of(members_of(seen.document()).get("cards"))


def _in_time(call: _Call, case: Case) -> bool:
    return not call.seen.crashed and call.seen.seconds <= case.patience
