"""The exceptions that the table makes to the invariants of the proof (`tables/proof_exceptions.toml`)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from importlib.resources import files
from typing import Literal

import msgspec

Invariant = Literal[
    "category",
    "silence",
    "morphology",
    "distribution",
    "feature",
    "change",
    "loop_urgency",
    "loop_silence",
    "loop_heard",
]


class NamedException(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows that may break an invariant, and why; `switch` ("S1=review") names the policy under which they may."""

    invariant: Invariant
    rows: tuple[str, ...]
    why: str
    switch: str | None = None

    def __str__(self) -> str:
        under = f" (under {self.switch})" if self.switch else ""
        return f"{self.invariant}, {', '.join(self.rows)}: {self.why}{under}"


class Exceptions:
    """The exceptions that hold under a policy, and which of them were needed."""

    def __init__(self, deviations: Iterable[str]) -> None:
        text = files("rules").joinpath("tables/proof_exceptions.toml").read_text(encoding="utf-8")
        named = msgspec.convert(tomllib.loads(text)["exception"], tuple[NamedException, ...])
        self._deviations = frozenset(deviations)
        self.named = tuple(item for item in named if item.switch is None or item.switch in self._deviations)
        self._rows = {(item.invariant, row) for item in self.named for row in item.rows}
        self._needed: set[tuple[str, str]] = set()

    def excuse(self, invariant: Invariant, rows: Iterable[str]) -> bool:
        """Whether one of these rows is named as an exception to the invariant."""
        for row in rows:
            if (invariant, row) in self._rows:
                self._needed.add((invariant, row))
                return True
        return False

    def unneeded(self) -> tuple[str, ...]:
        """Exceptions that nothing needed; a policy that deviates may make do without those of the default."""
        idle = [
            (item.invariant, row)
            for item in self.named
            for row in item.rows
            if (item.invariant, row) not in self._needed and (item.switch or not self._deviations)
        ]
        return tuple(f"{invariant} names {row}, which needs no exception" for invariant, row in idle)
