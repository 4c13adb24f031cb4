"""What is checked, as data (checks.toml), and what a check came to."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files

import msgspec


class Level(StrEnum):
    """How binding. POLICY is in no specification, and follows from what real clients and attackers do."""

    SHALL = "SHALL"
    SHALL_NOT = "SHALL NOT"
    SHOULD = "SHOULD"
    MAY = "MAY"
    POLICY = "POLICY"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """A requirement that can be seen from outside. `id` is "section.name" and stays the same between versions.

    `source` says who requires it, `means` what a miss does to a client, `hint` what to change.
    """

    id: str
    level: Level
    source: str
    title: str
    means: str
    hint: str

    @property
    def section(self) -> str:
        """The part of the table that it stands in."""
        return self.id.partition(".")[0]


class Outcome(StrEnum):
    """What a probe saw of one check at one place."""

    MISSED = "missed"
    MET = "met"
    NOT_OFFERED = "not offered"
    NOT_TRIED = "not tried"


class Sighting(msgspec.Struct, frozen=True):
    """One look at a check. `seen` holds statuses, times and paths, never tokens or what cards and charts say."""

    check: str
    outcome: Outcome
    seen: str


class Verdict(StrEnum):
    """What the table shows of a check."""

    PASS = "pass"  # noqa: S105
    WARN = "warn"
    FAIL = "fail"
    NOT_OFFERED = "not offered"
    NOT_TRIED = "not tried"


class Finding(msgspec.Struct, frozen=True):
    """A check with its verdict over all places. `times` is how often it was looked at, `missed` how often in vain."""

    check: Check
    verdict: Verdict
    seen: str
    times: int
    missed: int


Sightings = Iterable[Sighting]


def judged(check: str, met: bool, seen: str) -> Sighting:
    """Return a look that was met or missed."""
    return Sighting(check, Outcome.MET if met else Outcome.MISSED, seen)


def not_tried(check: str, why: str) -> Sighting:
    """Return that nothing could be seen, and why."""
    return Sighting(check, Outcome.NOT_TRIED, why)


def not_offered(check: str, seen: str) -> Sighting:
    """Return that the service does not have what is optional."""
    return Sighting(check, Outcome.NOT_OFFERED, seen)


@cache
def load_checks() -> Mapping[str, Check]:
    """Return every check by id, in the order of the file."""
    tables = tomllib.loads((files("cds_service.doctor") / "checks.toml").read_text())
    rows = [{"id": f"{section}.{name}", **row} for section, names in tables.items() for name, row in names.items()]
    return {check.id: check for check in msgspec.convert(rows, list[Check])}


def sections() -> tuple[str, ...]:
    """Return the sections in the order in which they are checked."""
    return tuple(dict.fromkeys(check.section for check in load_checks().values()))


def find_verdicts(sightings: Sightings, wanted: frozenset[str]) -> tuple[Finding, ...]:
    """Return a finding for every check of the wanted sections, the worst of what was seen of it."""
    seen: dict[str, list[Sighting]] = {}
    for sighting in sightings:
        seen.setdefault(sighting.check, []).append(sighting)
    return tuple(_finding(check, seen.get(check.id, [])) for check in load_checks().values() if check.section in wanted)


def _finding(check: Check, sightings: list[Sighting]) -> Finding:
    for outcome in Outcome:
        alike = [sighting for sighting in sightings if sighting.outcome is outcome]
        if alike:
            tried = sum(sighting.outcome in (Outcome.MET, Outcome.MISSED) for sighting in sightings)
            missed = len(alike) if outcome is Outcome.MISSED else 0
            return Finding(check, _verdict(check, outcome), alike[0].seen, tried, missed)
    return Finding(check, Verdict.NOT_TRIED, "nothing came that it could be judged by", 0, 0)


def _verdict(check: Check, outcome: Outcome) -> Verdict:
    match outcome:
        case Outcome.MISSED:
            return Verdict.FAIL if check.level in (Level.SHALL, Level.SHALL_NOT) else Verdict.WARN
        case Outcome.MET:
            return Verdict.PASS
        case Outcome.NOT_OFFERED:
            return Verdict.NOT_OFFERED
        case Outcome.NOT_TRIED:
            return Verdict.NOT_TRIED
