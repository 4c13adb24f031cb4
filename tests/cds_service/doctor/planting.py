"""Words to plant faults with: which requests they concern, and what becomes of the answer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from itertools import count
from typing import Any

from tests.cds_service.doctor.little_service import PATH, Asked, Fault, Told

Asks = Callable[[Asked], Any]
Changes = Callable[[Told], Told]
Planted = tuple[str, Fault, tuple[str, ...]]
"""What is wrong, the fault, and the checks that have to see it."""


def skipping(*rules: str) -> Fault:
    """The service does not look at these rules."""
    return Fault(flaws=frozenset(rules))


def when(asks: Asks, change: Changes) -> Fault:
    """Answers to some requests are changed."""
    return Fault(change=lambda asked, told: change(told) if asks(asked) else told)


def in_discovery(change: Callable[[dict[str, Any]], Any]) -> Fault:
    """The first service of discovery is changed."""

    def rewrite(told: Told) -> Told:
        document = json.loads(told.body)
        change(document["services"][0])
        return Told(told.status, json.dumps(document).encode(), told.headers)

    return when(on("/cds-services", "GET"), rewrite)


def in_answer(change: Callable[[dict[str, Any]], Any]) -> Fault:
    """Every answer that has cards is changed."""

    def rewrite(told: Told) -> Told:
        answer = json.loads(told.body) if told.status == 200 else {"cards": []}
        if answer["cards"]:
            change(answer)
            told.body = json.dumps(answer).encode()
        return told

    return when(on(PATH), rewrite)


def in_card(change: Callable[[dict[str, Any]], Any]) -> Fault:
    """Every card is changed."""
    return in_answer(lambda answer: change(answer["cards"][0]))


def in_action(change: Callable[[dict[str, Any]], Any], number: int = 0) -> Fault:
    """An action of every card is changed."""
    return in_card(lambda card: change(card["suggestions"][0]["actions"][number]))


def on(path: str, method: str = "POST") -> Asks:
    """Requests to a path."""
    return lambda asked: asked.path == path and asked.method == method


def called(test: Callable[[dict[str, Any]], Any]) -> Asks:
    """Calls whose members satisfy a test."""
    return lambda asked: asked.path == PATH and asked.json.get("hook") and test(asked.json)


def reports(test: Callable[[Any], Any]) -> Asks:
    """Calls whose prefetched reports satisfy a test; "absent" where there are none."""
    return called(lambda call: test(call.get("prefetch", {}).get("reports", "absent")))


def bundle(test: Callable[[dict[str, Any]], Any]) -> Asks:
    """Calls whose prefetched reports are a Bundle that satisfies a test."""
    return reports(lambda value: isinstance(value, dict) and value.get("resourceType") == "Bundle" and test(value))


def sent(test: Callable[[Asked], Any]) -> Asks:
    """Requests to the service that satisfy a test, whether they are JSON or not."""
    return lambda asked: asked.path == PATH and asked.method == "POST" and test(asked)


def numbered(asks: Asks, *numbers: int) -> Asks:
    """Of such requests those with these numbers, from 1."""
    counter = count(1)
    return lambda asked: asks(asked) and next(counter) in numbers


def status(code: int, body: bytes | None = None) -> Changes:
    """Another status, and another body if given."""
    return lambda told: Told(code, told.body if body is None else body, told.headers)


def header(name: str, value: str | None) -> Changes:
    """A header is set, or taken away."""

    def change(told: Told) -> Told:
        others = {key: old for key, old in told.headers.items() if key != name}
        return Told(told.status, told.body, others | ({} if value is None else {name: value}))

    return change


def body(change: Callable[[bytes], bytes], only: int | None = None) -> Changes:
    """The body is changed, where the status is `only`."""
    return lambda told: Told(told.status, change(told.body), told.headers) if only in (None, told.status) else told


def waiting(seconds: float) -> Changes:
    """The answer takes its time."""

    def change(told: Told) -> Told:
        time.sleep(seconds)
        return told

    return change


SILENT = status(200, b'{"cards": []}')
CRASH = status(500, b"Internal Server Error")
discovered = on("/cds-services", "GET")
calling = on(PATH)
with_reports = bundle(lambda value: value.get("entry"))
