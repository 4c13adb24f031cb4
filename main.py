"""Fleck's command line, and `app` for an ASGI server. Arguments and wiring only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from cds_service.command_line.commands import Output
    from cds_service.knowledge import Knowledge
    from cds_service.settings import Settings
    from rules.evaluation.cbis import Lesion

cli = typer.Typer(
    help="Fleck: a CDS Hooks service for breast calcifications.", no_args_is_help=True, pretty_exceptions_enable=False
)
evaluate = typer.Typer(help="Run the rules over published data.", no_args_is_help=True)
cli.add_typer(evaluate, name="evaluate")

Source = Annotated[Path, typer.Argument(help="A file, or - for standard input.", allow_dash=True)]
Today = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day that counts as today.")]

FhirVersion = Literal["R4", "R5"]

STANDARD_INPUT = Path("-")


def __getattr__(name: str) -> Any:
    if name != "app":
        raise AttributeError(name)
    from cds_service.server import app_from_environment

    return app_from_environment()


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (FLECK_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port (FLECK_PORT).")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes (FLECK_WORKERS).")] = None,
    insecure_open: Annotated[
        bool, typer.Option("--insecure-open", help="Let anyone call who can reach it (FLECK_INSECURE_OPEN).")
    ] = False,
) -> None:
    """Run the service, by default on 127.0.0.1:8000."""
    from cds_service.server import serve as run

    try:
        run(host, port, workers, insecure_open=insecure_open)
    except (ValueError, OSError) as error:
        _stop(f"the settings are wrong: {error}")


@cli.command()
def decide(source: Source = STANDARD_INPUT) -> None:
    """Decide cases (JSON, or JSON Lines): one decision a line."""
    from cds_service.command_line.commands import decide_lines
    from cds_service.knowledge import load_ruleset_for
    from cds_service.settings import Settings

    _print_lines(decide_lines(_read(source), load_ruleset_for(Settings())))


@cli.command()
def read(source: Source = STANDARD_INPUT, today: Today = None) -> None:
    """Show what is read from FHIR JSON, a Bundle or a CDS Hooks request: one reading a line."""
    from cds_service.command_line.commands import read_lines

    knowledge, settings = _knowledge()
    _print_lines(read_lines(_read(source), knowledge, _day(today, settings)))


@cli.command()
def call(
    service: Annotated[str, typer.Argument(help="Service id, such as calcification-patient-view.")],
    source: Source = STANDARD_INPUT,
    today: Today = None,
    pretty: Annotated[bool, typer.Option("--pretty", help="Draw the cards.")] = False,
) -> None:
    """Send CDS Hooks requests through a service, in process: one response a line."""
    from cds_service.command_line.commands import call_lines

    knowledge, settings = _knowledge()
    lines = call_lines(_read(source), service, knowledge, settings, _day(today, settings))
    if not pretty:
        _print_lines(lines)
        return
    import orjson
    from rich.console import Console

    from cds_service.command_line.terminal import draw_answer

    for line, _ in lines:
        draw_answer(orjson.loads(line), Console())
    _exit_on_failure(lines)


@cli.command()
def timeline(
    source: Source = STANDARD_INPUT,
    today: Today = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one timeline a line as JSON.")] = False,
) -> None:
    """Show a chart in the order of time: exams, findings, orders, procedures, tissue, and how every loop stands."""
    from cds_service.command_line.commands import timeline_lines

    knowledge, settings = _knowledge()
    timelines = timeline_lines(_read(source), knowledge, _day(today, settings))
    if as_json:
        import msgspec

        encoded = [item if isinstance(item, bytes) else msgspec.json.encode(item) for item in timelines]
        _print_lines([(line, not isinstance(item, bytes)) for line, item in zip(encoded, timelines, strict=True)])
        return
    import orjson
    from rich.console import Console

    from cds_service.command_line.terminal import draw_answer, draw_timeline

    for item in timelines:
        if isinstance(item, bytes):
            draw_answer(orjson.loads(item), Console())
        else:
            draw_timeline(item, Console())
    if any(isinstance(item, bytes) for item in timelines):
        raise typer.Exit(1)


@cli.command()
def check(
    sources: Annotated[list[Path], typer.Argument(help="Files, or - for standard input.", allow_dash=True)],
    as_json: Annotated[bool, typer.Option("--json", help="Print OperationOutcomes, one a document.")] = False,
    fhir: Annotated[FhirVersion | None, typer.Option(help="FHIR version; without it, told by the elements.")] = None,
    today: Today = None,
) -> None:
    """Show what is wrong with FHIR JSON, Bundles or CDS Hooks requests, and codes near findings that no table knows."""
    from cds_service.command_line.commands import check_lines, outcome_of

    knowledge, settings = _knowledge()
    checks = [
        (f"{source}" if number == 1 else f"{source}, document {number}", checked)
        for source in sources
        for number, checked in enumerate(
            check_lines(_read(source), knowledge, settings, _day(today, settings), fhir), start=1
        )
    ]
    if as_json:
        for _, checked in checks:
            typer.echo(outcome_of(checked))
    else:
        from rich.console import Console

        from cds_service.command_line.terminal import draw_checks

        draw_checks(checks, Console())
    if any(checked for _, checked in checks):
        raise typer.Exit(1)


@cli.command()
def feedback(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print each call with cards and feedback as a JSON line.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a row a card and feedback as CSV.")] = False,
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="From this day (UTC) on.")] = None,
    service: Annotated[str | None, typer.Option(help="Of this service only.")] = None,
) -> None:
    """Show what the ledger holds: decisions given, feedback received."""
    from rich.console import Console

    from cds_service.command_line import ledger

    if as_json and as_csv:
        _stop("--json or --csv, not both")
    extract = ledger.Extract(since.replace(tzinfo=UTC) if since else None, service)
    try:
        with ledger.reading(_settings()) as connection:
            if as_json:
                for line in ledger.json_lines(connection, extract):
                    sys.stdout.buffer.write(line + b"\n")
            elif as_csv:
                for line in ledger.csv_lines(connection, extract):
                    sys.stdout.write(line)
            else:
                ledger.draw_summary(connection, extract, Console())
    except ledger.LedgerUnreadableError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


@cli.command()
def migrate() -> None:
    """Bring the ledger's database to the schema of this version; `serve` does it too."""
    from alembic.util import CommandError
    from sqlalchemy.exc import SQLAlchemyError

    from cds_service.command_line.ledger import reason_of
    from cds_service.ledger.ledger import migrate_ledger

    settings = _settings()
    try:
        before, after = migrate_ledger(settings)
    except (SQLAlchemyError, OSError, CommandError) as error:
        typer.echo(f"the ledger cannot be migrated: {reason_of(error)}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"schema {after}: was so already" if before == after else f"schema {after}: was {before or 'empty'}")


@cli.command()
def prove(
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Enumerate the rule tables under the site's policy and check every invariant; about a minute."""
    from cds_service.knowledge import load_ruleset_for
    from cds_service.settings import Settings
    from rules.proof.run import prove as run

    report = run(load_ruleset_for(Settings()))
    if as_json:
        import msgspec

        typer.echo(msgspec.json.encode(report))
    else:
        from rich.console import Console

        from cds_service.command_line.terminal import draw_proof

        draw_proof(report, Console())
    if not report.ok:
        raise typer.Exit(1)


@evaluate.command()
def cbis(
    sources: Annotated[list[Path], typer.Argument(help="CBIS-DDSM calcification case descriptions (CSV).")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the tables as JSON.")] = False,
) -> None:
    """Decide every lesion of CBIS-DDSM and compare with its pathology."""
    from cds_service.knowledge import load_ruleset_for
    from cds_service.settings import Settings
    from rules.evaluation.cbis import load_terms, read_views
    from rules.evaluation.tables import evaluate as tables_of

    terms = load_terms()
    files = {source.stem: _views(source, lambda text: read_views(text, terms)) for source in sources}
    tables = list(tables_of(files, load_ruleset_for(Settings())))
    if as_json:
        import msgspec

        typer.echo(msgspec.json.encode({"attribution": terms.attribution, "tables": tables}))
        return
    from rich.console import Console

    from cds_service.command_line.terminal import draw_tables

    draw_tables(tables, Console())
    typer.echo(terms.attribution)


def _views(source: Path, read_text: Callable[[str], Sequence[Lesion]]) -> Sequence[Lesion]:
    try:
        return read_text(_read(source).decode())
    except ValueError as error:
        _stop(f"{source}: {error}")
        raise


def _settings() -> Settings:
    from cds_service.settings import Settings

    try:
        return Settings()
    except (ValueError, FileNotFoundError) as error:
        _stop(f"the settings are wrong: {error}")
        raise


def _knowledge() -> tuple[Knowledge, Settings]:
    from cds_service.knowledge import load_knowledge
    from cds_service.settings import Settings

    try:
        settings = Settings()
        return load_knowledge(settings), settings
    except (ValueError, FileNotFoundError) as error:
        _stop(f"the settings are wrong: {error}")
        raise


def _read(source: Path) -> bytes:
    if source == STANDARD_INPUT:
        return sys.stdin.buffer.read()
    try:
        return source.read_bytes()
    except OSError as error:
        _stop(f"{source}: {error.strerror}")
        raise


def _day(given: datetime | None, settings: Settings) -> date:
    return given.date() if given else settings.today or date.today()


def _print_lines(lines: Sequence[Output]) -> None:
    for line, _ in lines:
        sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()
    _exit_on_failure(lines)


def _exit_on_failure(lines: Sequence[Output]) -> None:
    if not all(understood for _, understood in lines):
        raise typer.Exit(1)


def _stop(message: str) -> None:
    typer.echo(message, err=True)
    raise typer.Exit(2)


if __name__ == "__main__":
    cli()
