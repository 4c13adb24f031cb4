"""From a prefetch template to the query of one call: `Observation?patient={{context.patientId}}`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

_TOKEN = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_FIELD = re.compile(r"context\.(\w+)")
_TYPE = re.compile(r"[A-Z][A-Za-z]+(?=[/?])")
_SPECIAL = re.compile(r"([\\,|$])")
"""Characters that separate values in a search; FHIR escapes them with a backslash."""


def is_search(query: str) -> bool:
    """Whether a query searches; else it reads one resource."""
    return "?" in query


def asked_type(query: str) -> str | None:
    """Return the resource type that a query asks for."""
    found = _TYPE.match(query)
    return found[0] if found else None


def fill(template: str, context: Mapping[str, object]) -> str | None:
    """Return the query with the values of its tokens, percent-encoded: whatever a value holds, it stays one value.

    None where a token is no root field of the context, or has no value there that is a string, number or boolean.
    """
    place, mark, search = template.partition("?")
    parts = [_filled(place, context, escape=False), _filled(search, context, escape=True)]
    return None if None in parts else f"{parts[0]}{mark}{parts[1]}"


def _filled(text: str, context: Mapping[str, object], *, escape: bool) -> str | None:
    filled, end = "", 0
    for token in _TOKEN.finditer(text):
        field = _FIELD.fullmatch(token[1])
        value = _text(context.get(field[1])) if field else None
        if value is None:
            return None
        plain = _SPECIAL.sub(r"\\\1", value) if escape else value
        filled += text[end : token.start()] + quote(plain, safe="")
        end = token.end()
    return filled + text[end:]


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) or (isinstance(value, str) and value) else None
