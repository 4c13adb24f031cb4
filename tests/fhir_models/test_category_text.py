"""Numbered categories in words: only an explicit number under the scheme's name counts, for the side it is said of."""

from __future__ import annotations

import pytest

from fhir_models.category_text import category_mentions, reconcile, sides_not_understood


def said(text: str) -> list[str]:
    """Return "category@side" for each mention, UK scores as "RCR3"."""
    return [
        ("RCR" if mention.system == "RCR" else "")
        + mention.category
        + (f"@{mention.laterality}" if mention.laterality else "")
        for mention in category_mentions(text)
    ]


@pytest.mark.parametrize(
    ("text", "categories"),
    [
        ("BI-RADS 4B", ["4B"]),
        ("BIRADS: 4 c", ["4C"]),
        ("BI-RADS Category 0: additional imaging", ["0"]),
        ("BI-RADS 0, prior images needed", ["0P"]),
        ("ACR BI-RADS IVa", ["4A"]),
        ("BI-RADS® assessment category 5", ["5"]),
        ("BI-RADS-Kategorie 4a links. BI-RADS-Kategorie 2 rechts.", ["4A@left", "2@right"]),
        ("Left breast: BI-RADS 4A. Right breast: BI-RADS 2.", ["4A@left", "2@right"]),
        ("BI-RADS 3 left and right", ["3"]),
        ("Left M3, right M1.", ["RCR3@left", "RCR1@right"]),
        ("BI-RADS 4A links, BI-RADS 2 rechts", ["4A@left", "2@right"]),
        ("Left and right dense, BI-RADS 4", ["4"]),
        ("BI-RADS 4A-4B", ["4A", "4B"]),
        ("BI-RADS 4/5", ["4", "5"]),
        ("BI-RADS 4 or 5", ["4", "5"]),
        ("RIGHT BREAST: BI-RADS 2\nLEFT BREAST: BI-RADS 5", ["2@right", "5@left"]),
        ("RIGHT: BI-RADS 2\r\nLEFT: BI-RADS 5", ["2@right", "5@left"]),
        ("R: BI-RADS 2 L: BI-RADS 5", ["2@right", "5@left"]),
        ("RIGHT BREAST:\nBI-RADS 2\nLEFT BREAST:\nBI-RADS 5", ["2", "5"]),
        ("BI-RADS Final Assessment Category: 4B", ["4B"]),
        ("BI-RADS (R) code 4", ["4"]),
        ("BI-RADS score = 0", ["0"]),
        ("BI-RADS Atlas, 5th edition", []),
        ("NHSBSP 3", ["RCR3"]),
        ("RCR score 4", ["RCR4"]),
        ("R breast M3", ["RCR3"]),
        ("suspicious, biopsy recommended", []),
        ("ACR density category c", []),
        ("Breast density BI-RADS 3", []),
        ("previous BI-RADS 4", []),
        ("BI-RADS 4-5 mm", []),
        ("BI-RADS 2.5", []),
        ("4B", []),
    ],
)
def test_a_text_states_these_categories(text: str, categories: list[str]) -> None:
    assert said(text) == categories


@pytest.mark.parametrize(
    ("text", "categories"),
    [
        ("BI-RADS" + " " * 50_000 + "4B", ["4B"]),
        ("BI-RADS" + "-:# " * 10_000, []),
        ("M3 " * 20_000, ["RCR3"]),
        ("left right BI-RADS 4, " * 5_000, ["4"]),
        ("was " * 20_000, []),
    ],
    ids=["blanks", "marks", "scores", "clauses", "look-back"],
)
def test_a_text_made_to_be_slow_is_read_like_any_other(text: str, categories: list[str]) -> None:
    """Patterns that backtrack would need hours for these."""
    assert said(text) == categories


@pytest.mark.parametrize(
    ("coded", "words", "category", "conflict"),
    [
        ("4", ["4B"], "4B", False),
        ("4", ["4A", "4C"], "4C", False),
        ("2", [], "2", False),
        ("2", ["2"], "2", False),
        ("3", ["4C"], "4C", True),
        ("4C", ["3"], "4C", True),
        ("2", ["2", "4B"], "2", False),
        ("4", ["2"], "4", True),
        ("1", ["0"], "0", True),
    ],
)
def test_code_and_words_are_weighed(coded: str, words: list[str], category: str, conflict: bool) -> None:
    """Words refine a coded 4, agree by naming the coded category, else the more severe is taken and flagged."""
    assert reconcile(coded, words) == (category, conflict)


@pytest.mark.parametrize(
    ("text", "unread"),
    [
        ("BI-RADS 2 (right), 5 (left)", True),
        ("BI-RADS: Right 2, Left 5", True),
        ("Left: BI-RADS 5. Right: BI-RADS 2.", False),
        ("BI-RADS 3 left and right", False),
        ("BI-RADS 2, left and right, stable for 2 years", False),
        ("Left and right CC and MLO views. BI-RADS 1", False),
    ],
)
def test_a_text_that_gives_each_breast_a_category_is_read_whole_or_reported(text: str, unread: bool) -> None:
    assert sides_not_understood(text) == unread
