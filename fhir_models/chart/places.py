"""Is it the same place in the breast? (chart logic section 4)"""

from __future__ import annotations

from functools import lru_cache

from fhir_models.sides import Place
from rules.vocabulary import Laterality

CLOCK_HOURS = 1.0
DISTANCE_MM = 20.0
"""Farthest that two places may lie apart and still be the same."""

REMEMBERED_PAIRS = 4096

_OUTER_FIRST = ("upper_outer", "lower_outer", "lower_inner", "upper_inner")


@lru_cache(REMEMBERED_PAIRS)
def same_place(first: Place, second: Place, laterality: Laterality) -> bool | None:
    """Return whether two places in one breast are the same: False where anything differs, None where nothing can be told."""
    clocks = _hours(first.clock), _hours(second.clock)
    told = (first.quadrant or second.quadrant) and None in clocks
    quadrants = (
        (_quadrant(first, laterality), _quadrant(second, laterality)) if told else (first.quadrant, second.quadrant)
    )
    answers = (
        _agree(*quadrants),
        _near_on_the_clock(*clocks),
        _near(first.distance_mm, second.distance_mm),
        _agree(first.depth, second.depth),
    )
    if False in answers:
        return False
    return True if True in answers[:2] else None


def _agree(first: str | None, second: str | None) -> bool | None:
    return first == second if first and second else None


def _near(first: float | None, second: float | None) -> bool | None:
    return abs(first - second) <= DISTANCE_MM if first is not None and second is not None else None


def _near_on_the_clock(first: float | None, second: float | None) -> bool | None:
    if first is None or second is None:
        return None
    apart = abs(first - second) % 12
    return min(apart, 12 - apart) <= CLOCK_HOURS


def _quadrant(place: Place, laterality: Laterality) -> str | None:
    """Return the quadrant, told by the clock where it is not stated."""
    return place.quadrant or quadrant_at(place.clock, laterality)


def quadrant_at(clock: str | None, laterality: Laterality) -> str | None:
    """Return the quadrant of a clock position: 12 to 3 is upper outer on the left and upper inner on the right.

    None on the lines between quadrants (12, 3, 6, 9 o'clock) and where the side is not known.
    """
    hours = _hours(clock)
    if hours is None or hours % 3 == 0 or laterality not in (Laterality.LEFT, Laterality.RIGHT):
        return None
    sector = int(hours % 12 // 3)
    return _OUTER_FIRST[sector if laterality == Laterality.LEFT else 3 - sector]


def _hours(clock: str | None) -> float | None:
    """Return a clock position as a number; "01_30" is half past one."""
    hour, _, minutes = (clock or "").partition("_")
    try:
        return int(hour) % 12 + (int(minutes) / 60 if minutes else 0.0) if hour else None
    except ValueError:
        return None
