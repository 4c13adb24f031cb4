"""Whatever a chart says, a card shows it as plain text: no markup, no link, nothing that is not seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.cards.markdown import quoted

BREAK = "\u200b"

PLAIN = [
    ("Observation/calc-1", "Observation/calc-1"),
    ("Core biopsy, 10 o'clock (3.5 cm). See B.", "Core biopsy, 10 o'clock (3.5 cm). See B."),
    ("[x](y) *now* <b>", r"\[x\](y) \*now\* \<b\>"),
    ("https://evil.example/p", f"https{BREAK}:/{BREAK}/evil{BREAK}.example/p"),
    ("//evil.example/p", f"/{BREAK}/evil{BREAK}.example/p"),
    ("evil.com/login", f"evil{BREAK}.com/login"),
    ("www.evil.com", f"www{BREAK}.evil{BREAK}.com"),
    ("a@evil.example", f"a@{BREAK}evil{BREAK}.example"),
    ("left\u202etfel\u2069", "left tfel"),
    ("bell\x07 and\x1b[31m", r"bell and \[31m"),
    ("DC\u3164IS\u200b", "DCIS"),
]
"""Text of a chart, and what a card shows of it."""


@pytest.mark.parametrize(("text", "shown"), PLAIN)
def test_text_of_a_chart_is_shown_as_text(text: str, shown: str) -> None:
    assert quoted(text) == shown


@given(st.text(max_size=300))
def test_only_what_can_be_seen_is_shown(text: str) -> None:
    shown = quoted(text).replace(BREAK, "")
    assert shown.isprintable()
    assert "//" not in quoted(text)
