"""What was cut off goes on where the Bundle says, as long as that is the same server; else it is said to be a part."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.fhir_client.exchange import FetchLimits
from cds_service.hooks.key_fate import KeyFate, Reason
from tests.cds_service.fhir_client.conftest import TOKEN, Complete, fate, ids, report, without
from tests.cds_service.fhir_client.fhir_server import FhirServer, drips, nothing_found, says, searchset

OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}


@pytest.mark.parametrize("total", [{}, {"total": 3}])
def test_pages_are_read_to_the_end(server: FhirServer, complete: Complete, total: dict[str, int]) -> None:
    server.plays(
        DiagnosticReport=says(searchset(report("r1"), next_url=f"{server.base}?_getpages=1", **total)),
        **{"": [says(searchset(report("r2"), next_url=f"{server.base}/pages/3", **total))]},
        pages=says(searchset(report("r3"), **total)),
    )
    delivery = complete(without("reports"))
    assert ids(delivery) == ["r1", "r2", "r3"]
    assert delivery.incomplete == ()
    assert [located.path for located in delivery.resources] == [
        "fhirServer/reports.entry[0].resource",
        "fhirServer/reports.page[1].entry[0].resource",
        "fhirServer/reports.page[2].entry[0].resource",
    ]
    assert {asked.headers["authorization"] for asked in server.asked} == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize("key", ["reports", "mammograms"])
def test_a_prefetched_page_goes_on_where_it_says(server: FhirServer, complete: Complete, key: str) -> None:
    """The first page is not asked again, whatever the site calls its key."""
    server.plays(pages=says(searchset(report("r2"), total=2)))
    first = searchset(report("r1"), next_url=f"{server.base}/pages/2", total=2)
    delivery = complete(without("reports", **{key: first}))
    assert server.kinds == ["pages"]
    assert ids(delivery) == ["r1", "r2"]
    assert fate(delivery, "reports") == KeyFate("reports", "fetched", sent="answer")
    assert delivery.incomplete == ()


def test_one_bundle_for_several_keys_goes_on_once(server: FhirServer, complete: Complete) -> None:
    finding = {"resourceType": "Observation", "id": "o1"}
    server.plays(pages=says(searchset({**finding, "id": "o2"})))
    first = searchset(report("r1"), finding, next_url=f"{server.base}/pages/2")
    delivery = complete(without("reports", "observations", everything=first))
    assert server.kinds == ["pages"]
    assert ids(delivery) == ["r1", "o1", "o2"]
    assert delivery.incomplete == ()


@pytest.mark.parametrize(
    "first",
    [
        searchset(report("r1"), total=2),
        searchset(report("r1"), OUTCOME),
        searchset(report("r1"), entry=[{"resource": report("r1")}, None]),
        searchset(report("r1"), link=[{"relation": "next"}]),
        searchset(report("r1"), link=[{"relation": "next", "url": 2}]),
    ],
)
def test_a_part_without_a_way_on_is_asked_again(server: FhirServer, complete: Complete, first: dict[str, Any]) -> None:
    server.plays(DiagnosticReport=says(searchset(report("r1"), report("r2"))))
    delivery = complete(without("reports", reports=first))
    assert server.kinds == ["DiagnosticReport"]
    assert ids(delivery) == ["r1", "r2"]
    assert delivery.incomplete == ()


def test_an_empty_page_does_not_end_the_search(server: FhirServer, complete: Complete) -> None:
    """What the user may not see is left out of a page."""
    server.plays(
        DiagnosticReport=says(searchset(next_url=f"{server.base}/pages/2")), pages=says(searchset(report("r2")))
    )
    delivery = complete(without("reports"))
    assert ids(delivery) == ["r2"]
    assert fate(delivery, "reports") == KeyFate("reports", "fetched")


AWAY = [
    ("another host", "{elsewhere}/fhir/r4/pages/2"),
    ("another host without scheme", "//{elsewhere_host}/fhir/r4/pages/2"),
    ("another port, said to be a user", "http://{host}@{elsewhere_host}/fhir/r4/pages/2"),
    ("a user of this host", "http://user:secret@{host}/fhir/r4/pages/2"),
    ("a host behind a backslash", "http://{elsewhere_host}\\@{host}/fhir/r4/pages/2"),
    ("another scheme", "https://{host}/fhir/r4/pages/2"),
    ("above the base path", "{origin}/fhir/pages/2"),
    ("beside the base path", "{origin}/fhir/r4x/pages/2"),
    ("above it, by dots", "{base}/../admin"),
    ("above it, by encoded dots", "{base}/%2e%2e/admin"),
    ("above it, by dots encoded twice", "{base}/%252e%252e/admin"),
    ("above it, by an encoded slash", "{base}/x%2f..%2f..%2fadmin"),
    ("above it, by a parameter", "{base}/..;x/admin"),
    ("above it, by backslashes", "{base}\\..\\admin"),
    ("above it, relative", "../admin"),
    ("above it, absolute path", "/admin"),
    ("no URL", "http://[/"),
    ("a script", "javascript:alert(1)"),
    ("a file", "file:///fhir/r4/pages"),
    ("a very long one", "{base}/pages?x=" + "y" * 10_000),
    ("many layers of encoding", "{base}/%" + "25" * 3000 + "2e"),
    ("a line break", "{base}/pages\r\nX-Evil: 1"),
]  # fmt: skip


@pytest.mark.parametrize("prefetched", [True, False])
@pytest.mark.parametrize(("_what", "link"), AWAY, ids=[case[0] for case in AWAY])
def test_a_link_that_leads_away_is_not_followed(
    server: FhirServer, elsewhere: FhirServer, complete: Complete, _what: str, link: str, prefetched: bool
) -> None:
    url = link.format(
        base=server.base,
        origin=server.origin,
        host=server.origin.removeprefix("http://"),
        elsewhere=elsewhere.origin,
        elsewhere_host=elsewhere.origin.removeprefix("http://"),
    )
    links = [{"relation": "self", "url": server.base}, {"relation": "next", "url": url}]
    first = searchset(report("r1"), link=links)
    server.plays(DiagnosticReport=says(first))
    delivery = complete(without("reports", reports=first) if prefetched else without("reports"))
    assert ids(delivery) == ["r1"]
    assert delivery.incomplete == ("reports",)
    assert fate(delivery, "reports").reason == Reason.LINK_NOT_FOLLOWED
    assert fate(delivery, "reports").outcome == ("hit" if prefetched else "fetched")
    assert elsewhere.asked == []
    assert server.kinds == ([] if prefetched else ["DiagnosticReport"])


@pytest.mark.parametrize("url", [None, "", 2])
def test_a_page_that_goes_on_nowhere_is_a_part(server: FhirServer, complete: Complete, url: object) -> None:
    server.plays(DiagnosticReport=says(searchset(report("r1"), link=[{"relation": "next", "url": url}])))
    delivery = complete(without("reports"))
    assert fate(delivery, "reports") == KeyFate("reports", "fetched", Reason.LINK_NOT_FOLLOWED)
    assert server.kinds == ["DiagnosticReport"]


def test_the_same_server_in_other_letters_is_the_same(server: FhirServer, complete: Complete) -> None:
    link = f"HTTP://127.0.0.1:{server.origin.rpartition(':')[2]}/fhir/r4/pages/2#part"
    server.plays(DiagnosticReport=says(searchset(report("r1"), next_url=link)), pages=says(searchset(report("r2"))))
    assert ids(complete(without("reports"))) == ["r1", "r2"]


def test_a_link_relative_to_the_base_is_followed(server: FhirServer, complete: Complete) -> None:
    server.plays(
        DiagnosticReport=says(searchset(report("r1"), next_url="pages/2")), pages=says(searchset(report("r2")))
    )
    assert ids(complete(without("reports"))) == ["r1", "r2"]


def test_pages_in_a_circle_end(server: FhirServer, complete: Complete) -> None:
    back = f"{server.base}/DiagnosticReport?patient=p1&_sort=-date&_count=100"
    server.plays(DiagnosticReport=says(searchset(report("r1"), next_url=f"{server.base}/pages/2")))
    server.plays(pages=says(searchset(report("r2"), next_url=back)))
    delivery = complete(without("reports"), limits=FetchLimits(seconds=30, pages=50))
    assert server.kinds == ["DiagnosticReport", "pages"]
    assert ids(delivery) == ["r1", "r2"]
    assert fate(delivery, "reports") == KeyFate("reports", "fetched", Reason.CUT_OFF)
    assert delivery.incomplete == ("reports",)


def test_pages_without_end_end(server: FhirServer, complete: Complete) -> None:
    pages = [says(searchset(report(f"r{n}"), next_url=f"{server.base}/pages/{n + 1}")) for n in range(2, 30)]
    server.plays(DiagnosticReport=says(searchset(report("r1"), next_url=f"{server.base}/pages/2")), pages=pages)
    delivery = complete(without("reports"), limits=FetchLimits(seconds=30, pages=4))
    assert ids(delivery) == ["r1", "r2", "r3", "r4"]
    assert len(server.asked) == 4
    assert fate(delivery, "reports") == KeyFate("reports", "fetched", Reason.TOO_MANY)
    assert delivery.incomplete == ("reports",)


def test_what_prefetch_holds_counts_to_what_a_call_may_take(server: FhirServer, complete: Complete) -> None:
    server.plays(pages=says(searchset(report("r3"), report("r4"))))
    first = searchset(report("r1"), report("r2"), next_url=f"{server.base}/pages/2")
    delivery = complete(without("reports", reports=first), limits=FetchLimits(seconds=30, resources=3))
    assert ids(delivery) == ["r1", "r2"]
    assert fate(delivery, "reports") == KeyFate("reports", "hit", Reason.TOO_MANY, "answer")


@pytest.mark.parametrize(
    ("act", "limits", "reason"),
    [
        (says(b"", 401), FetchLimits(seconds=30), "unauthorized"),
        (says(OUTCOME), FetchLimits(seconds=30), "error outcome"),
        (drips, FetchLimits(seconds=1), "timeout"),
        (nothing_found, FetchLimits(seconds=30), "cut off"),
    ],
)
def test_a_later_page_that_fails_leaves_a_part(
    server: FhirServer, complete: Complete, act: Any, limits: FetchLimits, reason: str
) -> None:
    server.plays(DiagnosticReport=says(searchset(report("r1"), next_url=f"{server.base}/pages/2", total=2)), pages=act)
    delivery = complete(without("reports"), limits=limits)
    assert ids(delivery) == ["r1"]
    assert delivery.incomplete == ("reports",)
    assert fate(delivery, "reports") == KeyFate("reports", "fetched", Reason(reason))


def test_what_stands_beside_the_results_does_not_count_as_one(server: FhirServer, complete: Complete) -> None:
    beside = {"resource": {"resourceType": "Observation", "id": "o1"}, "search": {"mode": "include"}}
    entries = [{"resource": report("r1")}, beside]
    server.plays(DiagnosticReport=says(searchset(entry=entries, total=2)))
    delivery = complete(without("reports"))
    assert ids(delivery) == ["r1", "o1"]
    assert fate(delivery, "reports").reason == Reason.CUT_OFF
