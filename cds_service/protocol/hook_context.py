"""What the context of a hook must hold, by the table `hook_contexts.toml`; each field that does not is one issue."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Literal, cast

import msgspec

from cds_service.errors import Issue

_ID = re.compile(r"[A-Za-z0-9._-]+")
"""FHIR allows 64 characters; one EHR names drafts with some 190."""

_SELECTED = re.compile(r"[^\s\x00-\x1f]+")


class ContextField(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A field of a hook's context. `of` are the types that a reference may have; `token`: a query may name the field."""

    field: str
    type: Literal["id", "reference", "references", "bundle"]
    required: bool
    token: bool
    of: tuple[str, ...] = ()


def _table() -> Mapping[str, tuple[ContextField, ...]]:
    text = files("cds_service.protocol").joinpath("hook_contexts.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, tuple[ContextField, ...]])


CONTEXTS = _table()
"""The fields of each hook that is known, by the hook's name."""


def context_faults(context: object, hook: str) -> Iterator[Issue]:
    """Yield an issue for each field that is missing or wrong; null counts as missing, fields of no definition are ignored.

    Raises:
        KeyError: the hook is not in the table.
    """
    if not isinstance(context, dict):
        yield fault(context, "context", "must be an object")
        return
    fields = cast("dict[str, object]", context)
    for field in CONTEXTS[hook]:
        value = fields.get(field.field)
        if value is None and not field.required:
            continue
        if wrong := _wrong(value, field):
            part, rule = wrong
            yield fault(value, f"context.{field.field}{part}", rule)


def fault(value: object, expression: str, rule: str) -> Issue:
    """Return the issue of a member that is missing (None) or breaks a rule; it never repeats the value."""
    if value is None:
        return Issue("required", f"{expression} is missing: it {rule}", expression)
    return Issue("value", f"{expression} {rule}", expression)


def _wrong(value: object, field: ContextField) -> tuple[str, str] | None:
    """Return the part of a field that is wrong, and the rule that it breaks."""
    match field.type:
        case "id":
            fits, rule = _is_id(value), "must be a FHIR id, without resource type"
        case "reference":
            types = ", ".join(field.of)
            fits, rule = _is_reference(value, field.of), f"must be one of {types}, then a slash and a FHIR id"
        case "references":
            fits, rule = _are_selected(value), "must be a list of references, each a resource type, a slash and an id"
        case "bundle":
            fits, rule = _is_bundle(value), "must be a FHIR Bundle"
            if fits and not isinstance(cast("dict[str, object]", value).get("entry"), list | None):
                return ".entry", "must be a list"
    return None if fits else ("", rule)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and bool(_ID.fullmatch(value))


def _is_reference(value: object, types: tuple[str, ...]) -> bool:
    name, slash, identity = value.partition("/") if isinstance(value, str) else ("", "", "")
    return bool(slash) and name in types and _is_id(identity)


def _are_selected(value: object) -> bool:
    """Absolute references and ids alone occur, and are understood."""
    items = cast("list[object]", value) if isinstance(value, list) else [None]
    return all(isinstance(item, str) and _SELECTED.fullmatch(item) for item in items)


def _is_bundle(value: object) -> bool:
    return isinstance(value, dict) and cast("dict[str, object]", value).get("resourceType") == "Bundle"
