"""Text of others inside GitHub-flavoured Markdown: escaped, on one line, of bounded length."""

from __future__ import annotations

import re
from functools import lru_cache

LONGEST_REMEMBERED = 120
"""Names and codes come again and again and are remembered; free text, told by its length, is not."""

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!&$^])")
_PLAIN = re.compile(r"[A-Za-z0-9 ,;/()+.-]*")
"""Nothing to escape; every reference of the form Observation/id is plain, so none is remembered."""

_BLANKS = re.compile(r"\s+")
_LINK = re.compile(r"(?i)\b(https?|ftp|mailto|javascript|data)(:)|\b(www)(\.)|(@)")


def quoted(text: str, limit: int = 240) -> str:
    """Return the text so that no client can take any of it for markup or a link."""
    if len(text) <= limit and _PLAIN.fullmatch(text) and "www." not in text.lower():
        return text.strip()
    return _remembered(text, limit) if len(text) <= LONGEST_REMEMBERED else _escaped(text, limit)


def _escaped(text: str, limit: int) -> str:
    flat = _BLANKS.sub(" ", text).strip()
    if len(flat) > limit:
        flat = f"{flat[: limit - 1].rstrip()}…"
    return _LINK.sub(_broken_link, _SPECIAL.sub(r"\\\1", flat))


def _broken_link(match: re.Match[str]) -> str:
    return "\u200b".join(part for part in match.groups() if part) if match[1] or match[3] else "\\@"


_remembered = lru_cache(4096)(_escaped)
