"""Each fault that is planted into a good service turns its checks red, and no other."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Generator
from datetime import date
from typing import Any

import jwt
import msgspec
import pytest

from cds_service.doctor.checks import Level, Outcome, Verdict, load_checks
from cds_service.doctor.discovery import judge_transport
from cds_service.doctor.malformed import SECRETS
from cds_service.doctor.run import Options, Report, examine
from cds_service.doctor.table import encode_report
from cds_service.doctor.tokens import Identity, algorithm_of, key_id, new_key
from tests.cds_service.doctor.faults import FAULTS
from tests.cds_service.doctor.little_service import NO_TLS, ORIGIN, PATH, Asked, Fault, LittleService, Told, running
from tests.cds_service.doctor.planting import on, status, when

KEY = new_key("ES384")
ISSUER = "https://doctor.example.org"
NONE = Fault()

Examine = Callable[..., Report]


@pytest.fixture(scope="module")
def fhir_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


@pytest.fixture(scope="module")
def service(fhir_port: int) -> Generator[LittleService]:
    app = LittleService(ISSUER, {key_id(KEY): KEY.public_key()}, f"http://127.0.0.1:{fhir_port}/fhir")
    with running(app):
        yield app


@pytest.fixture
def examined(service: LittleService, fhir_port: int) -> Generator[Examine]:
    """Examine the little service with a fault, as the client whose key it knows."""
    identity = Identity(issuer=ISSUER, key=KEY, algorithm=algorithm_of(KEY), kid=key_id(KEY), audience=service.base)

    def run(fault: Fault = NONE, *sections: str, **options: Any) -> Report:
        service.fault = fault
        given = Options(
            url=service.base,
            today=date(2026, 2, 2),
            sections=frozenset(sections),
            timeout=1.0,
            huge_megabytes=1,
            origin=ORIGIN,
            identity=identity,
            fhir_port=fhir_port,
            verify=NO_TLS,
        )
        return examine(msgspec.structs.replace(given, **options))

    yield run
    service.fault = NONE


TIMED = {"discovery.latency", "calls.latency"}
"""A busy machine may turn these red, so they count only where they are expected."""

HANGING = {"fhir.hanging", "calls.abandoned"}


def red(report: Report) -> set[str]:
    return {finding.check.id for finding in report.findings if finding.verdict in (Verdict.FAIL, Verdict.WARN)}


def test_a_good_service_passes_every_check(examined: Examine) -> None:
    others = {item.check.id: item.verdict for item in examined().findings if item.verdict is not Verdict.PASS}
    assert {name: verdict for name, verdict in others.items() if name not in TIMED} == {
        "discovery.https": Verdict.NOT_TRIED
    }


@pytest.mark.parametrize(("fault", "expected"), [pytest.param(*row[1:], id=f"{row[2][0]}: {row[0]}") for row in FAULTS])
def test_a_fault_turns_its_checks_red_and_no_other(fault: Fault, expected: tuple[str, ...], examined: Examine) -> None:
    section = expected[0].partition(".")[0]
    timeout = 1.0 if HANGING & set(expected) else 10.0
    report = examined(fault, section, timeout=timeout)
    assert red(report) - (TIMED - set(expected)) == set(expected)


def test_every_check_that_can_be_missed_has_a_fault() -> None:
    missable = {check.id for check in load_checks().values() if check.level is not Level.MAY}
    seen = {check for _, _, expected in FAULTS for check in expected}
    assert missable - seen == {"discovery.https"}


@pytest.mark.parametrize(
    ("base", "outcome"),
    [
        ("http://cds.example.org", Outcome.MISSED),
        ("https://cds.example.org", Outcome.MET),
        ("http://localhost:8000", Outcome.NOT_TRIED),
    ],
)
def test_only_a_service_on_this_machine_may_speak_plain_http(base: str, outcome: Outcome) -> None:
    assert judge_transport(base).outcome is outcome


def test_what_a_service_does_not_offer_is_no_fault(examined: Examine) -> None:
    missing = when(on(f"{PATH}/feedback"), status(404))
    assert {item.verdict for item in examined(missing, "feedback").findings} == {Verdict.NOT_OFFERED}


def test_without_a_key_a_closed_service_is_not_judged(examined: Examine) -> None:
    report = examined(NONE, "trust", "calls", "cards", "feedback", "malformed", "fhir", identity=None)
    tried = {item.check.id for item in report.findings if item.verdict is not Verdict.NOT_TRIED}
    assert tried == {"trust.closed", "trust.challenge"}
    assert not red(report)


def test_where_no_token_of_ours_is_accepted_a_refusal_proves_nothing(examined: Examine, service: LittleService) -> None:
    stranger = new_key("RS384")
    identity = Identity(issuer=ISSUER, key=stranger, algorithm="RS384", kid="stranger", audience=service.base)
    report = examined(NONE, "trust", identity=identity)
    assert red(report) == {"trust.accepted"}
    passed = {item.check.id for item in report.findings if item.verdict is Verdict.PASS}
    assert passed == {"trust.closed", "trust.challenge", "trust.jku-not-fetched"}


def test_an_rsa_key_is_as_good(examined: Examine, service: LittleService) -> None:
    key = new_key("RS384")
    service.keys["rsa"] = key.public_key()
    identity = Identity(issuer=ISSUER, key=key, algorithm="RS384", kid="rsa", audience=service.base)
    assert not red(examined(NONE, "trust", identity=identity))


def test_polite_sends_nothing_hostile(examined: Examine, service: LittleService) -> None:
    arrived: list[Asked] = []

    def note(asked: Asked, told: Told) -> Told:
        arrived.append(asked)
        return told

    examined(Fault(change=note), polite=True)
    posted = [asked for asked in arrived if asked.path == PATH and asked.method == "POST"]
    assert posted
    assert all(asked.json.get("hook") == "patient-view" and len(asked.body) < 100_000 for asked in posted)
    algorithms = {jwt.get_unverified_header(token)["alg"] for asked in posted if (token := token_of(asked))}
    assert algorithms == {"ES384"}
    jtis = [
        jwt.decode(token_of(asked), options={"verify_signature": False})["jti"] for asked in posted if token_of(asked)
    ]
    assert len(jtis) == len(set(jtis))


def token_of(asked: Asked) -> str:
    return asked.headers.get("authorization", "").removeprefix("Bearer ")


def test_feedback_is_about_cards_of_this_run(examined: Examine) -> None:
    given: set[str] = set()
    named: set[str] = set()

    def note(asked: Asked, told: Told) -> Told:
        if asked.path == PATH and told.status == 200:
            given.update(card["uuid"] for card in json.loads(told.body)["cards"])
        elif asked.path == f"{PATH}/feedback":
            named.update(item["card"] for item in asked.json.get("feedback", ()))
        return told

    examined(Fault(change=note), "feedback", polite=True)
    assert named
    assert named <= given


def test_the_report_holds_no_token_and_nothing_of_the_chart(examined: Examine) -> None:
    def tells(asked: Asked, told: Told) -> Told:
        return Told(400, asked.body + token_of(asked).encode(), told.headers)

    shown = encode_report(examined(Fault(change=tells))).decode() + encode_report(examined()).decode()
    for secret in ("eyJ", "Synthetic", "1971-06-30", *SECRETS):
        assert secret not in shown
