"""What is remembered is short: no sender can fill the memory with it."""

from __future__ import annotations

from collections import Counter

import pytest

from fhir_models.remembering import LONGEST_QUESTION, remembered
from fhir_models.views import CodeableConcept, Coding, Extension

LONG = "x" * LONGEST_QUESTION


def asked_twice(*arguments: object, sent: int = 1) -> int:
    """How often a function was really called for two equal questions."""
    calls: Counter[object] = Counter()

    @remembered(10, sent)
    def function(*_arguments: object) -> None:
        calls["made"] += 1

    function(*arguments)
    function(*arguments)
    return calls["made"]


@pytest.mark.parametrize(
    ("question", "calls"),
    [
        (None, 1),
        ("2026-01-19", 1),
        (LONG, 2),
        ((("urn:x", "c"), ("urn:x", LONG)), 2),
        (CodeableConcept(coding=(Coding("http://loinc.org", "24606-6", "MG Breast Screening"),)), 1),
        (CodeableConcept(coding=(Coding("http://loinc.org", LONG),)), 2),
        (CodeableConcept(coding=(Coding("http://loinc.org", "24606-6", LONG),)), 2),
        (CodeableConcept(coding=(Coding("http://loinc.org", "24606-6"),) * 90), 2),
        (CodeableConcept(extension=(Extension(url="x", extension=(Extension(valueCode=LONG),)),)), 2),
    ],
)
def test_only_a_short_question_is_remembered(question: object, calls: int) -> None:
    assert asked_twice(question) == calls


def test_only_what_a_sender_wrote_is_measured() -> None:
    assert asked_twice("code", LONG) == 1
    assert asked_twice("code", LONG, sent=2) == 2
