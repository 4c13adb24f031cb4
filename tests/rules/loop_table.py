"""Reads `loop_cases.csv`: what a clinician expects of a recommendation, given what the chart holds beside the exam.

`decided` is the decision's recommendation and indicator, `given` what differs from the default of `LoopFacts`, `policy` a
switch of the site; `claims_due` whether days overdue may be claimed.
"""

from __future__ import annotations

import csv
from pathlib import Path

import msgspec

from rules.follow_up import LoopFacts
from rules.loop import Loop, loop_answer
from rules.vocabulary import Indicator


class LoopCase(msgspec.Struct, frozen=True):
    """One row."""

    case: str
    policy: str
    facts: LoopFacts
    indicator: Indicator
    expected: tuple[str, ...]


def read_loop_cases() -> tuple[LoopCase, ...]:
    """Return the rows of the table."""
    with (Path(__file__).parent / "loop_cases.csv").open(encoding="utf-8", newline="") as file:
        return tuple(_case(row) for row in csv.DictReader(file))


def told(case: LoopCase, loop: Loop) -> tuple[str, ...]:
    """Return what the loop table answers to a case, in the columns of the table."""
    answer = loop_answer(case.facts, case.indicator, loop)
    yes = tuple("yes" if value else "no" for value in (answer.shown, answer.draft, answer.claims_due))
    return (answer.state, answer.recommendation, answer.indicator, *yes, answer.rule)


def _case(row: dict[str, str]) -> LoopCase:
    recommendation, indicator = row["decided"].split()
    given = dict(part.split(": ", 1) for part in row["given"].split(", ") if part)
    truths = {"true": True, "false": False}
    facts = {name: truths.get(value, value) for name, value in given.items()}
    if unknown := facts.keys() - set(LoopFacts.__struct_fields__):
        raise ValueError(f"{row['case']}: no loop has {', '.join(unknown)}")
    columns = ("state", "recommendation", "indicator", "shown", "draft", "claims_due", "row")
    return LoopCase(
        case=row["case"],
        policy=row["policy"],
        facts=msgspec.convert({"recommendation": recommendation, **facts}, LoopFacts),
        indicator=Indicator(indicator),
        expected=tuple(row[name] for name in columns),
    )
