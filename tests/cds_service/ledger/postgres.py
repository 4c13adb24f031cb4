"""A PostgreSQL of the tests' own: started from installed binaries, stopped and started at will, thrown away at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pg8000.dbapi
import pytest
from sqlalchemy import make_url

GIVEN = "FLECK_TEST_DATABASE_URL"
"""Names a PostgreSQL whose user may create databases; without it, one is started."""


class Postgres:
    """A running server. `can_stop` is False where it is somebody else's."""

    def __init__(self, url: str, directory: Path | None = None, binaries: Path | None = None) -> None:
        self.url = make_url(url)
        self._directory = directory
        self._binaries = binaries

    @property
    def can_stop(self) -> bool:
        return self._directory is not None

    def start(self) -> None:
        """Start and wait until it answers."""
        self._control("start", "-w", "-t", "60", "-l", str(self._data / "log"), "-o", f"-F -p {self.url.port} -k ''")

    def stop(self) -> None:
        """Stop at once, as a crash would."""
        self._control("stop", "-w", "-t", "60", "-m", "immediate")

    @contextmanager
    def database(self) -> Generator[str]:
        """Make an empty database, return its URL as Fleck takes it, and drop it."""
        name = f"fleck_{uuid4().hex}"
        self._run(f"CREATE DATABASE {name}")
        try:
            yield self.url.set(database=name).render_as_string(hide_password=False)
        finally:
            self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        url = self.url
        named = {"host": url.host, "port": url.port or 5432, "database": url.database, "password": url.password}
        connection = pg8000.dbapi.connect(url.username, **named)
        try:
            connection.autocommit = True
            connection.cursor().execute(statement)
        finally:
            connection.close()

    @property
    def _data(self) -> Path:
        assert self._directory, "not ours to start and stop"
        return self._directory

    def _control(self, *arguments: str) -> None:
        assert self._binaries
        run_as_other([str(self._binaries / "pg_ctl"), "-D", str(self._data), *arguments])


@contextmanager
def running_postgres() -> Generator[Postgres]:
    """Give the server that `FLECK_TEST_DATABASE_URL` names, or start one; skip the test if there is none to start."""
    if url := os.environ.get(GIVEN):
        yield Postgres(url)
        return
    binaries = _binaries()
    if binaries is None:
        pytest.skip(f"no PostgreSQL: neither {GIVEN} nor its programs")
    # Not in pytest's own directory: that is closed to the user that the server runs as.
    directory = Path(tempfile.mkdtemp(prefix="fleck-postgres-"))
    try:
        if identity := _other_user():
            os.chown(directory, identity.pw_uid, identity.pw_gid)
        command = [
            str(binaries / "initdb"),
            "-D",
            str(directory),
            "-U",
            "fleck",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        run_as_other(command)
        server = Postgres(f"postgresql://fleck@127.0.0.1:{_free_port()}/postgres", directory, binaries)
        server.start()
        try:
            yield server
        finally:
            with suppress(subprocess.CalledProcessError):  # a test may have left it stopped
                server.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def run_as_other(command: list[str]) -> None:
    """Run a program that refuses to run as root as somebody else, if this is root."""
    identity = _other_user()
    options: dict[str, Any] = {}
    if identity:
        options = {"user": identity.pw_uid, "group": identity.pw_gid, "extra_groups": []}
    # The server would keep a pipe open, and nobody would read it.
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(command, check=True, cwd="/", timeout=120, **quiet, **options)


def _other_user() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _binaries() -> Path | None:
    found = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    if found:
        return max(found, key=lambda path: int(path.parent.name) if path.parent.name.isdigit() else 0)
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path and shutil.which("pg_ctl") else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
