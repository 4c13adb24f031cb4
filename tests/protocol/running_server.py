"""The service in a process of its own, on a free port that the system chose."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

SERVE = "from cds_service.server import serve; serve(port={port})"
_LISTENING = re.compile(r"running on http://127\.0\.0\.1:(\d+)")
_PATIENCE = 60.0


class RunningServer(NamedTuple):
    """Where a server listens, and what it is to the system."""

    url: str
    pid: int
    log: Path


@contextmanager
def running_server(settings: Mapping[str, str], log: Path, port: int = 0) -> Generator[RunningServer]:
    """Run the service with these settings (`FLECK_*`) alone until the block ends; `log` takes what it writes.

    Without a port the system chooses one.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FLECK_")}
    with log.open("wb") as lines:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE.format(port=port)], env=inherited | settings, stderr=lines
        )
    try:
        yield RunningServer(f"http://127.0.0.1:{_port(process, log)}", process.pid, log)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if found := _LISTENING.search(log.read_text()):
            return int(found[1])
        assert process.poll() is None, f"the server did not start: {log.read_text()}"
        time.sleep(0.05)
    raise AssertionError("the server did not start in time")


def free_port() -> int:
    """Return a port that nothing listens on, for a server that has to know its own address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
