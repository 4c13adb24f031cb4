"""Feedback on cards (CDS Hooks 2.0) as clients send it: each item by itself, in the forms that are known to occur."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast

import msgspec
from pydantic import SecretStr

from cds_service.errors import Issue, RequestError
from fhir_models.strict_json import JsonError, parse_json

OUTCOMES = ("accepted", "overridden")
MAX_SUGGESTIONS = 50
MAX_COMMENT = 1000
"""Characters of a comment that are passed on; its whole length is told beside it."""

_NAMES = tomllib.loads((Path(__file__).with_suffix(".toml")).read_text(encoding="utf-8"))

_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/#|-]{0,99}")
_SYSTEM = re.compile(r"[A-Za-z][A-Za-z0-9+.:/#?&=%_~-]{0,199}")
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt _](\d\d:\d\d):(\d\d)(?:[.,](\d+))?\s*([Zz]|[+-]\d\d:?\d\d)?", re.ASCII)


class FeedbackItem(msgspec.Struct, frozen=True, kw_only=True):
    """What a user did with one card.

    `card` is its uuid in lower case, or whatever id the client uses. `outcome_at` is UTC, None where the client's
    timestamp is missing or none. The reason's code and system are kept only in the shape of such; `comment` is free text by
    a clinician, and so patient data.
    """

    card: str
    outcome: Literal["accepted", "overridden"]
    outcome_at: datetime | None = None
    suggestions: tuple[str, ...] = ()
    reason_system: str | None = None
    reason_code: str | None = None
    comment: SecretStr | None = None
    comment_length: int = 0


class FeedbackBatch(msgspec.Struct, frozen=True):
    """The items that can be kept, and an issue for each that cannot."""

    items: tuple[FeedbackItem, ...]
    set_aside: tuple[Issue, ...]


def read_feedback(body: bytes) -> FeedbackBatch:
    """Read a batch; an item that is wrong is set aside, and the rest is kept.

    Raises:
        RequestError: 400, not strict JSON, or no object with a list `feedback`.
    """
    try:
        document = parse_json(body)
    except JsonError as error:
        raise RequestError(400, Issue("structure", f"the body is not acceptable JSON: {error}")) from None
    sent = cast("dict[str, object]", document).get("feedback") if isinstance(document, dict) else None
    if not isinstance(sent, list):
        raise RequestError(400, Issue("structure", "the body must be an object with a list of feedback", "feedback"))
    items: list[FeedbackItem] = []
    set_aside: list[Issue] = []
    for index, item in enumerate(cast("list[object]", sent)):
        read = _read_item(item, f"feedback[{index}]")
        if isinstance(read, Issue):
            set_aside.append(read)
        else:
            items.append(read)
    return FeedbackBatch(tuple(items), tuple(set_aside))


def _read_item(item: object, path: str) -> FeedbackItem | Issue:
    if not isinstance(item, dict):
        return Issue("structure", "feedback must be an object", path)
    members = cast("dict[str, object]", item)
    if (card := _id(members.get("card"))) is None:
        return Issue("value", "card must be the uuid of a card", f"{path}.card")
    outcome = members.get("outcome")
    outcome = outcome.strip().lower() if isinstance(outcome, str) else None
    if outcome not in OUTCOMES:
        return Issue("value", f"outcome must be one of {', '.join(OUTCOMES)}", f"{path}.outcome")
    override = _override(members)
    system, code = _reason(members, override)
    comment = override.get("userComment")
    comment = comment if isinstance(comment, str) and comment else None
    return FeedbackItem(
        card=card,
        outcome=outcome,
        outcome_at=_instant(members.get("outcomeTimestamp")),
        suggestions=_suggestions(members.get("acceptedSuggestions")),
        reason_system=system,
        reason_code=code,
        comment=SecretStr(comment[:MAX_COMMENT]) if comment else None,
        comment_length=len(comment) if comment else 0,
    )


def _id(value: object) -> str | None:
    """A uuid in lower case without "urn:uuid:", or another id as it is; the sender's numbers count as text."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return None
    given = value.strip()
    if given[:9].lower() == "urn:uuid:":
        given = given[9:]
    if not _ID.fullmatch(given):
        return None
    return given.lower() if len(given) == 36 else given


def _instant(value: object) -> datetime | None:
    """RFC 3339 in any of its forms; without a zone it is UTC, as CDS Hooks asks for."""
    found = _INSTANT.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found:
        return None
    day, minute, second, fraction, zone = found.groups()
    second = min(second, "59") if second == "60" else second  # a leap second; Python has none
    zone = "+00:00" if zone in (None, "Z", "z") else zone
    try:
        return datetime.fromisoformat(f"{day}T{minute}:{second}.{(fraction or '0'):0<6.6}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _suggestions(value: object) -> tuple[str, ...]:
    entries = cast("list[object]", value) if isinstance(value, list) else [value]
    ids = (_id(cast("dict[str, object]", one).get("id") if isinstance(one, dict) else one) for one in entries)
    return tuple(one for one in ids if one)[:MAX_SUGGESTIONS]


def _override(members: Mapping[str, object]) -> Mapping[str, object]:
    for name in _NAMES["reason_members"]:
        for value in _objects(members.get(name)):
            return value
    return {}


def _reason(members: Mapping[str, object], override: Mapping[str, object]) -> tuple[str | None, str | None]:
    """System and code of the reason: a Coding, the code alone, or an extension of the item or of its override reason."""
    reason = override.get("reason")
    for coding in _objects(reason):
        if code := _shaped(coding.get("code"), _CODE):
            return _shaped(coding.get("system"), _SYSTEM), code
    if code := _shaped(reason, _CODE):
        return None, code
    for holder in (override, members):
        for extension in _objects(holder.get("extension")):
            for name in _NAMES["reason_extensions"]:
                if code := _shaped(extension.get(name), _CODE):
                    return name, code
    return None, None


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    for one in cast("list[object]", value) if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            yield cast("dict[str, Any]", one)


def _shaped(value: object, shape: re.Pattern[str]) -> str | None:
    """Text of the shape, blanks taken out at the ends and after a colon; sentences are no codes and are not kept."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return None
    text = value.strip().replace(": ", ":")
    return text if shape.fullmatch(text) else None
