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
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u3164\ufe00-\ufe0f\uffa0]")
"""Letters and marks that draw nothing; what is no letter and draws nothing, or turns the text, Python calls unprintable."""

_LINK = re.compile(r"(?i)\b(?:https?|ftp|mailto|xmpp|javascript|data)(?=:)|\bwww(?=\.)|/(?=/)|\w(?=\.[a-z]{2})|@")
"""Schemes, hosts and addresses, with or without a scheme: some clients make links of all of them."""


def quoted(text: str, limit: int = 240) -> str:
    """Return the text so that no client can take any of it for markup or a link."""
    if len(text) <= limit and _PLAIN.fullmatch(text) and not _LINK.search(text):
        return text.strip()
    return _remembered(text, limit) if len(text) <= LONGEST_REMEMBERED else _escaped(text, limit)


def _escaped(text: str, limit: int) -> str:
    seen = "".join(letter if letter.isprintable() else " " for letter in _UNSEEN.sub("", text[: limit * 4]))
    flat = _BLANKS.sub(" ", seen).strip()
    if len(flat) > limit:
        flat = f"{flat[: limit - 1].rstrip()}…"
    return _LINK.sub("\\g<0>\u200b", _SPECIAL.sub(r"\\\1", flat))


_remembered = lru_cache(4096)(_escaped)
