"""Addresses that a site writes down: https, or http where the traffic never leaves the machine."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Return whether a host name or address (without brackets) is this machine's own."""
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def safe_url(value: str) -> str:
    """Return the URL.

    Raises:
        ValueError: not https (nor http on loopback), without a host, or with user, query, fragment or blanks.
    """
    parts = urlsplit(value)
    host, _ = parts.hostname or "", parts.port  # a port that is none raises
    if value != value.strip() or not value.isprintable() or " " in value:
        raise ValueError("a URL has no blanks")
    if not host or "@" in parts.netloc:
        raise ValueError("a URL names a host, and no user or password")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ValueError("a URL is https; http only on loopback")
    if "?" in value or "#" in value:
        raise ValueError("a URL has no query and no fragment here")
    return value


def safe_link(value: str) -> str:
    """Return the URL of a link for users, which may have a query and a fragment.

    Raises:
        ValueError: as `safe_url`.
    """
    safe_url(value.partition("#")[0].partition("?")[0])
    if not value.isprintable() or " " in value:
        raise ValueError("a URL has no blanks")
    return value
