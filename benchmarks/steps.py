"""What each step of a patient-view answer costs in process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from timeit import repeat

from cds_service.cards.answers import answer_chart
from cds_service.hooks.hook_chart import read_hook_chart, render
from cds_service.hooks.patient_view import SERVICE, answer
from cds_service.knowledge import load_knowledge
from cds_service.protocol.hook_request import read_hook_request
from cds_service.settings import Settings

CALLS, REPEATS = 200, 15


def measure_steps(body: bytes, today: date) -> list[tuple[str, float]]:
    """Return name and microseconds of each step for a patient-view request, then of the whole answer."""
    settings = Settings()
    knowledge = load_knowledge(settings)
    request = read_hook_request(body, SERVICE.hook)
    read = read_hook_chart(request, knowledge, settings, today)
    answers = answer_chart(read.chart, knowledge.ruleset, today)
    return [
        ("decode", _microseconds(lambda: read_hook_request(body, SERVICE.hook))),
        ("chart", _microseconds(lambda: read_hook_chart(request, knowledge, settings, today))),
        ("decide", _microseconds(lambda: answer_chart(read.chart, knowledge.ruleset, today))),
        ("render", _microseconds(lambda: render(read, answers, knowledge, settings, today))),
        ("all", _microseconds(lambda: answer(body, knowledge, settings, today))),
    ]


def _microseconds(step: Callable[[], object]) -> float:
    return min(repeat(step, number=CALLS, repeat=REPEATS)) / CALLS * 1e6
