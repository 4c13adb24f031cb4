"""Reads the case tables: one row a case, `given` names only what differs from the defaults.

`vignettes.csv` are a radiologist's expectations. `edge_cases.csv` are the cases next to the edge of a row, and
`switch_cases.csv` those that a policy switch (`policy`) changes; both were found by mutating the table (`mutants.py`).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

import msgspec

from rules.case_json import read_case
from rules.vocabulary import Case


class Expectation(msgspec.Struct, frozen=True):
    """One row: the case, and what a radiologist expects of it."""

    case: Case
    recommendation: str
    interval_months: str | None
    category: str
    if_confirmed: str
    indicator: str
    discordance: str
    flags: frozenset[str]
    report_recommendation: str | None
    rules: tuple[str, ...]
    policy: str


def read_cases(name: str) -> tuple[Expectation, ...]:
    """Return the rows of a table in this folder."""
    with (Path(__file__).parent / name).open(encoding="utf-8", newline="") as file:
        return tuple(_expectation(row) for row in csv.DictReader(file))


def reports(expectations: Iterable[Expectation]) -> tuple[tuple[Expectation, ...], ...]:
    """Group rows of one report; a row without report is a report of its own."""
    groups: dict[str, list[Expectation]] = {}
    for row in expectations:
        groups.setdefault(row.case.report_id or f"case {row.case.case_id}", []).append(row)
    return tuple(map(tuple, groups.values()))


def _expectation(row: dict[str, str]) -> Expectation:
    given = dict(part.split(": ", 1) for part in row["given"].split(", ") if part)
    members: dict[str, object] = {name: value.replace(" + ", ";") for name, value in given.items()}
    case, unknown = read_case({"case_id": row["case_id"], "report_id": row["report_id"], **members})
    if unknown:
        raise ValueError(f"{row['case_id']}: no case has {', '.join(unknown)}")
    return Expectation(
        case=case,
        recommendation=row["recommendation"],
        interval_months=row["interval_months"] or None,
        category=row["category"],
        if_confirmed=row["if_confirmed"],
        indicator=row["indicator"],
        discordance=row["discordance"],
        flags=frozenset(part for part in row["flags"].split(" + ") if part),
        report_recommendation=row["report_recommendation"] or None,
        rules=tuple(row["rules"].split()),
        policy=row.get("policy", ""),
    )
