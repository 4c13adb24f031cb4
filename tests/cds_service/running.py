"""The service as a process of its own, started as a site starts it."""

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

MAIN = Path(__file__).parents[2] / "main.py"


class Running(msgspec.Struct, frozen=True):
    """A server that answers. `log` is what it wrote to standard error, `folder` its working directory."""

    port: int
    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running_server(folder: Path, settings: Mapping[str, str] | None = None) -> Generator[Running]:
    """Serve in a folder with settings (`FLECK_*`) until the block ends."""
    port = free_port()
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, str(MAIN), "serve", "--port", str(port)],
            env=os.environ | {"FLECK_TODAY": "2026-02-02"} | (settings or {}),
            stderr=log,
            cwd=folder,
        )
    running = Running(port, process, folder)
    try:
        wait_until_up(running)
        yield running
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_up(running: Running) -> None:
    for _ in range(600):
        try:
            httpx.get(f"{running.address}/health/ready").raise_for_status()
        except httpx.TransportError:
            assert running.process.poll() is None, running.log
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server did not start in time")
