"""What each step of a patient-view answer costs in process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from timeit import repeat

from cds_service.cards.answers import answer_chart
from cds_service.hooks.hook_chart import read_hook_chart, render
from cds_service.hooks.patient_view import OFFERED, SERVICE
from cds_service.hooks.prefetch import read_prefetch
from cds_service.hooks.prefetch_keys import PATIENT_CHART
from cds_service.hooks.service_call import CallContext, answer_as_sent, context_for
from cds_service.knowledge import load_knowledge
from cds_service.protocol.hook_request import encode_answer, read_hook_request
from cds_service.settings import Settings

CALLS, REPEATS = 200, 15


def measure_steps(body: bytes, today: date) -> list[tuple[str, float]]:
    """Return name and microseconds of each step for a patient-view request, then of the whole answer."""
    settings = Settings()
    request = read_hook_request(body, SERVICE.hook)
    context = context_for(load_knowledge(settings), settings, settings.profile, today)
    delivery = read_prefetch(request.prefetch, PATIENT_CHART, context.max_resources)
    read = read_hook_chart(request, delivery, context)
    ruleset = context.knowledge.ruleset
    answers = answer_chart(read.chart, ruleset, today)
    return [
        ("decode", _microseconds(lambda: read_hook_request(body, SERVICE.hook))),
        ("chart", _microseconds(lambda: read_hook_chart(request, delivery, context))),
        ("decide", _microseconds(lambda: answer_chart(read.chart, ruleset, today))),
        ("render", _microseconds(lambda: encode_answer(render(read, answers, context).cards))),
        ("all", _microseconds(lambda: _answer(body, context))),
    ]


def _answer(body: bytes, context: CallContext) -> bytes:
    return encode_answer(answer_as_sent(OFFERED, read_hook_request(body, SERVICE.hook), context).cards)


def _microseconds(step: Callable[[], object]) -> float:
    return min(repeat(step, number=CALLS, repeat=REPEATS)) / CALLS * 1e6
