"""What the commands draw in a terminal: cards as an EHR would show them, and the proof."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.markdown import Markdown
from rich.panel import Panel
from rich.table import Column, Table
from rich.text import Text

from cds_service.command_line.commands import Checked
from rules.evaluation import tables as evaluation
from rules.proof.run import ProofReport

if TYPE_CHECKING:
    from cds_service.command_line.timeline import Timeline
    from fhir_models.conformance import Nonconformity

_COLOURS = {"info": "blue", "warning": "yellow", "critical": "red"}


def draw_answer(answer: dict[str, Any], console: Console) -> None:
    """Draw the cards of a response, or the issues of an OperationOutcome."""
    for issue in answer.get("issue", ()):
        console.print(Panel(Text(issue["details"]["text"]), title=issue["code"], border_style="red"))
    cards = answer.get("cards")
    if cards == []:
        console.print("No cards: nothing to say.")
    for card in cards or ():
        parts = [Text(card["summary"], style="bold"), Markdown(card["detail"])]
        parts += [Text(f"[ {suggestion['label']} ]", style="reverse") for suggestion in card.get("suggestions", ())]
        console.print(
            Panel(
                Group(*parts),
                title=card["indicator"],
                subtitle=card["source"]["label"],
                border_style=_COLOURS[card["indicator"]],
            )
        )


def draw_checks(checks: Iterable[tuple[str, Checked]], console: Console) -> None:
    """Draw what is wrong with each document, by its name; unknown codes together, a line a system."""
    for name, checked in checks:
        if not checked:
            console.print(Text(f"{name}: nothing found"), soft_wrap=True)
            continue
        drawn = Table("severity", "FHIR", Column("where", overflow="fold"), Column("what", overflow="fold"))
        for item in checked:
            if item.unknown is None:
                drawn.add_row(Text(item.severity), Text(item.version or ""), Text(item.path), Text(item.text))
        unknown = [item for item in checked if item.unknown]
        if unknown:
            where = unknown[0].path if len(unknown) == 1 else f"{unknown[0].path} and {len(unknown) - 1} more"
            drawn.add_row(Text(unknown[0].severity), Text(""), Text(where), Text(_unknown_words(unknown)))
        console.print(Text(f"{name}:"), soft_wrap=True)
        console.print(drawn)


def _unknown_words(items: Iterable[Nonconformity]) -> str:
    codes: dict[str, list[str]] = {}
    for item in items:
        if item.unknown:
            times = f" ({item.unknown.count} times)" if item.unknown.count > 1 else ""
            codes.setdefault(item.unknown.system or "no system", []).append(f"{item.unknown.code}{times}")
    lines = (f"{system}: {', '.join(found)}" for system, found in codes.items())
    return "\n".join(("near a calcification finding, in no table:", *lines))


def draw_timeline(timeline: Timeline, console: Console) -> None:
    """Draw a chart: what happened, oldest first, then how every recommendation stands."""
    patient = ", ".join(f"{name} {value}" for name, value in timeline.patient.items())
    happened = Table("date", "side", Column("what", overflow="fold"), Column("standing", overflow="fold"))
    happened.title, happened.title_justify = f"Chart on {timeline.today}: {patient}", "left"
    for entry in timeline.entries:
        category = f", category {entry.category}" if entry.category else ""
        versions = f", replaces {', '.join(entry.versions)}" if entry.versions else ""
        lines = [f"{entry.kind}: {entry.what}{category}", *(f"  {words}" for words in entry.findings)]
        lines += [f"  {entry.why}"] if entry.why else []
        what = Text("\n".join(lines)).append(f"\n{entry.resource}{versions}", style="dim")
        happened.add_row(Text(entry.date or "no date"), Text(entry.laterality or ""), what, Text(entry.standing))
    console.print(happened)
    loops = Table("side", Column("recommendation", overflow="fold"), "state", "due", Column("by", overflow="fold"))
    loops.title, loops.title_justify = "Recommendations", "left"
    for loop in timeline.loops:
        due = f"{loop.due or ''}{f', {loop.overdue_days} days over' if loop.overdue_days else ''}"
        style = _COLOURS.get(loop.indicator, "dim") if loop.shown else "dim"
        what = Text(loop.recommendation.replace("_", " ")).append(f"\n{loop.exam}", style="dim")
        state = Text(loop.state.replace("_", " "))
        loops.add_row(Text(loop.laterality), what, state, Text(due), Text(loop.closed_by or ""), style=style)
    console.print(loops)
    for item in timeline.unread:
        console.print(Text(f"could not be used: {item.resource} at {item.path}: {item.why}"), soft_wrap=True)


def draw_tables(tables: Iterable[evaluation.Table], console: Console) -> None:
    """Draw the tables of an evaluation."""
    for table in tables:
        drawn = Table(*table.columns, title=table.title, title_justify="left")
        for row in table.rows:
            drawn.add_row(*row)
        console.print(drawn)


def draw_proof(report: ProofReport, console: Console) -> None:
    """Draw what was proved, a line each, and below it everything that broke."""
    table = Table(
        "proved", "inputs or pairs", "violations", title=f"Table {report.table_version}", title_justify="left"
    )
    table.columns[1].justify = table.columns[2].justify = "right"
    for line in report.lines:
        style = "red" if line.violations else ""
        table.add_row(line.name, f"{line.checked:,}", str(len(line.violations)), style=style)
    console.print(table)
    for violation in report.violations:
        console.print(Text(violation, style="red"))
    console.print(Text("exceptions that the table makes, by invariant (rules/tables/proof_exceptions.toml):"))
    for exception in report.exceptions:
        console.print(Text(f"- {exception}"))
