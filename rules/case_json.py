"""A case as JSON, the way people and tools write it, to a `Case`; docs/case_fields.md names the fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any, cast

import msgspec

from rules.vocabulary import RCR_CATEGORIES, SURVEILLANCE_MONTHS, Case

_LISTS = frozenset({"morphology", "distribution", "associated_features", "symptoms", "history"})
_TEXTS = frozenset({"case_id", "report_id", "reported_category", "surveillance_month"})
_AMOUNTS = ("count", "extent_mm", "particle_size_mm", "years_since_rt", "months_since_biopsy", "age")
_FIELD = re.compile(r"\$\.(\w+)")
FIELDS: Mapping[str, msgspec.inspect.Field] = {
    field.name: field for field in cast("msgspec.inspect.StructType", msgspec.inspect.type_info(Case)).fields
}


def read_case(value: object) -> tuple[Case, tuple[str, ...]]:
    """Return the case, and the names of members that no case has.

    null, "" and absent members take the default. Numbers are accepted as text and text as numbers; a list may be one
    text with semicolons.

    Raises:
        ValueError: not an object, or a value that the field may not have; names the field and what is allowed.
    """
    if not isinstance(value, dict):
        raise ValueError("a case is a JSON object")
    members = cast("dict[str, object]", value)
    given = {name: _plain(name, member) for name, member in members.items() if name in FIELDS}
    try:
        case = msgspec.convert(
            {name: member for name, member in given.items() if member is not None}, Case, strict=False
        )
    except msgspec.ValidationError as error:
        raise ValueError(_explain(str(error))) from None
    _check(case)
    return case, tuple(name for name in members if name not in FIELDS)


def _plain(name: str, value: object) -> object:
    if name in _LISTS:
        parts = value.split(";") if isinstance(value, str) else value
        if isinstance(parts, list):
            words = [part.strip() if isinstance(part, str) else part for part in cast("list[object]", parts)]
            return [word for word in words if word not in (None, "")]
        return parts
    if isinstance(value, str):
        return value.strip() or None
    if name in _TEXTS and isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:g}" if isinstance(value, float) else str(value)
    return value


def _explain(error: str) -> str:
    match = _FIELD.search(error)
    if match is None:
        return error
    name = match[1]
    words = _allowed(FIELDS[name].type)
    return f"{name}: may be {', '.join(words)}" if words else f"{name}: {error.partition(' - at')[0].lower()}"


def _allowed(kind: Any) -> tuple[str, ...]:
    match kind:
        case msgspec.inspect.EnumType(cls):
            return tuple(str(member.value) for member in cls)
        case msgspec.inspect.VarTupleType(item):
            return _allowed(item)
        case msgspec.inspect.UnionType(types):
            return tuple(word for part in types for word in _allowed(part))
        case msgspec.inspect.BoolType():
            return ("true", "false")
        case _:
            return ()


def _check(case: Case) -> None:
    for name in _AMOUNTS:
        amount = getattr(case, name)
        if amount is not None and (amount < 0 or not isfinite(amount)):
            raise ValueError(f"{name}: must not be negative or infinite")
    if case.surveillance_month not in SURVEILLANCE_MONTHS:
        raise ValueError(f"surveillance_month: may be {', '.join(map(str, SURVEILLANCE_MONTHS))}")
    if case.system == "RCR" and case.reported_category not in (None, *RCR_CATEGORIES):
        raise ValueError("reported_category: with system RCR may be 1, 2, 3, 4, 5")
