"""Every timeline is answered as it expects: ours always, those of `FLECK_REFERENCE` where that folder is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cds_service.timelines import Timeline, cards_of, disagreements, read_timelines

OURS = read_timelines(Path(__file__).parents[1] / "timelines")
REFERENCE = Path(os.environ.get("FLECK_REFERENCE", "nowhere"))
THEIRS = read_timelines(REFERENCE / "chart" / "timelines")


def test_the_timelines_are_there() -> None:
    assert len(OURS) > 100
    assert len({timeline["id"] for timeline in OURS}) == len(OURS)


@pytest.mark.parametrize("timeline", [*OURS, *THEIRS], ids=lambda timeline: f"{timeline['id']} {timeline['title']}")
def test_a_timeline_is_answered_as_it_expects(timeline: Timeline) -> None:
    assert list(disagreements(timeline, cards_of(timeline))) == []
