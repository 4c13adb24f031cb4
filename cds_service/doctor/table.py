"""The report as a table for people and as JSON for machines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

import msgspec
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from cds_service.doctor.checks import Finding, Verdict
from cds_service.doctor.run import Report

NOTICE = (
    "Only a synthetic patient is sent, unless --prefetch gives another. "
    "Feedback is about cards of this run, and one that nobody has."
)

_STYLES = {
    Verdict.PASS: "green",
    Verdict.WARN: "yellow",
    Verdict.FAIL: "bold red",
    Verdict.NOT_OFFERED: "dim",
    Verdict.NOT_TRIED: "dim",
}


def draw_report(report: Report, console: Console) -> None:
    """Draw a table a section; what was missed says what it means and what to change."""
    for section, findings in groupby(report.findings, key=lambda finding: finding.check.section):
        columns = (Column("check", overflow="fold", ratio=3), Column("seen", overflow="fold", ratio=2))
        table = Table("verdict", "level", *columns, title=section, title_justify="left", expand=True)
        for alike in _together(findings):
            first = alike[0]
            level = Text(first.check.level if len(alike) == 1 else "")
            table.add_row(Text(first.verdict, style=_STYLES[first.verdict]), level, _checks(alike), _seen(first))
        console.print(table)
    counts = ", ".join(f"{report.count(verdict)} {verdict}" for verdict in Verdict)
    console.print(Text(f"{report.url}: {counts}"), soft_wrap=True)


def encode_report(report: Report) -> bytes:
    """Return the report as JSON; ids of checks stay the same between versions."""
    checks = [
        {
            **msgspec.to_builtins(finding.check),
            "section": finding.check.section,
            "verdict": finding.verdict,
            "seen": finding.seen,
            "looked": finding.times,
            "missed": finding.missed,
        }
        for finding in report.findings
    ]
    counts = {verdict.value: report.count(verdict) for verdict in Verdict}
    return msgspec.json.encode({"url": report.url, "counts": counts, "checks": checks})


def _together(findings: Iterable[Finding]) -> Iterator[list[Finding]]:
    """Yield the findings of a row: one, or neighbours that could not be seen for the same reason."""
    for (_, reason), alike in groupby(findings, key=lambda item: (item.verdict, "" if item.times else item.seen)):
        if reason:
            yield list(alike)
        else:
            yield from ([finding] for finding in alike)


def _checks(alike: list[Finding]) -> Text:
    check = alike[0].check
    if len(alike) > 1:
        return Text(", ".join(finding.check.id for finding in alike), style="dim")
    text = Text(check.title).append(f"\n{check.id}", style="dim")
    if alike[0].missed:
        text.append(f"; {check.source}", style="dim")
        text.append(f"\n{check.means}").append(f"\nTo do: {check.hint}", style="bold")
    return text


def _seen(finding: Finding) -> Text:
    often = f" ({finding.missed} of {finding.times} times missed)" if finding.missed and finding.times > 1 else ""
    return Text(finding.seen + often)
