"""What the doctor sends, as data: hooks with example contexts, and the chart of a synthetic patient."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from importlib.resources import files

import msgspec
import orjson

from cds_service.doctor.json_shape import JsonObject

PATIENT = "doctor-patient"
"""Id of the synthetic patient."""

_DAY = re.compile(r"\{today-(\d+)\}")


class Hook(msgspec.Struct, frozen=True):
    """A hook's context: fields usable in templates, those that may be absent, and seconds that a client waits."""

    token: frozenset[str]
    optional: frozenset[str]
    seconds: float


@cache
def load_hooks() -> Mapping[str, Hook]:
    """Return what is known of hooks, by name."""
    return msgspec.convert(tomllib.loads(_read("hooks.toml")), dict[str, Hook])


def example_contexts(today: date) -> dict[str, JsonObject]:
    """Return an example context for each hook."""
    return orjson.loads(_dated("contexts.json", today))


def example_chart(today: date) -> Sequence[JsonObject]:
    """Return the resources of a synthetic patient with suspicious calcifications, reported three weeks ago."""
    return orjson.loads(_dated("chart.json", today))


def read_table(name: str) -> object:
    """Return a TOML file beside this one."""
    return tomllib.loads(_read(name))


def _dated(name: str, today: date) -> str:
    return _DAY.sub(lambda days: (today - timedelta(int(days[1]))).isoformat(), _read(name))


def _read(name: str) -> str:
    return (files("cds_service.doctor") / name).read_text(encoding="utf-8")
