"""The report as a table for people and as JSON for machines."""

from __future__ import annotations

from itertools import groupby

import msgspec
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from cds_service.doctor.checks import Finding, Verdict
from cds_service.doctor.run import Report

NOTICE = "Only synthetic patients are sent. Feedback is sent about cards of this run alone."

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
        table = Table(
            "verdict", "level", Column("check", overflow="fold"), Column("seen", overflow="fold"), expand=True
        )
        table.title, table.title_justify = section, "left"
        for finding in findings:
            style = _STYLES[finding.verdict]
            table.add_row(
                Text(finding.verdict, style=style), Text(finding.check.level), _check(finding), _seen(finding)
            )
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


def _check(finding: Finding) -> Text:
    check = finding.check
    text = Text(check.title).append(f"\n{check.id}; {check.source}", style="dim")
    if finding.missed:
        text.append(f"\n{check.means}").append(f"\nTo do: {check.hint}", style="bold")
    return text


def _seen(finding: Finding) -> Text:
    often = f" ({finding.missed} of {finding.times} times missed)" if finding.missed and finding.times > 1 else ""
    return Text(finding.seen + often)
