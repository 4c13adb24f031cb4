"""Text of others inside GitHub-flavoured Markdown: escaped, on one line, of bounded length."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!&$^])")
_BLANKS = re.compile(r"\s+")
_LINK = re.compile(r"(?i)\b(https?|ftp|mailto|javascript|data)(:)|\b(www)(\.)|(@)")


def quoted(text: str, limit: int = 240) -> str:
    """Return the text so that no client can take any of it for markup or a link."""
    flat = _BLANKS.sub(" ", text).strip()
    if len(flat) > limit:
        flat = f"{flat[: limit - 1].rstrip()}…"
    escaped = _SPECIAL.sub(r"\\\1", flat)
    return _LINK.sub(
        lambda match: "​".join(part for part in match.groups() if part) if match[1] or match[3] else "\\@", escaped
    )
