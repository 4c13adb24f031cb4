"""The evaluation on CBIS-DDSM, on lesions made up in the form of its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.engine import load_ruleset
from rules.evaluation.cbis import load_terms, merge_views, read_views, views_disagree
from rules.evaluation.proportions import Scored, Share, auc, auc_interval
from rules.evaluation.tables import Table, evaluate
from rules.vocabulary import Category

TERMS = load_terms()
TEXT = (Path(__file__).parent / "cbis" / "lesions.csv").read_text()
VIEWS = read_views(TEXT, TERMS)


def tables() -> dict[str, Table]:
    return {table.title: table for table in evaluate({"made up": VIEWS}, load_ruleset())}


def test_views_of_a_lesion_are_joined_to_the_worse() -> None:
    lesions = {lesion.name: lesion for lesion in merge_views(VIEWS)}
    assert list(lesions) == ["A LEFT 1", "A RIGHT 1", "B LEFT 1", "B LEFT 2", "C RIGHT 1"]
    joined = lesions["A LEFT 1"]
    assert joined.views == ("CC", "MLO")
    assert joined.morphology == ("fine_pleomorphic", "amorphous")
    assert joined.distribution == ("grouped",)
    assert joined.assessment == Category("4")
    assert joined.pathology == "MALIGNANT"
    assert views_disagree(VIEWS) == {"A LEFT 1"}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("PUNCTATE", "STARRY"), "line 5, column 'calc type': unknown term 'STARRY'"),
        (("LINEAR", "CIRCULAR"), "line 7, column 'calc distribution': unknown term 'CIRCULAR'"),
        (("BENIGN_WITHOUT_CALLBACK", "FINE"), "line 4, column 'pathology': 'FINE' is none of"),
        (("assessment", "score"), "line 1: no column 'assessment'"),
        (("RIGHT,CC", "BOTH,CC"), "line 4, column 'left or right breast': 'BOTH'"),
    ],
)
def test_a_file_that_is_not_understood_names_line_and_column(change: tuple[str, str], complaint: str) -> None:
    with pytest.raises(ValueError) as caught:
        read_views(TEXT.replace(*change), TERMS)
    assert str(caught.value).startswith(complaint)


def test_a_file_without_rows_is_refused() -> None:
    with pytest.raises(ValueError, match="no rows"):
        read_views(TEXT.splitlines()[0], TERMS)


def test_each_lesion_is_told_what_the_table_says_in_each_reading() -> None:
    told = {
        title[:2]: [" ".join(cell.partition(" ")[0] for cell in row[3:]) for row in table.rows]
        for title, table in tables().items()
        if title[:2] in ("1A", "1B", "1C", "1D")
    }
    # biopsy, diagnostic mammogram, review, short interval, no follow-up: malignant, benign, without callback
    assert told == {
        "1A": ["0 2 0 0 0", "0 1 0 0 1", "0 0 0 0 1"],
        "1B": ["1 0 0 1 0", "1 0 0 0 1", "0 0 0 0 1"],
        "1C": ["1 1 0 0 0", "1 0 0 0 1", "0 0 0 0 1"],
        "1D": ["1 0 0 1 0", "1 0 0 0 1", "0 0 0 0 1"],
    }


def test_a_malignant_lesion_that_is_not_sent_to_biopsy_is_named_with_its_rows() -> None:
    (row,) = tables()["Malignant lesions that 1B does not send to biopsy, one by one"].rows
    assert (row[1], row[-1]) == ("B LEFT 1", "D34 X06 C01")


@pytest.mark.parametrize(
    ("count", "total", "shown"),
    [(291, 304, "291/304 95.7% (92.8-97.5)"), (0, 77, "0/77 0.0% (0.0-4.8)"), (0, 0, "-")],
)
def test_a_share_is_shown_with_its_wilson_interval(count: int, total: int, shown: str) -> None:
    assert str(Share(count, total)) == shown


def test_auc_counts_ties_half_and_its_interval_holds_it() -> None:
    lesions = [Scored(str(n), n % 5, n % 3 == 0) for n in range(60)]
    pairs = [(a.score, b.score) for a in lesions for b in lesions if a.malignant and not b.malignant]
    expected = sum((a > b) + (a == b) / 2 for a, b in pairs) / len(pairs)
    area, bounds = auc(lesions), auc_interval(lesions)
    assert area == pytest.approx(expected)
    assert bounds is not None
    assert bounds[0] <= expected <= bounds[1]
    assert auc(lesions[:1]) is None
