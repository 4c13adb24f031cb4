"""Where the ledger is: a SQLite file or a PostgreSQL database, named by a URL."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path

import msgspec
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

DEFAULT_URL = "sqlite:///fleck.db"
DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+pg8000"}
SSL_MODES = ("disable", "prefer", "require", "verify-ca", "verify-full")
"""As libpq has them; without one, prefer."""

_OPTIONS = frozenset({"sslmode", "sslrootcert", "host"})


class StoreAddress(msgspec.Struct, frozen=True):
    """A checked address: SQLAlchemy's URL, what the driver is told besides, and the file where it is SQLite's."""

    url: URL
    connect: Mapping[str, object]
    file: Path | None


def read_address(text: str) -> StoreAddress:
    """Read `sqlite:///path` or `postgresql://user:password@host:port/database`.

    A PostgreSQL URL may end with `?sslmode=`, `&sslrootcert=` (a file of certificates) and `host=` (a socket directory).

    Raises:
        ValueError: anything else. The message never quotes the URL, which may hold a password.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError("the database URL cannot be read: sqlite:///path or postgresql://...") from None
    if url.drivername not in DRIVERS:
        raise ValueError("the database URL must start with sqlite:/// or postgresql://")
    if url.drivername == "sqlite":
        return _sqlite(url)
    return _postgresql(url)


def _sqlite(url: URL) -> StoreAddress:
    if not url.database or url.database == ":memory:" or url.host or url.query or url.database.startswith("file:"):
        raise ValueError("a SQLite URL is sqlite:/// and the path of a file, nothing else")
    return StoreAddress(url.set(drivername=DRIVERS["sqlite"]), {}, Path(url.database))


def _postgresql(url: URL) -> StoreAddress:
    if not url.database or not url.username:
        raise ValueError("a PostgreSQL URL names a user and a database")
    if unknown := sorted(url.query.keys() - _OPTIONS):
        raise ValueError(f"a PostgreSQL URL may have {', '.join(sorted(_OPTIONS))}, not {', '.join(unknown)}")
    options = {name: value if isinstance(value, str) else value[-1] for name, value in url.query.items()}
    connect: dict[str, object] = {"ssl_context": _ssl(options), "application_name": "fleck"}
    if "host" in options:
        connect["unix_sock"] = f"{options['host']}/.s.PGSQL.{url.port or 5432}"
    return StoreAddress(url.set(drivername=DRIVERS["postgresql"], query={}), connect, None)


def _ssl(options: Mapping[str, str]) -> ssl.SSLContext | bool | None:
    """What pg8000 wants: False for none, None to try, True to insist, a context to verify."""
    mode, authorities = options.get("sslmode", "prefer"), options.get("sslrootcert")
    if mode not in SSL_MODES:
        raise ValueError(f"sslmode is one of {', '.join(SSL_MODES)}")
    if mode in ("disable", "prefer", "require"):
        return {"disable": False, "prefer": None, "require": True}[mode]
    try:
        context = ssl.create_default_context(cafile=authorities)
    except OSError:
        raise ValueError("sslrootcert names no file of certificates") from None
    context.check_hostname = mode == "verify-full"
    return context
