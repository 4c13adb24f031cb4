"""Feedback as clients send it: by the standard, as two of them really do, and broken."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cds_service.errors import RequestError
from cds_service.protocol.feedback import FeedbackItem, read_feedback

CARD = "9368d37b-283f-44a0-93ea-547cebab93ed"
SUGGESTION = "e56e1945-20b3-4393-8503-a1a20fd73152"
STANDARD = {
    "card": CARD,
    "outcome": "overridden",
    "outcomeTimestamp": "2022-05-19T19:44:04Z",
    "overrideReason": {
        "reason": {"code": "d7ecf885", "system": "https://example.com/cds-hooks/override-reason-system"},
        "userComment": "seen elsewhere",
    },
}
AT = datetime(2022, 5, 19, 19, 44, 4, tzinfo=UTC)
EXTENDED = "com.epic.cdshooks.feedback.overrideReason.reasonCategory"


def read_one(**members: Any) -> FeedbackItem:
    """Read an item of the standard with some members changed; `...` leaves a member out."""
    item = {name: value for name, value in (STANDARD | members).items() if value is not ...}
    batch = read_feedback(json.dumps({"feedback": [item]}).encode())
    assert batch.set_aside == ()
    return batch.items[0]


def test_an_override_of_the_standard_is_read_whole() -> None:
    item = read_one()
    assert (item.card, item.outcome, item.outcome_at) == (CARD, "overridden", AT)
    assert (item.reason_system, item.reason_code) == (
        "https://example.com/cds-hooks/override-reason-system",
        "d7ecf885",
    )
    assert item.comment is not None
    assert (item.comment.get_secret_value(), item.comment_length) == ("seen elsewhere", 14)


@pytest.mark.parametrize(
    ("accepted", "suggestions"),
    [
        ([{"id": SUGGESTION}], (SUGGESTION,)),
        ([{"id": SUGGESTION.upper()}, {"id": "2"}], (SUGGESTION, "2")),
        ({"id": SUGGESTION}, (SUGGESTION,)),
        ([SUGGESTION], (SUGGESTION,)),
        ([], ()),
        (..., ()),
        (None, ()),
        ([None, {"id": None}, {}, 1.5, {"id": "two words"}], ()),
        ([{"id": str(number)} for number in range(500)], tuple(str(number) for number in range(50))),
    ],
)
def test_accepted_suggestions(accepted: Any, suggestions: tuple[str, ...]) -> None:
    item = read_one(outcome="accepted", overrideReason=..., acceptedSuggestions=accepted)
    assert (item.outcome, item.suggestions) == ("accepted", suggestions)


@pytest.mark.parametrize(
    ("sent", "card"),
    [
        (CARD, CARD),
        (CARD.upper(), CARD),
        (f"urn:uuid:{CARD}", CARD),
        (f" {CARD} ", CARD),
        ("123456", "123456"),
        (7, "7"),
    ],
)
def test_card_ids(sent: Any, card: str) -> None:
    assert read_one(card=sent).card == card


@pytest.mark.parametrize("outcome", ["overridden", "Overridden", "OVERRIDDEN "])
def test_outcomes_in_any_case(outcome: str) -> None:
    assert read_one(outcome=outcome).outcome == "overridden"


@pytest.mark.parametrize(
    ("sent", "moment"),
    [
        ("2022-05-19T19:44:04Z", AT),
        ("2022-05-19t19:44:04z", AT),
        ("2022-05-19 19:44:04Z", AT),
        ("2022-05-19T19:44:04+00:00", AT),
        ("2022-05-19T14:44:04-05:00", AT),
        ("2022-05-20T05:14:04+0930", AT),
        ("2022-05-19T19:44:04", AT),
        ("2022-05-19T19:44:04.5Z", AT.replace(microsecond=500_000)),
        ("2022-05-19T19:44:04.123456789Z", AT.replace(microsecond=123_456)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2022-05-19", None),
        ("2022-02-30T19:44:04Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("19.05.2022 19:44", None),
        ("", None),
        (1652989444, None),
        (None, None),
        (..., None),
    ],
)
def test_timestamps(sent: Any, moment: datetime | None) -> None:
    assert read_one(outcomeTimestamp=sent).outcome_at == moment


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        ({"overrideReason": {"reason": {"code": "patient-refuses"}}}, (None, "patient-refuses")),
        ({"overrideReasons": {"reason": {"code": "1", "system": "urn:oid:1.2"}}}, ("urn:oid:1.2", "1")),
        ({"overrideReasons": [{"reason": {"code": "1", "system": "urn:oid:1.2"}}]}, ("urn:oid:1.2", "1")),
        (
            {"overrideReason": {"reason": {"code": "1", "system": "http: //example.org/a"}}},
            ("http://example.org/a", "1"),
        ),
        ({"overrideReason": {"reason": [{"code": "1"}]}}, (None, "1")),
        ({"overrideReason": {"reason": "wrongFinding"}}, (None, "wrongFinding")),
        ({"overrideReasons": {"extension": {EXTENDED: "45"}}}, (EXTENDED, "45")),
        ({"extension": {EXTENDED: 45}}, (EXTENDED, "45")),
        ({"overrideReason": {"reason": {"code": "she told me so"}}}, (None, None)),
        ({"overrideReason": {"reason": {"code": "=1+1"}}}, (None, None)),
        ({"overrideReason": {"reason": {"code": "1" * 101}}}, (None, None)),
        ({"overrideReason": {"reason": {"code": "1", "system": "no system at all"}}}, (None, "1")),
        ({"overrideReason": {}}, (None, None)),
        ({"overrideReason": "no"}, (None, None)),
        ({"overrideReason": None}, (None, None)),
        ({}, (None, None)),
    ],
)
def test_reasons(override: dict[str, Any], reason: tuple[str | None, str | None]) -> None:
    item = read_one(**({"overrideReason": ...} | override))
    assert (item.reason_system, item.reason_code) == reason


def test_a_comment_under_the_misspelt_member_is_measured() -> None:
    item = read_one(overrideReason=..., overrideReasons={"userComment": "User Entered Free Text"})
    assert item.comment_length == 22


@pytest.mark.parametrize(
    ("broken", "expression"),
    [
        ("no object", "feedback[1]"),
        (None, "feedback[1]"),
        ({"outcome": "accepted"}, "feedback[1].card"),
        ({"card": "", "outcome": "accepted"}, "feedback[1].card"),
        ({"card": "Greta Sample", "outcome": "accepted"}, "feedback[1].card"),
        ({"card": "x" * 65, "outcome": "accepted"}, "feedback[1].card"),
        ({"card": {"id": CARD}, "outcome": "accepted"}, "feedback[1].card"),
        ({"card": True, "outcome": "accepted"}, "feedback[1].card"),
        ({"card": CARD}, "feedback[1].outcome"),
        ({"card": CARD, "outcome": "ignored"}, "feedback[1].outcome"),
        ({"card": CARD, "outcome": ["accepted"]}, "feedback[1].outcome"),
    ],
)
def test_a_broken_item_is_set_aside_and_its_neighbours_are_kept(broken: Any, expression: str) -> None:
    batch = read_feedback(json.dumps({"feedback": [STANDARD, broken, STANDARD]}).encode())
    assert len(batch.items) == 2
    assert [issue.expression for issue in batch.set_aside] == [expression]
    assert "Greta" not in str(batch.set_aside)


def test_an_empty_batch_is_one() -> None:
    assert read_feedback(b'{"feedback": []}').items == ()


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"{}", b'{"feedback": {}}', b'{"feedback": null}', b'{"feedback": "x"}', b'"\xff"'],
)
def test_what_is_no_batch_is_refused(body: bytes) -> None:
    with pytest.raises(RequestError) as refusal:
        read_feedback(body)
    assert refusal.value.status == 400
