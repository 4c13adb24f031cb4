"""Cases as people and tools write them: forgiving in form, strict in content, and every fault names its field."""

from __future__ import annotations

import pytest

from rules.case_json import FIELDS, read_case
from rules.vocabulary import Case, Category, Morphology


@pytest.mark.parametrize(
    "given",
    [
        {"morphology": ["amorphous", "punctate"], "reported_category": "4A", "age": 47, "surveillance_month": 6},
        {"morphology": "amorphous;punctate", "reported_category": "4A", "age": "47", "surveillance_month": "6"},
        {"morphology": " amorphous ; punctate ;", "reported_category": " 4A ", "age": 47.0, "surveillance_month": 6},
    ],
)
def test_the_same_case_in_several_forms(given: dict[str, object]) -> None:
    case, ignored = read_case(given)
    assert ignored == ()
    assert case == Case(
        morphology=(Morphology.AMORPHOUS, Morphology.PUNCTATE),
        reported_category=Category("4A"),
        age=47,
        surveillance_month=6,
    )


def test_null_and_empty_members_take_the_default() -> None:
    assert read_case(dict.fromkeys(FIELDS)) == (Case(), ())
    assert read_case(dict.fromkeys(("morphology", "change", "sex", "age"), "")) == (Case(), ())


def test_a_number_is_taken_as_the_category_that_it_is() -> None:
    assert read_case({"reported_category": 4})[0].reported_category == Category("4")


def test_unknown_members_are_named() -> None:
    assert read_case({"density": "c", "morfology": "amorphous"})[1] == ("density", "morfology")


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"morphology": "starry"}, "morphology: may be skin, "),
        ({"reported_category": "7"}, "reported_category: may be 0, "),
        ({"age": -1}, "age: must not be negative"),
        ({"age": "old"}, "age: "),
        ({"years_since_rt": float("inf")}, "years_since_rt: must not be negative or infinite"),
        ({"surveillance_month": 7}, "surveillance_month: may be 0, 6, 12, 24, 36"),
        ({"pregnant": "perhaps"}, "pregnant: may be true, false"),
        ({"system": "RCR", "reported_category": "4A"}, "reported_category: with system RCR may be 1, 2, 3, 4, 5"),
        ([], "a case is a JSON object"),
    ],
)
def test_a_value_that_a_field_may_not_have_names_the_field(given: object, complaint: str) -> None:
    with pytest.raises(ValueError) as caught:
        read_case(given)
    assert str(caught.value).startswith(complaint)
