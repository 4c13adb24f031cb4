"""A line of the proof's report."""

from __future__ import annotations

import msgspec


class Line(msgspec.Struct, frozen=True):
    """One thing that was proved: how many inputs or pairs were covered, and what broke it."""

    name: str
    checked: int
    violations: tuple[str, ...] = ()
