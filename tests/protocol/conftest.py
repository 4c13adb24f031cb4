"""The service as a client meets it: in process for what is asked of every answer, as a process where sockets matter."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from fastapi import FastAPI

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.cds_service.conftest import SANDBOX, TODAY, Send, sender
from tests.running_server import RunningServer, running_server


@pytest.fixture(scope="session")
def app() -> FastAPI:
    return create_app(Settings(today=TODAY, allowed_origins=(SANDBOX,)))


@pytest.fixture(scope="session")
def send(app: FastAPI) -> Send:
    return sender(app)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningServer]:
    """A server that the sandbox's page may call."""
    settings = {"FLECK_TODAY": TODAY.isoformat(), "FLECK_ALLOWED_ORIGINS": f'["{SANDBOX}"]'}
    with running_server(tmp_path_factory.mktemp("server"), settings) as running:
        yield running
