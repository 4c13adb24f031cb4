"""A report that is read or signed, a row a case: the report as shown, and what in it disagrees."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.errors import RequestError
from tests.cds_service.fixture_files import PATIENT, bundle, cards_of, decision, fixture, rows

CASES = rows("report_cases.csv")
SIDES = {"left": "Left breast: ", "right": "Right breast: ", "doubt": "Side in doubt: "}


def shown(name: str) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in fixture("reports", name)["entry"]]


def review(
    results: list[dict[str, Any]] | None, prefetch: dict[str, Any] | None = None, report_id: str = "r1"
) -> list[dict[str, Any]]:
    context = {"reportId": report_id, **({"results": bundle(*results)} if results is not None else {})}
    return cards_of("report-review", context, {"patient": PATIENT, **(prefetch or {})})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["why"])
def test_a_report_is_questioned_as_the_row_says(case: dict[str, str]) -> None:
    cards = review(shown(case["report"]))
    if case["cards"] == "unreadable":
        (card,) = cards
        assert decision(card)["state"] == "unreadable"
        return
    expected = [told.split() for told in case["cards"].split(" / ") if told]
    assert len(cards) == len(expected)
    for card, (side, question, indicator) in zip(cards, expected, strict=True):
        assert card["summary"].startswith(f"{SIDES[side]}check ")
        assert len(card["summary"]) < 140
        assert decision(card)["questions"][0] == question
        assert card["indicator"] == indicator
        assert "suggestions" not in card
        assert card["source"]["topic"]["code"] == "reportReview"


@pytest.mark.parametrize(
    "case", [case for case in CASES if "requested" not in case["why"]], ids=lambda case: case["why"]
)
def test_it_is_the_same_report_whether_it_is_shown_or_prefetched(case: dict[str, str]) -> None:
    """But for a request: one in the chart is an order, one shown with the report is its recommendation."""
    report, *others = shown(case["report"])
    prefetched = {"report": report, "observations": bundle(*others)}
    assert [card["summary"] for card in review(None, prefetched)] == [
        card["summary"] for card in review(shown(case["report"]))
    ]


def test_the_status_is_named_while_the_report_is_not_final() -> None:
    (preliminary,) = review(shown("benign_category_over_suspicious_words"))
    (final,) = review(shown("the_same_final"))
    assert "**To check before signing:**" in preliminary["detail"]
    assert "The report is preliminary; it was read as it stands now." in preliminary["detail"]
    assert "before signing" not in final["detail"]
    assert "**Status.**" not in final["detail"]


def test_what_is_shown_counts_before_what_is_on_the_server() -> None:
    """The radiologist has just changed the category from 2 to 4C, and the server still has the old text."""
    stored, finding = shown("benign_category_over_suspicious_words")
    stored["meta"] = {"lastUpdated": "2026-02-02T10:00:00Z", "versionId": "7"}
    assert review(shown("fits"), {"report": stored, "observations": bundle(finding)}) == []
    assert len(review([stored], {"observations": bundle(finding)})) == 1


def test_a_newer_report_changes_nothing_of_what_this_one_says() -> None:
    newer = shown("nothing_described")[0] | {"id": "r2", "status": "final", "effectiveDateTime": "2026-02-02"}
    assert len(review(shown("benign_category_over_suspicious_words"), {"reports": bundle(newer)})) == 1


def test_an_earlier_exam_counts() -> None:
    """The same words two years ago make them stable; the new group of today is told by the exam before it."""
    earlier = shown("nothing_described")[0] | {"id": "r0", "status": "final", "effectiveDateTime": "2025-01-20"}
    (card,) = review(shown("benign_category_over_suspicious_words"), {"reports": bundle(earlier)})
    assert "change against earlier exams" not in card["detail"]


def test_a_breast_that_was_removed_is_asked_about() -> None:
    mastectomy = {
        "resourceType": "Procedure", "id": "p1", "status": "completed", "subject": {"reference": "Patient/w1"},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "428571003"}], "text": "Mastectomy of left breast"},
        "performedDateTime": "2020-05-01",
    }  # fmt: skip
    (card,) = review(shown("fits"), {"procedures": bundle(mastectomy)})
    assert decision(card)["questions"] == ["breast_removed"]


@pytest.mark.parametrize(
    ("results", "prefetch"),
    [
        (None, {}),
        (None, {"report": None}),
        (None, {"reports": bundle()}),
        ([], {"reports": bundle()}),
        (shown("of_another_patient"), {}),
        (shown("fits")[1:], {}),
    ],
    ids=[
        "nothing",
        "a read that found nothing",
        "no such report",
        "empty results",
        "another patient's",
        "findings alone",
    ],
)
def test_without_the_report_the_call_is_refused(results: list[dict[str, Any]] | None, prefetch: dict[str, Any]) -> None:
    with pytest.raises(RequestError) as caught:
        review(results, prefetch)
    assert (caught.value.status, caught.value.issues[0].expression) == (412, "prefetch.report")


def test_a_report_among_the_patients_reports_is_found() -> None:
    report, finding = shown("benign_category_over_suspicious_words")
    assert len(review(None, {"reports": bundle(report), "observations": bundle(finding)})) == 1


def test_the_report_alone_does_not_stand_for_the_chart() -> None:
    """One report that was read is not the search for all of them."""
    report, finding = shown("benign_category_over_suspicious_words")
    (card,) = review(None, {"report": report, "observations": bundle(finding)})
    assert "(not part of the data): reports, conditions, procedures, orders." in card["detail"]


def test_a_card_does_not_grow_with_the_findings_that_disagree() -> None:
    report, finding = shown("benign_category_over_suspicious_words")
    many = [finding | {"id": f"f{number}"} for number in range(60)]
    report["result"] = [{"reference": f"Observation/{item['id']}"} for item in many]
    (card,) = review([report, *many])
    assert "- 51 more" in card["detail"]
