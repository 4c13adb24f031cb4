"""Prefetch templates, judged by the text alone: what can every client fill in, and every FHIR server answer?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cds_service.doctor.checks import Sighting, judged, not_offered
from cds_service.doctor.fixtures import Hook, load_hooks
from cds_service.doctor.json_shape import plain
from cds_service.doctor.service import Service

USER_IDS = ("userPractitionerId", "userPractitionerRoleId", "userPatientId", "userRelatedPersonId")

_TOKEN = re.compile(r"\{\{(.*?)\}\}")
_FIELD = re.compile(r"context\.([A-Za-z][A-Za-z0-9]*)(.*)", re.DOTALL)
_FHIRPATH = re.compile(r"today\(\)|%|\||ofType\(|resolve\(")
_READ = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9.-]+")
_SEARCH = re.compile(r"[A-Z][A-Za-z]+\?.+")
_PARAMETER = re.compile(r"[a-z][A-Za-z0-9-]*(:in)?|_id|_count|_sort|_maxresults|_lastUpdated")
_OTHER_DATES = re.compile(r"(ne|sa|eb|ap)(\d{4}|TOKEN)")
_URL_CHARACTERS = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*")
_FILLED = "TOKEN"


def judge_templates(service: Service) -> Iterator[Sighting]:
    """Judge every template of a service."""
    hook = load_hooks().get(service.hook)
    if not service.prefetch:
        yield not_offered("templates.form", "no prefetch")
    for key, template in service.prefetch.items():
        place = f"{plain(service.id)}, {plain(key)}"
        yield from _judge_tokens(template, hook, place)
        yield from _judge_query(_TOKEN.sub(_FILLED, template), place)


def _judge_tokens(template: str, hook: Hook | None, place: str) -> Iterator[Sighting]:
    tokens = _TOKEN.findall(template)
    later = [token for token in tokens if _FHIRPATH.search(token)]
    yield judged("templates.no-fhirpath", not later, _where(place, later))
    paths = [token for token in tokens if token not in later]
    unbalanced = re.search(r"[{}]", _TOKEN.sub("", template))
    odd = [token for token in paths if token not in USER_IDS and not _FIELD.fullmatch(token)]
    yield judged("templates.tokens", not (odd or unbalanced), _where(place, odd or (["braces"] if unbalanced else [])))
    fields = [match for token in paths if (match := _FIELD.fullmatch(token))]
    deep = [match[0] for match in fields if match[2] or (hook and match[1] not in hook.token)]
    yield judged("templates.token-field", not deep, _where(place, deep))
    optional = [match[0] for match in fields if hook and match[1] in hook.optional]
    yield judged("templates.always-filled", not optional, _where(place, optional))


def _judge_query(query: str, place: str) -> Iterator[Sighting]:
    formed = bool(_READ.fullmatch(query) or _SEARCH.fullmatch(query))
    yield judged("templates.form", formed, _where(place, [] if formed else ["no relative read or search"]))
    clean = bool(_URL_CHARACTERS.fullmatch(query))
    yield judged("templates.characters", clean, _where(place, [] if clean else ["characters that need escaping"]))
    pairs = [part.partition("=") for part in query.partition("?")[2].split("&") if part]
    outside = [name for name, _, value in pairs if not _PARAMETER.fullmatch(name) or _outside(name, value)]
    yield judged("templates.subset", not outside, _where(place, outside))
    names = [name for name, _, _ in pairs]
    repeated = sorted({name for name in names if names.count(name) > 1})
    yield judged("templates.no-repeat", not repeated, _where(place, repeated))


def _outside(name: str, value: str) -> bool:
    return name == "sort" or bool(_OTHER_DATES.match(value))


def _where(place: str, faults: list[str]) -> str:
    return f"{place}: {', '.join(map(plain, faults))}" if faults else "each template"
