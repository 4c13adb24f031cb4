"""Faults of answers."""

from typing import Any

from tests.cds_service.doctor.little_service import Told
from tests.cds_service.doctor.planting import (
    Planted,
    body,
    calling,
    header,
    in_action,
    in_answer,
    in_card,
    when,
    with_reports,
)

_TWO = [{"label": "a", "isRecommended": True}, {"label": "b", "isRecommended": True}]


def _created(told: Told) -> Told:
    return Told(201, told.body, told.headers) if told.status == 200 else told


def _resource(**members: Any):
    return in_action(lambda action: action["resource"].update(members))


def _link(**members: Any):
    return in_card(lambda card: card["links"][0].update(members))


def _reuse(card: dict[str, Any]) -> None:
    card["uuid"] = "00000000-0000-4000-8000-000000000001"


FAULTS: list[Planted] = [
    ("201", when(calling, _created), ("cards.status",)),
    ("text/plain", when(with_reports, header("content-type", "text/plain")), ("cards.content-type",)),
    ("NaN", when(with_reports, body(lambda text: text[:-1] + b', "x": NaN}', only=200)), ("cards.json",)),
    ("no cards", when(with_reports, body(lambda _: b'{"card": 1}', only=200)), ("cards.array",)),
    ("cards as object", in_answer(lambda answer: answer.update(cards={"a": 1})), ("cards.array",)),
    ("an empty array", in_card(lambda card: card.update(more=[])), ("cards.no-empty-values",)),
    (
        "no system actions, said so",
        in_answer(lambda answer: answer.update(systemActions=[])),
        ("cards.no-empty-values", "cards.system-actions"),
    ),
    ("140 characters", in_card(lambda card: card.update(summary="x" * 140)), ("cards.summary",)),
    ("no summary", in_card(lambda card: card.pop("summary")), ("cards.summary",)),
    ("two lines", in_card(lambda card: card.update(summary="one\ntwo")), ("cards.summary-line",)),
    ("detail as array", in_card(lambda card: card.update(detail=["x"])), ("cards.detail",)),
    ("HTML", in_card(lambda card: card.update(detail="<b>x</b>")), ("cards.detail-html",)),
    ("hard-stop", in_card(lambda card: card.update(indicator="hard-stop")), ("cards.indicator",)),
    ("no label", in_card(lambda card: card["source"].pop("label")), ("cards.source",)),
    ("a relative icon", in_card(lambda card: card["source"].update(icon="/icon.png")), ("cards.source",)),
    ("no topic", in_card(lambda card: card["source"].pop("topic")), ("cards.topic",)),
    ("a hyphen in the topic", in_card(lambda card: card["source"]["topic"].update(code="a-b")), ("cards.topic-code",)),
    ("a topic without system", in_card(lambda card: card["source"]["topic"].pop("system")), ("cards.coding",)),
    ("a reason without code", in_card(lambda card: card["overrideReasons"][0].pop("code")), ("cards.coding",)),
    (
        "a reason without display",
        in_card(lambda card: card["overrideReasons"][0].pop("display")),
        ("cards.override-display",),
    ),
    ("capitals", in_card(lambda card: card.update(uuid=card["uuid"].upper())), ("cards.uuid",)),
    ("one uuid for all", in_card(_reuse), ("cards.uuid-fresh",)),
    ("a suggestion without label", in_card(lambda card: card["suggestions"][0].pop("label")), ("cards.suggestion",)),
    ("no selectionBehavior", in_card(lambda card: card.pop("selectionBehavior")), ("cards.selection-behavior",)),
    (
        "two recommended",
        in_card(lambda card: card.update(suggestions=_TWO, selectionBehavior="at-most-one")),
        ("cards.recommended",),
    ),
    ("CREATE", in_action(lambda action: action.update(type="CREATE")), ("cards.action",)),
    ("no description", in_action(lambda action: action.pop("description")), ("cards.action",)),
    ("resource as text", in_action(lambda action: action.update(resource="{}")), ("cards.action-resource",)),
    ("delete nothing", in_action(lambda action: action.pop("resourceId"), 1), ("cards.action-resource",)),
    (
        "update without id",
        in_answer(lambda answer: answer["systemActions"][0]["resource"].pop("id")),
        ("cards.action-resource",),
    ),
    ("an unknown element", _resource(urgency="high"), ("cards.action-fhir",)),
    ("another patient", _resource(subject={"reference": "Patient/other"}), ("cards.action-subject",)),
    ("active", _resource(status="active"), ("cards.action-draft",)),
    (
        "actionSelectionBehavior",
        in_card(lambda card: card["suggestions"][0].update(actionSelectionBehavior="all")),
        ("cards.action-selection",),
    ),
    ("a link of no type", _link(type="web"), ("cards.link",)),
    ("appContext with absolute", _link(appContext="x"), ("cards.link",)),
    ("autoLaunchable", _link(autoLaunchable=True), ("cards.link",)),
    ("javascript", _link(url="javascript:alert(1)"), ("cards.link-scheme",)),
    ("extension as array", in_card(lambda card: card.update(extension=["x"])), ("cards.extension",)),
    (
        "systemActions as object",
        in_answer(lambda answer: answer.update(systemActions={"type": "update"})),
        ("cards.system-actions",),
    ),
    (
        "systemActions in extension",
        in_answer(lambda answer: answer.update(extension={"systemActions": answer.pop("systemActions")})),
        ("cards.system-actions",),
    ),
]
