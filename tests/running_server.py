"""The service in a process of its own, started as a site starts it, with settings that nothing around it changes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec

MAIN = Path(__file__).parents[1] / "main.py"


class RunningServer(msgspec.Struct, frozen=True):
    """A server that answers. `folder` is where it works: its ledger, and what it wrote to standard error."""

    port: int
    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")


def free_port() -> int:
    """Return a port that nothing listens on, for a server that has to know its own address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running_server(
    folder: Path, settings: Mapping[str, str] | None = None, port: int | None = None
) -> Generator[RunningServer]:
    """Serve from a folder with these settings (`FLECK_*`) alone until the block ends."""
    port = port or free_port()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FLECK_")}
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, str(MAIN), "serve", "--port", str(port)],
            env=inherited | {"FLECK_TODAY": "2026-02-02"} | (settings or {}),
            stderr=log,
            cwd=folder,
        )
    running = RunningServer(port, process, folder)
    try:
        _wait_until_up(running)
        yield running
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_up(running: RunningServer) -> None:
    for _ in range(1200):
        try:
            httpx.get(f"{running.url}/health/ready").raise_for_status()
        except httpx.TransportError:
            assert running.process.poll() is None, running.log
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server did not start in time")
