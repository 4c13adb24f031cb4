"""The EHR's FHIR server as the doctor plays it: one URL, and a mood that changes between calls."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from enum import StrEnum
from urllib.parse import urlsplit

import orjson

from cds_service.doctor.json_shape import JsonObject, is_object
from cds_service.doctor.local_server import Arrival, Reply
from cds_service.doctor.prefetch_shapes import FAILED_QUERY, answer_query, searchset

PATH = "/fhir"
SLOW_SECONDS = 1.5
"""How long each query takes in the slow mood."""


class Mood(StrEnum):
    """How the FHIR server behaves."""

    NORMAL = "normal"
    SLOW = "slow"
    HANGING = "hanging"
    REDIRECTING = "redirecting"
    REFUSING = "401"
    FAILING = "500"
    HTML = "HTML"
    ENDLESS = "endless paging"
    LEADING_AWAY = "next on another host"


class StandIn:
    """Answers queries from a chart. `elsewhere` is another host of ours, where no token may arrive."""

    def __init__(self, chart: Sequence[JsonObject], elsewhere: str) -> None:
        self.chart = chart
        self.elsewhere = elsewhere
        self.base = ""
        self.mood = Mood.NORMAL
        self.closing = threading.Event()

    def answer(self, arrival: Arrival) -> Reply:
        """Answer one query in the present mood."""
        found = self._found(arrival.path)
        match self.mood:
            case Mood.NORMAL:
                return _json(found)
            case Mood.SLOW:
                self.closing.wait(SLOW_SECONDS)
                return _json(found)
            case Mood.HANGING:
                self.closing.wait()
                return Reply(cut=True)
            case Mood.REDIRECTING:
                return Reply(status=302, location=f"{self.elsewhere}{arrival.path}")
            case Mood.REFUSING | Mood.FAILING:
                return Reply(status=int(self.mood), body=orjson.dumps(FAILED_QUERY))
            case Mood.HTML:
                return Reply(body=b"<html><body>Please log in</body></html>", media_type="text/html")
            case Mood.ENDLESS:
                return _json(_with_next(found, f"{self.base}{arrival.path.removeprefix(PATH)}&page=next"))
            case Mood.LEADING_AWAY:
                return _json(_with_next(found, f"{self.elsewhere}{arrival.path}&page=2"))

    def _found(self, path: str) -> JsonObject:
        query = urlsplit(path).path.removeprefix(PATH).lstrip("/")
        return answer_query(query, self.chart) or searchset([])


def _with_next(found: JsonObject, url: str) -> JsonObject:
    is_page = is_object(found) and found.get("resourceType") == "Bundle"
    return {**found, "link": [{"relation": "next", "url": url}]} if is_page else found


def _json(found: JsonObject) -> Reply:
    return Reply(body=orjson.dumps(found))
