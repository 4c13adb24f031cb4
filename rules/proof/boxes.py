"""The domain as boxes: sets of values by fact, cut along the conditions of rows until one row answers each whole box."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import NamedTuple

from rules.conditions import Checks, Row
from rules.table import FactValue

Box = Mapping[str, frozenset[FactValue]]
"""Every combination of one value of each fact."""


class Piece(NamedTuple):
    """A box that one row answers whole: rows see nothing but their conditions."""

    row: Row
    box: Box


def volume(box: Box) -> int:
    """Return how many inputs a box holds."""
    return prod(map(len, box.values()))


def within(box: Box, **values: Iterable[FactValue]) -> Box:
    """Return the part of a box in which these facts have one of the values; a fact without values makes it empty."""
    return {**box, **{fact: box[fact].intersection(allowed) for fact, allowed in values.items()}}


def meets(box: Box, condition: Box) -> bool:
    """Whether any input of the box fulfils the condition."""
    return all(box[fact] & allowed for fact, allowed in condition.items())


def partition(box: Box, rows: Sequence[Row]) -> tuple[list[Piece], list[Box]]:
    """Return the pieces of a box by the row that answers them first, and what no row answers. None overlap."""
    pieces: list[Piece] = []
    left = [box] if volume(box) else []
    for row in rows:
        for alternative in (row.any or ((),)) if row.possible else ():
            rest: list[Box] = []
            for part in left:
                inside, outside = _cut(part, (*row.when, *alternative))
                if inside is not None:
                    pieces.append(Piece(row, inside))
                rest += outside
            left = rest
    return pieces, left


def _cut(box: Box, checks: Checks) -> tuple[Box | None, list[Box]]:
    needed: dict[str, frozenset[FactValue]] = {}
    for fact, allowed in checks:
        needed[fact] = needed.get(fact, box[fact]) & allowed
    if not all(needed.values()):
        return None, [box]
    inside, outside = dict(box), list[Box]()
    for fact, kept in needed.items():
        if rest := inside[fact] - kept:
            outside.append({**inside, fact: rest})
        inside[fact] = kept
    return inside, outside
