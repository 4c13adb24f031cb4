"""Is it the same place? Quadrant, clock, distance and depth (chart logic section 4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_models.chart.places import quadrant_at, same_place
from fhir_models.sides import Place
from rules.vocabulary import Laterality

LEFT, RIGHT = Laterality.LEFT, Laterality.RIGHT
places = st.builds(
    Place,
    quadrant=st.sampled_from([None, "upper_outer", "upper_inner", "lower_outer", "lower_inner"]),
    clock=st.sampled_from([None, *(f"{hour:02}" for hour in range(1, 13)), "01_30", "11_30"]),
    depth=st.sampled_from([None, "anterior", "posterior"]),
    distance_mm=st.sampled_from([None, 10.0, 25.0, 80.0]),
)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (Place(quadrant="upper_outer"), Place(quadrant="upper_outer"), True),
        (Place(quadrant="upper_outer"), Place(quadrant="lower_inner"), False),
        (Place(quadrant="upper_outer"), Place(), None),
        (Place(), Place(), None),
        (Place(clock="12"), Place(clock="01"), True),
        (Place(clock="11_30"), Place(clock="12_30"), True),
        (Place(clock="02_30"), Place(clock="03_30"), True),
        (Place(clock="02"), Place(clock="04"), False),
        (Place(quadrant="upper_outer"), Place(clock="02"), True),
        (Place(quadrant="lower_outer"), Place(clock="02"), False),
        (Place(quadrant="upper_outer"), Place(clock="12"), None),
        (Place(clock="02", distance_mm=30), Place(clock="02", distance_mm=50), True),
        (Place(clock="02", distance_mm=30), Place(clock="02", distance_mm=51), False),
        (Place(quadrant="upper_outer", depth="anterior"), Place(quadrant="upper_outer", depth="posterior"), False),
        (Place(depth="anterior"), Place(depth="anterior"), None),
        (Place(distance_mm=30), Place(distance_mm=30), None),
        (Place(clock="noon"), Place(clock="01"), None),
    ],
)
def test_two_places_in_a_left_breast(first: Place, second: Place, same: bool | None) -> None:
    assert same_place(first, second, LEFT) is same
    assert same_place(second, first, LEFT) is same


@pytest.mark.parametrize(
    ("clock", "left", "right"),
    [
        ("01", "upper_outer", "upper_inner"),
        ("02_30", "upper_outer", "upper_inner"),
        ("04", "lower_outer", "lower_inner"),
        ("08", "lower_inner", "lower_outer"),
        ("11", "upper_inner", "upper_outer"),
        ("12", None, None),
        ("03", None, None),
        (None, None, None),
    ],
)
def test_the_clock_names_a_quadrant_by_side(clock: str | None, left: str | None, right: str | None) -> None:
    assert (quadrant_at(clock, LEFT), quadrant_at(clock, RIGHT)) == (left, right)
    assert quadrant_at(clock, Laterality.UNKNOWN) is None


@given(places, places, st.sampled_from([LEFT, RIGHT]))
def test_sameness_has_no_order_and_no_place_differs_from_itself(first: Place, second: Place, side: Laterality) -> None:
    assert same_place(first, second, side) is same_place(second, first, side)
    assert same_place(first, first, side) is not False
