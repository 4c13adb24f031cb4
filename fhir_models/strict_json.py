"""Strict JSON (RFC 8259): a document is read whole and unambiguously, or refused with the place of the fault.

orjson refuses what Python's own parser lets through (NaN, 1e400, lone surrogates, other encodings, endless nesting),
but keeps the last of two equal names in silence. A dropped member could be a finding, so names are counted.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE

import jiter
import orjson

MAX_DEPTH = 254
"""Objects and arrays inside one another; orjson writes no deeper, so whatever is read can also be written."""

_ESCAPED_COLON = re.compile(rb"(?<!\\)(?:\\\\)*\\u003[aA]")
_PLACE = re.compile(r"at line (\d+) column (\d+)$")


class JsonError(ValueError):
    """What is wrong and where (line, column, byte). The message never quotes the document."""


def parse_json(data: bytes) -> object:
    """Return the document as dict, list, str, int, float, bool and None.

    Raises:
        JsonError: empty, not UTF-8, with a byte order mark, not JSON, NaN or a number beyond double precision's range,
            an unpaired surrogate, a name twice in one object, nested deeper than `MAX_DEPTH`.
    """
    try:
        document: object = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise _syntax_error(data, error) from None
    try:
        written = orjson.dumps(document)
    except orjson.JSONEncodeError:
        raise JsonError(f"nested deeper than {MAX_DEPTH} objects and arrays") from None
    if written != data and _colons(data) != written.count(b":"):
        raise _duplicate_name(data)
    return document


def _colons(data: bytes) -> int:
    """Colons of a valid document, between names and values and within strings, escaped ones included.

    Reading and writing keep each of them, so a difference is a member that was dropped.
    """
    hidden = len(_ESCAPED_COLON.findall(data)) if b"\\u003" in data else 0
    return data.count(b":") + hidden


def _syntax_error(data: bytes, error: orjson.JSONDecodeError) -> JsonError:
    if not data.strip():
        return JsonError("empty: no JSON document")
    if data.startswith((BOM_UTF8, BOM_UTF16_LE, BOM_UTF16_BE)):
        return JsonError("starts with a byte order mark: send UTF-8 without one")
    if b"\0" in data[:4]:
        return JsonError("not UTF-8: send JSON as UTF-8, not as UTF-16 or UTF-32")
    try:
        text = data.decode()
    except UnicodeDecodeError as fault:
        return JsonError(f"not UTF-8 at {_place(data[: fault.start].decode())}")
    if error.msg.startswith("depth"):
        return JsonError(f"nested deeper than {MAX_DEPTH} objects and arrays")
    return JsonError(f"not JSON at {_place(text[: error.pos])}: {error.msg}")


def _place(before: str) -> str:
    line = before.count("\n") + 1
    column = len(before) - before.rfind("\n")
    return f"line {line}, column {column} (byte {len(before.encode())})"


def _duplicate_name(data: bytes) -> JsonError:
    try:
        jiter.from_json(data, catch_duplicate_keys=True)
    except ValueError as error:
        if place := _PLACE.search(str(error)):
            return JsonError(f"a name occurs twice in one object, before line {place[1]}, column {place[2]}")
    return JsonError("a name occurs twice in one object")
