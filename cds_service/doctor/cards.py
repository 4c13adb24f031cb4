"""Answers judged by the specification: every card of every call that was answered."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from cds_service.doctor.actions import judge_actions
from cds_service.doctor.checks import Sighting, judged
from cds_service.doctor.json_shape import (
    JsonObject,
    empty_places,
    is_array,
    is_object,
    is_text,
    items_of,
    members_of,
    plain,
    word,
)
from cds_service.doctor.session import Answered

MAX_SUMMARY = 139
"""Code points: "less than 140 characters"."""

INDICATORS = ("info", "warning", "critical")
SELECTIONS = ("any", "at-most-one")

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HTML = re.compile(r"(?<!\\)</?[A-Za-z][^<>]*>")
_TOPIC = re.compile(r"[A-Za-z0-9]{1,100}")
_CODED = ("code", "system")


def judge_answers(answers: Iterable[Answered]) -> Iterator[Sighting]:
    """Judge every answer, and that no two share a uuid."""
    uuids: Counter[str] = Counter()
    for answered in answers:
        seen, name = answered.seen, answered.service.name
        yield judged("cards.status", seen.status == 200, f"{name}: {seen.status}")
        if not seen.body:
            yield judged("cards.array", False, f"{name}: an empty body")
            continue
        yield judged("cards.content-type", seen.media_type == "application/json", plain(seen.media_type) or "none")
        fault = seen.json_fault()
        yield judged("cards.json", not fault, f"{name}: {fault}" if fault else "valid")
        document = seen.document()
        if not fault:
            yield from judge_answer(document, answered.patient, name)
            uuids.update(_uuids(document))
    if uuids:
        twice = sum(times > 1 for times in uuids.values())
        yield judged("cards.uuid-fresh", not twice, f"{twice} of {len(uuids)} used again")


def judge_answer(document: object, patient: str, name: str) -> Iterator[Sighting]:
    """Judge one answer to a call about a patient."""
    cards = members_of(document).get("cards")
    yield judged("cards.array", is_array(cards), f"{name}: cards is {_kind(cards)}")
    if not is_object(document) or not is_array(cards):
        return
    empty = [path for path in empty_places(document, "$") if path != "$.cards"]
    yield judged("cards.no-empty-values", not empty, f"{name}: {empty[0]}" if empty else "none")
    yield _extension(document, name)
    for index, card in enumerate(items_of(cards)):
        place = f"{name}, cards[{index}]"
        if is_object(card):
            yield from _judge_card(card, patient, place)
        else:
            yield judged("cards.array", False, f"{place} is {_kind(card)}")
    yield from _system_actions(document, patient, name)


def _judge_card(card: JsonObject, patient: str, place: str) -> Iterator[Sighting]:
    summary, detail = card.get("summary"), card.get("detail")
    short = is_text(summary) and len(summary) <= MAX_SUMMARY
    size = f"{len(summary)} characters" if is_text(summary) else _kind(summary)
    yield judged("cards.summary", short, f"{place}.summary: {size}")
    if is_text(summary):
        yield judged("cards.summary-line", not re.search(r"[\r\n]", summary), f"{place}.summary")
    if "detail" in card:
        yield judged("cards.detail", isinstance(detail, str), f"{place}.detail: {_kind(detail)}")
        if isinstance(detail, str):
            tagged = _HTML.search(detail)
            yield judged("cards.detail-html", not tagged, f"{place}.detail: {'a tag' if tagged else 'no tag'}")
    indicator = card.get("indicator")
    yield judged("cards.indicator", indicator in INDICATORS, f"{place}.indicator: {word(indicator)}")
    yield from _source(card.get("source"), place)
    yield _extension(card, place)
    if "uuid" in card:
        yield _uuid(card["uuid"], place)
    for index, reason in enumerate(items_of(card.get("overrideReasons"))):
        where = f"{place}.overrideReasons[{index}]"
        yield _coding(reason, where)
        yield judged("cards.override-display", is_text(members_of(reason).get("display")), f"{where}.display")
    yield from _suggestions(card, patient, place)
    for index, link in enumerate(items_of(card.get("links"))):
        yield from _link(members_of(link), f"{place}.links[{index}]")


def _source(source: object, place: str) -> Iterator[Sighting]:
    members = members_of(source)
    faults = [] if is_text(members.get("label")) else ["label"]
    faults += [name for name in ("url", "icon") if name in members and not _absolute(members[name])]
    yield judged("cards.source", not faults, f"{place}.source: {', '.join(faults) or 'right'}")
    topic = members.get("topic")
    yield judged("cards.topic", topic is not None, f"{place}.source.topic: {_kind(topic)}")
    if topic is not None:
        yield _coding(topic, f"{place}.source.topic")
        code = members_of(topic).get("code")
        alphanumeric = isinstance(code, str) and bool(_TOPIC.fullmatch(code))
        yield judged("cards.topic-code", alphanumeric, f"{place}.source.topic.code: {word(code)}")


def _suggestions(card: JsonObject, patient: str, place: str) -> Iterator[Sighting]:
    suggestions = items_of(card.get("suggestions"))
    behavior = card.get("selectionBehavior")
    if suggestions or behavior is not None:
        yield judged("cards.selection-behavior", behavior in SELECTIONS, f"{place}.selectionBehavior: {word(behavior)}")
    flags = [members_of(suggestion).get("isRecommended", False) for suggestion in suggestions]
    if suggestions:
        right = all(isinstance(flag, bool) for flag in flags) and (behavior != "at-most-one" or flags.count(True) <= 1)
        yield judged("cards.recommended", right, f"{place}: {flags.count(True)} recommended")
    for index, suggestion in enumerate(map(members_of, suggestions)):
        where = f"{place}.suggestions[{index}]"
        yield judged(
            "cards.suggestion", is_text(suggestion.get("label")), f"{where}.label: {_kind(suggestion.get('label'))}"
        )
        if "uuid" in suggestion:
            yield _uuid(suggestion["uuid"], where)
        unasked = "actionSelectionBehavior" in suggestion
        yield judged("cards.action-selection", not unasked, f"{where}: {'sent' if unasked else 'not sent'}")
        yield from judge_actions(items_of(suggestion.get("actions")), patient, f"{where}.actions")


def _link(link: JsonObject, place: str) -> Iterator[Sighting]:
    faults = [name for name in ("label", "url") if not is_text(link.get(name))]
    faults += [] if link.get("type") in ("absolute", "smart") else ["type"]
    if "appContext" in link and not (isinstance(link["appContext"], str) and link.get("type") == "smart"):
        faults.append("appContext")
    if not isinstance(link.get("autolaunchable", False), bool) or "autoLaunchable" in link:
        faults.append("autolaunchable")
    yield judged("cards.link", not faults, f"{place}: {', '.join(faults) or 'right'}")
    if is_text(link.get("url")):
        yield judged("cards.link-scheme", _absolute(link["url"]), f"{place}.url")


def _system_actions(document: JsonObject, patient: str, name: str) -> Iterator[Sighting]:
    misplaced = "systemActions" in members_of(document.get("extension"))
    if misplaced:
        yield judged("cards.system-actions", False, f"{name}: extension.systemActions")
    if "systemActions" not in document:
        return
    actions = document["systemActions"]
    whole = is_array(actions) and bool(actions) and all(map(is_object, items_of(actions)))
    yield judged("cards.system-actions", whole, f"{name}: systemActions is {_kind(actions)}")
    yield from judge_actions(items_of(actions), patient, f"{name}, systemActions", described=False)


def _coding(value: object, place: str) -> Sighting:
    missing = [name for name in _CODED if not is_text(members_of(value).get(name))]
    return judged("cards.coding", not missing, f"{place}: {', '.join(missing) or 'code and system'}")


def _uuid(value: object, place: str) -> Sighting:
    right = isinstance(value, str) and bool(_UUID.fullmatch(value.removeprefix("urn:uuid:")))
    return judged("cards.uuid", right, f"{place}.uuid{'' if right else ' has another form'}")


def _uuids(document: object) -> Iterator[str]:
    for card in map(members_of, items_of(members_of(document).get("cards"))):
        for holder in (card, *map(members_of, items_of(card.get("suggestions")))):
            if isinstance(value := holder.get("uuid"), str):
                yield value


def _extension(holder: JsonObject, place: str) -> Sighting:
    right = is_object(holder.get("extension", {}))
    return judged("cards.extension", right, f"{place}.extension: {_kind(holder.get('extension'))}")


def _absolute(url: object) -> bool:
    if not isinstance(url, str):
        return False
    try:
        split = urlsplit(url)
    except ValueError:
        return False
    return split.scheme in ("http", "https") and bool(split.netloc)


def _kind(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case dict():
            return "an object"
        case list():
            return "an array"
        case str():
            return "a text"
        case bool():
            return "a boolean"
        case _:
            return "a number"
