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
Algorithm = Literal["ES384", "RS384"]

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
    from sqlalchemy.exc import SQLAlchemyError

    from cds_service.server import serve as run

    try:
        run(host, port, workers, insecure_open=insecure_open)
    except SQLAlchemyError as error:
        _stop(f"the ledger's database cannot be used ({type(error).__name__})")
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


@cli.command()
def doctor(
    url: Annotated[str, typer.Argument(help="Base URL of a running CDS Hooks service, or its discovery URL.")],
    only: Annotated[list[str] | None, typer.Option(help="Sections to check; others are left out.")] = None,
    services: Annotated[str, typer.Option(help="Ids of the services to call, with commas.")] = "",
    context: Annotated[Path | None, typer.Option(help="JSON: hook names, each with the context to send.")] = None,
    prefetch: Annotated[Path | None, typer.Option(help="JSON: prefetch keys with what to send instead.")] = None,
    origin: Annotated[str | None, typer.Option(help="Origin of a browser-based client, to check CORS.")] = None,
    issuer: Annotated[str | None, typer.Option(help="iss of our tokens; without it none are sent.")] = None,
    key: Annotated[Path | None, typer.Option(help="Private key (PEM); made if it is not there.")] = None,
    alg: Annotated[Algorithm | None, typer.Option(help="For a key that is made; ES384 if not given.")] = None,
    kid: Annotated[str | None, typer.Option(help="kid of our key; derived from it if not given.")] = None,
    jku: Annotated[str | None, typer.Option(help="jku in our tokens.")] = None,
    tenant: Annotated[str | None, typer.Option(help="tenant in our tokens.")] = None,
    audience: Annotated[str | None, typer.Option(help="Public base URL of the service, if not URL.")] = None,
    print_jwks: Annotated[bool, typer.Option("--print-jwks", help="Print the key set of --key, and stop.")] = False,
    serve_jwks: Annotated[int | None, typer.Option(help="Serve our key set on this port during the run.")] = None,
    fhir_server_url: Annotated[str | None, typer.Option(help="Our FHIR server's URL as the service sees it.")] = None,
    fhir_server_port: Annotated[int, typer.Option(help="Port of our FHIR server; 0 takes a free one.")] = 0,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for an answer.", min=0.1)] = 15.0,
    huge_mb: Annotated[int, typer.Option(help="Size of the too large request.", min=1, max=256)] = 16,
    polite: Annotated[bool, typer.Option("--polite", help="Leave out hostile requests and tokens.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 for warnings too.")] = False,
    ca: Annotated[Path | None, typer.Option(help="Certificates to trust (PEM).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Play the EHR against a running CDS Hooks service, ours or another, and show where it departs from the standard.

    Exit code 0: every SHALL is kept; 1: one is not; 2: wrong usage, or nothing could be judged.
    """
    from cds_service.doctor.arguments import chosen_sections, key_for, read_contexts, read_members, trusting
    from cds_service.doctor.checks import Verdict
    from cds_service.doctor.run import CannotExamineError, Options, base_of, examine
    from cds_service.doctor.table import NOTICE, draw_report, encode_report
    from cds_service.doctor.tokens import Identity, algorithm_of, key_id, key_set

    if serve_jwks is not None and not issuer:
        _stop("--serve-jwks needs --issuer: without one no token is sent")
    if print_jwks and key is None:
        _stop("--print-jwks needs --key FILE, so that the next run has the same key; it is made if it is not there")
    try:
        private = key_for(key, alg) if issuer or print_jwks else None
        if print_jwks and private:
            typer.echo(key_set(private, kid or key_id(private)))
            return
        identity = private and Identity(
            issuer=issuer or "",
            key=private,
            algorithm=algorithm_of(private),
            kid=kid or key_id(private),
            audience=base_of(audience or url),
            jku=jku,
            tenant=tenant,
        )
        options = Options(
            url=url,
            today=date.today(),
            sections=chosen_sections(only or []),
            services=frozenset(name for name in services.split(",") if name),
            timeout=timeout,
            polite=polite,
            huge_megabytes=huge_mb,
            origin=origin,
            identity=identity,
            contexts=read_contexts(context) if context else {},
            prefetch=read_members(prefetch) if prefetch else None,
            fhir_url=fhir_server_url,
            fhir_port=fhir_server_port,
            jwks_port=serve_jwks,
            verify=trusting(ca),
        )
        typer.echo(NOTICE, err=True)
        report = examine(options)
    except (ValueError, OSError, CannotExamineError) as error:
        _stop(str(error))
        raise
    if as_json:
        typer.echo(encode_report(report))
    else:
        from rich.console import Console

        draw_report(report, Console())
    if report.count(Verdict.NOT_TRIED) == len(report.findings):
        _stop("nothing could be judged: the column seen says what is missing")
    if report.count(Verdict.FAIL) or (strict and report.count(Verdict.WARN)):
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
