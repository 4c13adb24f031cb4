"""No test writes into the working directory: what names no ledger of its own gets one that is thrown away."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest

LEDGER = "FLECK_DATABASE_URL"


@pytest.fixture(scope="session", autouse=True)
def _ledger(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    folder: Path = tmp_path_factory.mktemp("ledger")
    os.environ[LEDGER] = f"sqlite:///{folder / 'fleck.db'}"
    yield
    del os.environ[LEDGER]
