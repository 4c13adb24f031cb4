"""Running the service with uvicorn."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

import uvicorn
from fastapi import FastAPI

from cds_service.app import create_app
from cds_service.clients.registry import load_registry
from cds_service.hooks.services import SERVICES
from cds_service.ledger.ledger import prepare_ledger
from cds_service.log_lines import log_config
from cds_service.settings import Settings
from cds_service.web.http_protocol import BoundedHttpProtocol
from cds_service.web.metrics import SHARED_FOLDER


def serve(
    host: str | None = None, port: int | None = None, workers: int | None = None, *, insecure_open: bool = False
) -> None:
    """Run until stopped; an argument overrides the setting of the same name.

    Raises:
        pydantic.ValidationError: a setting is wrong.
        ValueError: a policy switch, a ConceptMap or a client is wrong, or anyone could call.
        OSError: a file that is named cannot be read, or the ledger's cannot be made.
        sqlalchemy.exc.SQLAlchemyError: the ledger's SQLite file cannot be used.
    """
    # Through the environment, so that each worker process reads the same: whether /api answers depends on the host.
    given = {"FLECK_HOST": host, "FLECK_PORT": port, "FLECK_WORKERS": workers}
    given["FLECK_INSECURE_OPEN"] = insecure_open or None
    os.environ.update({name: str(value) for name, value in given.items() if value is not None})
    settings = Settings()
    load_registry(settings, SERVICES)  # here, before any worker starts and dies of it
    prepare_ledger(settings)
    with _shared_counts(settings.workers):
        _run(settings)


@contextmanager
def _shared_counts(workers: int) -> Generator[None]:
    """Give several workers a folder for their counts; one worker counts in memory."""
    if workers == 1:
        yield
        return
    with TemporaryDirectory(prefix="fleck-metrics-") as folder:
        os.environ[SHARED_FOLDER] = folder
        yield


def _run(settings: Settings) -> None:
    uvicorn.run(
        "cds_service.server:app_from_environment",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        access_log=False,
        http=BoundedHttpProtocol,
        timeout_keep_alive=settings.keep_alive_seconds,
        log_config=log_config(settings.log_level),
        server_header=False,
    )


def app_from_environment() -> FastAPI:
    """Return the application for the settings that this process sees."""
    return create_app(Settings())
