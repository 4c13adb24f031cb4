"""Whatever a server does, a key is there, or it is missing with a word that says why; and nobody else gets the token."""

from __future__ import annotations

import socket

import pytest

from cds_service.fhir_client.exchange import FetchLimits
from cds_service.hooks.key_fate import KeyFate, Reason
from tests.cds_service.fhir_client.conftest import LIMITS, PATIENT, Complete, fate, ids, report, without
from tests.cds_service.fhir_client.fhir_server import (
    Act,
    FhirServer,
    announces_too_much,
    breaks_off,
    compresses,
    drips,
    ends_early,
    hangs,
    redirects_to,
    says,
    searchset,
    sends_headers_slowly,
    sends_without_end,
    speaks_no_http,
)

FOUND = says(searchset(report("r1")))
IMPATIENT = FetchLimits(seconds=0.5)
SMALL = FetchLimits(seconds=30, page_bytes=200_000)
FEW = FetchLimits(seconds=30, resources=3)
ERROR = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "processing"}]}
WARNING = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "not-found"}]}
OUTCOME_ENTRY = {
    "resourceType": "Bundle", "type": "searchset", "total": 0,
    "entry": [{"resource": WARNING, "search": {"mode": "outcome"}}],
}  # fmt: skip
TWICE = b'{"resourceType": "Bundle", "resourceType": "Bundle", "entry": []}'
HTML = b"<!doctype html><title>Sign in</title>"

ANSWERS: list[tuple[str, Act | list[Act], FetchLimits, str | None, int]] = [
    # what the server does, as acts; limits; why the key fails (None: it is fetched); how often the server is asked
    ("answers", FOUND, LIMITS, None, 1),
    ("finds nothing", says(searchset()), LIMITS, None, 1),
    ("finds nothing, and says so in an entry", says(OUTCOME_ENTRY), LIMITS, None, 1),
    ("finds nothing, and says so in an outcome", says(WARNING), LIMITS, None, 1),
    ("answers as a collection", says(searchset(report("r1"), type="collection")), LIMITS, None, 1),
    ("answers as text/html", says(searchset(report("r1")), Content_Type="text/html"), LIMITS, None, 1),
    ("never answers", hangs, IMPATIENT, "timeout", 1),
    ("sends headers slowly", sends_headers_slowly, IMPATIENT, "timeout", 1),
    ("sends its body slowly", drips, IMPATIENT, "timeout", 1),
    ("does not know the token", says(ERROR, 401), LIMITS, "unauthorized", 1),
    ("forbids", says(ERROR, 403), LIMITS, "unauthorized", 1),
    ("does not know the type", says(ERROR, 404), LIMITS, "not found", 1),
    ("does not understand the query", says(ERROR, 400), LIMITS, "refused", 1),
    ("fails", says(ERROR, 500), LIMITS, "server error", 1),
    ("fails in passing", [says(b"", 503), FOUND], LIMITS, None, 2),
    ("is a gateway that fails in passing", [says(HTML, 502), FOUND], LIMITS, None, 2),
    ("is a gateway that waited in vain, once", [says(HTML, 504), FOUND], LIMITS, None, 2),
    ("has too many questions, and says when to come", [says(b"", 429, Retry_After="0"), FOUND], LIMITS, None, 2),
    ("asks to come back at a time", [says(b"", 503, Retry_After="Wed, 21 Oct 2015 07:28:00 GMT"), FOUND], LIMITS, None, 2),
    ("asks to come back when nobody waits any more", says(b"", 503, Retry_After="3600"), LIMITS, "server error", 1),
    ("asks to come back, unreadably", [says(b"", 503, Retry_After="soon"), FOUND], LIMITS, None, 2),
    ("fails twice", [says(b"", 503), says(b"", 503), FOUND], LIMITS, "server error", 2),
    ("breaks off, once", [breaks_off, FOUND], LIMITS, None, 2),
    ("breaks off again and again", breaks_off, LIMITS, "unreachable", 2),
    ("ends early again and again", ends_early, LIMITS, "unreachable", 2),
    ("speaks another protocol", speaks_no_http, LIMITS, "unreachable", 2),
    ("shows a sign-in page", says(HTML, Content_Type="text/html"), LIMITS, "not FHIR", 1),
    ("answers with other JSON", says({"ok": True}), LIMITS, "not FHIR", 1),
    ("answers with null", says(None), LIMITS, "not FHIR", 1),
    ("answers with a list", says([report("r1")]), LIMITS, "not FHIR", 1),
    ("answers with nothing", says(b""), LIMITS, "not FHIR", 1),
    ("answers with no content", says(b"", 204), LIMITS, "not FHIR", 1),
    ("names a member twice", says(TWICE), LIMITS, "not FHIR", 1),
    ("nests without end", says(b"[" * 100_000), LIMITS, "not FHIR", 1),
    ("has entries that are no list", says(searchset(entry={"resource": report("r1")})), LIMITS, "not FHIR", 1),
    ("answers with an error under 200", says(ERROR), LIMITS, "error outcome", 1),
    ("answers with an error in an entry", says(searchset(ERROR)), LIMITS, "error outcome", 1),
    ("answers with another type", says(PATIENT), LIMITS, "wrong type", 1),
    ("finds another type", says(searchset(PATIENT)), LIMITS, "wrong type", 1),
    ("counts what it does not show", says(searchset(total=3)), LIMITS, "cut off", 1),
    ("announces too much", announces_too_much, SMALL, "too large", 1),
    ("sends too much", says(searchset(report("r1", conclusion="x" * 300_000))), SMALL, "too large", 1),
    ("sends without end", sends_without_end, SMALL, "too large", 1),
    ("compresses unasked", compresses(searchset(report("r1"))), LIMITS, "compressed", 1),
    ("compresses a bomb", compresses(b" " * 50_000_000), LIMITS, "compressed", 1),
    ("finds more than a call may take", says(searchset(*map(report, "abcd"))), FEW, "too many", 1),
]  # fmt: skip


@pytest.mark.parametrize(("_what", "acts", "limits", "reason", "times"), ANSWERS, ids=[case[0] for case in ANSWERS])
def test_a_key_is_fetched_or_fails_with_a_reason(
    server: FhirServer,
    complete: Complete,
    _what: str,
    acts: Act | list[Act],
    limits: FetchLimits,
    reason: str | None,
    times: int,
) -> None:
    server.plays(DiagnosticReport=acts)
    delivery = complete(without("reports"), limits=limits)
    if reason is None:
        assert fate(delivery, "reports") == KeyFate("reports", "fetched")
        assert delivery.not_received == ()
    else:
        assert fate(delivery, "reports") == KeyFate("reports", "failed", Reason(reason))
        assert delivery.failed == ("reports",)
        assert delivery.absent == ()
        assert delivery.resources == ()
    assert len(server.asked) == times
    assert server.asked[0].headers["accept-encoding"] == "identity"


READS = [
    ("answers", says(PATIENT), None),
    ("has no such patient", says(ERROR, 404), "not found"),
    ("answers with an error under 200", says(ERROR), "error outcome"),
    ("answers with a search", says(searchset(PATIENT)), "wrong type"),
    ("answers with another type", says(report("r1")), "wrong type"),
    ("shows a sign-in page", says(HTML), "not FHIR"),
]


@pytest.mark.parametrize(("_what", "act", "reason"), READS, ids=[case[0] for case in READS])
def test_a_patient_is_read_or_fails_with_a_reason(
    server: FhirServer, complete: Complete, _what: str, act: Act, reason: str | None
) -> None:
    server.plays(Patient=act)
    delivery = complete(without("patient"))
    assert fate(delivery, "patient").reason == (reason and Reason(reason))
    assert ids(delivery) == ([] if reason else ["p1"])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("place", ["/fhir/r4/DiagnosticReport?patient=p1", "/elsewhere"])
def test_a_redirect_is_a_failure_and_nobody_else_gets_the_token(
    server: FhirServer, elsewhere: FhirServer, complete: Complete, status: int, place: str
) -> None:
    server.plays(DiagnosticReport=redirects_to(f"{elsewhere.origin}{place}", status))
    delivery = complete(without("reports"))
    assert fate(delivery, "reports") == KeyFate("reports", "failed", Reason.REDIRECTED)
    assert elsewhere.asked == []
    assert len(server.asked) == 1


def test_a_redirect_on_the_same_server_is_not_followed_either(server: FhirServer, complete: Complete) -> None:
    server.plays(DiagnosticReport=redirects_to(f"{server.base}/Other"), Other=FOUND)
    assert fate(complete(without("reports")), "reports").reason == Reason.REDIRECTED
    assert server.kinds == ["DiagnosticReport"]


def test_a_server_that_does_not_listen_is_unreachable(server: FhirServer, complete: Complete) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # taken, and nobody listens
        base = f"http://127.0.0.1:{closed.getsockname()[1]}/fhir"
        delivery = complete(without("reports"), fhir_server=base, servers=(base,))
    assert fate(delivery, "reports") == KeyFate("reports", "failed", Reason.UNREACHABLE)


def test_a_server_that_takes_connections_and_no_more_is_a_timeout(server: FhirServer, complete: Complete) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        base = f"http://127.0.0.1:{deaf.getsockname()[1]}/fhir"
        delivery = complete(without("reports"), fhir_server=base, servers=(base,), limits=IMPATIENT)
    assert fate(delivery, "reports") == KeyFate("reports", "failed", Reason.TIMEOUT)


def test_a_name_that_nobody_has_is_unreachable(server: FhirServer, complete: Complete) -> None:
    base = "https://no-such-host.invalid/fhir"
    delivery = complete(without("reports"), fhir_server=base, servers=(base,), limits=FetchLimits(seconds=5))
    assert fate(delivery, "reports").reason in (Reason.UNREACHABLE, Reason.TIMEOUT)


def test_all_keys_together_have_one_budget(server: FhirServer, complete: Complete) -> None:
    """With room for one question at a time, those behind a hanging one are given up with it."""
    everything = (
        "Patient", "DiagnosticReport", "Observation", "Condition", "Procedure", "ServiceRequest", "Appointment",
    )  # fmt: skip
    server.plays(**dict.fromkeys(everything, hangs))
    delivery = complete({}, limits=FetchLimits(seconds=0.5, at_once=1))
    assert {fate.reason for fate in delivery.fates} == {Reason.TIMEOUT}
    assert len(server.asked) == 1


def test_answers_together_are_bounded(server: FhirServer, complete: Complete) -> None:
    page = says(searchset(report("r1", conclusion="x" * 60_000), next_url=f"{server.base}/DiagnosticReport?page=next"))
    server.plays(DiagnosticReport=page)
    delivery = complete(without("reports"), limits=FetchLimits(seconds=30, all_bytes=50_000))
    assert fate(delivery, "reports").reason == Reason.TOO_LARGE
