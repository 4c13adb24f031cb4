"""Looking into JSON that may have any shape."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeGuard, cast

JsonObject = Mapping[str, object]

_PLAIN = re.compile(r"[ -~]{1,80}")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,40}")


def is_object(value: object) -> TypeGuard[JsonObject]:
    """Whether it is a JSON object."""
    return isinstance(value, dict)


def members_of(value: object) -> JsonObject:
    """Return an object's members; nothing else has any."""
    return value if is_object(value) else {}


def items_of(value: object) -> Sequence[object]:
    """Return an array's items; nothing else has any."""
    return cast("list[object]", value) if isinstance(value, list) else ()


def is_array(value: object) -> TypeGuard[Sequence[object]]:
    """Whether it is a JSON array."""
    return isinstance(value, list)


def is_text(value: object) -> TypeGuard[str]:
    """Whether it is a text with something in it."""
    return isinstance(value, str) and bool(value.strip())


def plain(value: str) -> str:
    """Return a short printable text as it is: no service may write escape sequences into our terminal."""
    if _PLAIN.fullmatch(value):
        return value
    return "".join(char if " " <= char <= "~" else "?" for char in value[:80])


def word(value: object) -> str:
    """Return a code-like word; of anything else only what kind it is, as it might be about a patient."""
    if isinstance(value, str):
        return value if _WORD.fullmatch(value) else f"a text of {len(value)} characters"
    return "nothing" if value is None else f"a JSON {type(value).__name__}"


def empty_places(value: object, path: str) -> Iterator[str]:
    """Yield the path of each null, "", [] and {}. Members of `extension` may be any JSON, and are left alone."""
    if value is None or value in ("", [], {}):
        yield path
    elif is_object(value):
        for name, member in value.items():
            if name != "extension" or member in (None, "", [], {}):
                yield from empty_places(member, f"{path}.{plain(name)}")
    else:
        for index, item in enumerate(items_of(value)):
            yield from empty_places(item, f"{path}[{index}]")
