"""The base URL of a FHIR server, and which URLs lie below it. What asks and what checks use one parser, httpx's."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote

import httpx
import msgspec

from cds_service.clients.urls import is_loopback

MAX_URL = 8192
"""Characters of the longest URL that is followed; servers put the whole state of a search into a link."""

_DECODINGS = 4
"""Layers of percent-encoding that are looked behind; what has more is not followed."""


class BaseUrl(msgspec.Struct, frozen=True):
    """Scheme, host and port as `origin` (lower case, without a default port); `path` without a slash at its end."""

    origin: str
    path: str

    def __str__(self) -> str:
        return f"{self.origin}{self.path}"

    def below(self, url: str) -> str | None:
        """Return the URL in normal form if it is the base or below it, relative ones as from the base; else None.

        None too for an empty one, one with a user, with backslashes, or whose path would climb once a server decodes it.
        """
        try:
            parsed = _normal(httpx.URL(f"{self}/").join(url)) if 0 < len(url) <= MAX_URL else None
        except (httpx.InvalidURL, ValueError):
            return None
        if parsed is None or parsed.userinfo or _climbs(url.partition("?")[0]) or _origin(parsed) != self.origin:
            return None
        path = parsed.raw_path.partition(b"?")[0].decode("ascii")
        if _climbs(path) or not (path == self.path or path.startswith(f"{self.path}/")):
            return None
        return str(parsed.copy_with(fragment=None))


def read_base_url(text: str) -> BaseUrl | None:
    """Return a FHIR base URL in normal form, None if it is none: https (http on loopback), no user, query or fragment."""
    try:
        url = _normal(httpx.URL(text)) if len(text) <= MAX_URL else None
    except (httpx.InvalidURL, ValueError):
        return None
    if url is None or not url.host or "@" in text or "?" in text or "#" in text or "\\" in text:
        return None
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(url.host)):
        return None
    path = url.raw_path.decode("ascii")
    return None if _climbs(path) else BaseUrl(_origin(url), path.rstrip("/"))


def registered(sent: str, servers: Iterable[str]) -> BaseUrl | None:
    """Return the base URL that a client sent if it is one of those written down for it."""
    base = read_base_url(sent)
    return base if base is not None and base in map(read_base_url, servers) else None


def _normal(url: httpx.URL) -> httpx.URL:
    """httpx drops a default port only where the scheme is in lower case, as it is in what it writes."""
    return httpx.URL(str(url))


def _origin(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def _climbs(path: str) -> bool:
    for _ in range(_DECODINGS):
        if (decoded := unquote(path)) == path:
            return "\\" in path or any(part.partition(";")[0] in (".", "..") for part in path.split("/"))
        path = decoded
    return True
