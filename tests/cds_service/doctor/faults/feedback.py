"""Faults of feedback."""

from collections.abc import Callable
from typing import Any

from tests.cds_service.doctor.little_service import PATH
from tests.cds_service.doctor.planting import Asks, Planted, numbered, on, status, when

_posted = on(f"{PATH}/feedback")
_COMMENTED = "overrideReason"


def _fed(test: Callable[[list[dict[str, Any]]], Any]) -> Asks:
    def asks(asked):
        items = asked.json.get("feedback")
        return _posted(asked) and isinstance(items, list) and test(items)

    return asks


_REFUSE = status(400)

FAULTS: list[Planted] = [
    ("accepted refused", when(_fed(lambda items: items[0]["outcome"] == "accepted"), _REFUSE), ("feedback.accepted",)),
    ("the first override refused", when(numbered(_posted, 1), _REFUSE), ("feedback.overridden",)),
    (
        "a repeat refused",
        when(numbered(_fed(lambda items: _COMMENTED in items[0]), 2), status(409)),
        ("feedback.repeat",),
    ),
    (
        "a reason required",
        when(_fed(lambda items: len(items) == 1 and set(items[0]) == {"card", "outcome", "outcomeTimestamp"}), _REFUSE),
        ("feedback.without-reason",),
    ),
    ("Epic refused", when(_fed(lambda items: "overrideReasons" in items[0]), _REFUSE), ("feedback.epic",)),
    ("a batch refused", when(_fed(lambda items: len(items) > 1), _REFUSE), ("feedback.batch",)),
    ("nonsense crashes", when(_fed(lambda items: "card" not in items[0]), status(500)), ("feedback.malformed",)),
    ("nonsense taken", when(lambda asked: _posted(asked) and not asked.json, status(200)), ("feedback.malformed",)),
]
