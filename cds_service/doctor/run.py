"""The examination: which probes run, in which order, and with what they need of each other."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import date
from itertools import chain
from urllib.parse import urlsplit
from uuid import uuid4

import msgspec

from cds_service.doctor.calls import Case, probe_calls
from cds_service.doctor.cards import judge_answers
from cds_service.doctor.checks import Finding, Sighting, Verdict, find_verdicts, load_checks, not_tried
from cds_service.doctor.cors import probe_cors
from cds_service.doctor.discovery import probe_discovery
from cds_service.doctor.exchange import NO_ANSWER, Wire
from cds_service.doctor.feedback import probe_feedback
from cds_service.doctor.fhir_calls import Hospital, probe_fhir
from cds_service.doctor.fixtures import example_chart, example_contexts
from cds_service.doctor.json_shape import JsonObject
from cds_service.doctor.local_server import LOOPBACK, Reply, serving
from cds_service.doctor.malformed import probe_huge, probe_malformed, probe_unknown_service
from cds_service.doctor.prefetch_shapes import full_prefetch
from cds_service.doctor.service import Service, encode, offered_services
from cds_service.doctor.session import JSON, Session
from cds_service.doctor.stand_in import PATH, StandIn
from cds_service.doctor.templates import judge_templates
from cds_service.doctor.tokens import Identity, key_set
from cds_service.doctor.trust import probe_trust


class CannotExamineError(Exception):
    """There is nothing to judge: nothing answers, or no service has the id that was named."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How to examine. `url` is the base URL or that of discovery; `sections` and `services` narrow it (empty: all).

    `contexts` (hook to context) and `prefetch` (key to value) go before the examples. `fhir_url` is how the service reaches
    our FHIR server, if not by this machine's loopback; `jwks_port` serves our key set. `timeout` is in seconds.
    """

    url: str
    today: date
    sections: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    timeout: float = 15.0
    polite: bool = False
    huge_megabytes: int = 16
    origin: str | None = None
    identity: Identity | None = None
    contexts: Mapping[str, JsonObject] = {}
    prefetch: Mapping[str, object] | None = None
    fhir_url: str | None = None
    fhir_port: int = 0
    jwks_port: int | None = None
    verify: ssl.SSLContext | bool = True


class Report(msgspec.Struct, frozen=True):
    """What came of it."""

    url: str
    findings: tuple[Finding, ...]

    def count(self, verdict: Verdict) -> int:
        """How many checks got this verdict."""
        return sum(finding.verdict is verdict for finding in self.findings)


def base_of(url: str) -> str:
    """Return the base URL of a base or discovery URL."""
    return url.rstrip("/").removesuffix("/cds-services").rstrip("/")


def examine(options: Options) -> Report:
    """Examine a running service.

    Raises:
        CannotExamineError: nothing answers, or no service has one of the ids that were named.
        OSError: a port for our own servers is taken.
    """
    with ExitStack() as stack:
        wire = Wire(options.timeout, options.verify)
        stack.callback(wire.close)
        hospital = _open_hospital(options, stack)
        session = Session(wire, base_of(options.url), options.identity)
        wanted = options.sections or frozenset(check.section for check in load_checks().values())
        sightings = list(_sightings(session, hospital, options, wanted))
    return Report(session.base, find_verdicts(sightings, wanted))


def _open_hospital(options: Options, stack: ExitStack) -> Hospital:
    """Start our servers. `elsewhere` also catches a foreign jku that is fetched."""
    name = urlsplit(options.fhir_url).hostname if options.fhir_url else None
    elsewhere = stack.enter_context(serving(lambda _: Reply(status=404), name=name or LOOPBACK))
    stand_in = StandIn(example_chart(options.today), elsewhere.url)
    server = stack.enter_context(serving(stand_in.answer, options.fhir_port, name or LOOPBACK))
    stand_in.base = options.fhir_url.rstrip("/") if options.fhir_url else server.url + PATH
    stack.callback(stand_in.closing.set)
    if options.jwks_port is not None and options.identity:
        keys = Reply(body=key_set(options.identity.key, options.identity.kid), media_type="application/json")
        stack.enter_context(serving(lambda _: keys, options.jwks_port, name or LOOPBACK))
    return Hospital(stand_in, server, elsewhere)


def _sightings(session: Session, hospital: Hospital, options: Options, wanted: frozenset[str]) -> Iterator[Sighting]:
    first = session.send("GET", session.discovery_url)
    if first.status == NO_ANSWER:
        raise CannotExamineError(f"{session.discovery_url}: {first.trouble}")
    services = _chosen(offered_services(first.document()), options.services)
    if "discovery" in wanted:
        yield from probe_discovery(session, first)
    if "templates" in wanted:
        yield from chain.from_iterable(map(judge_templates, services))
    if "cors" in wanted:
        yield from probe_cors(session, options.origin, session.url_of(services[0]) if services else None)
    yield from _calling(session, services, hospital, options, wanted - {"discovery", "templates", "cors"})


def _calling(
    session: Session, services: Sequence[Service], hospital: Hospital, options: Options, wanted: frozenset[str]
) -> Iterator[Sighting]:
    cases = [case for service in services if (case := _case(service, hospital, options))]
    if not cases:
        why = "no context is known for the hooks: give --context" if services else "discovery lists no service"
        yield from _all_not_tried(wanted, why)
        return
    knock = cases[0].request(cases[0].prefetch)
    if "trust" in wanted:
        yield from probe_trust(session, cases[0].service, knock, hospital.elsewhere, options.polite)
    others = wanted - {"trust"}
    if others and (status := session.send("POST", session.url_of(cases[0].service), encode(knock), JSON).status) in (
        401,
        403,
    ):
        why = (
            "our token is refused: see trust.accepted"
            if session.identity
            else "a token is asked for: give --issuer and --key"
        )
        yield from _all_not_tried(others, f"{status}: {why}")
        return
    yield from _examine_services(session, cases, hospital, options, others)
    if "calls" in wanted:
        known = [case.service for case in cases]
        for service in (service for service in services if service not in known):
            yield not_tried("calls.full", f"{service.id}: no context is known for its hook, give --context")


def _examine_services(
    session: Session, cases: Sequence[Case], hospital: Hospital, options: Options, wanted: frozenset[str]
) -> Iterator[Sighting]:
    """Every service in every way; what concerns the server as a whole with the first one."""
    if wanted & {"calls", "cards"}:
        yield from chain.from_iterable(probe_calls(session, case) for case in cases)
    if "fhir" in wanted:
        yield from chain.from_iterable(probe_fhir(session, case, hospital, options.polite) for case in cases)
    if "malformed" in wanted:
        if options.polite:
            yield from _all_not_tried(frozenset({"malformed"}), "left out: --polite")
        else:
            yield from chain.from_iterable(probe_malformed(session, case) for case in cases)
            yield from probe_unknown_service(session, cases[0])
            yield from probe_huge(session, cases[0], options.huge_megabytes)
    if "feedback" in wanted:
        yield from chain.from_iterable(probe_feedback(session, case, options.polite) for case in cases)
    if "cards" in wanted:
        yield from judge_answers(session.answered)


def _all_not_tried(wanted: frozenset[str], why: str) -> Iterator[Sighting]:
    return (not_tried(check.id, why) for check in load_checks().values() if check.section in wanted)


def _chosen(services: Sequence[Service], named: frozenset[str]) -> Sequence[Service]:
    if unknown := named - {service.id for service in services}:
        raise CannotExamineError(f"discovery lists no service {', '.join(sorted(unknown))}")
    return [service for service in services if not named or service.id in named]


def _case(service: Service, hospital: Hospital, options: Options) -> Case | None:
    context = (example_contexts(options.today) | dict(options.contexts)).get(service.hook)
    if context is None:
        return None
    prefetch = full_prefetch(service.prefetch, hospital.stand_in.chart)
    given = {key: value for key, value in (options.prefetch or {}).items() if key in service.prefetch}
    return Case(service, context, prefetch | given, hospital.stand_in.base, f"doctor-{uuid4()}")
