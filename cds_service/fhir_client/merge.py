"""What was fetched, put beside what was prefetched: each resource once, and what became of each key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import msgspec

from cds_service.fhir_client.pages import Fetched
from cds_service.hooks.key_fate import KeyFate, Reason
from cds_service.hooks.prefetch import CutOff, Delivery
from cds_service.hooks.prefetch_keys import PrefetchKey
from cds_service.protocol.authorization import TokenFault
from fhir_models.entries import Located

RESULTS = "results"
"""What single results of reports are called where the other answers have the name of a key."""


class Obtained(msgspec.Struct, frozen=True, kw_only=True):
    """What came: by the name of the key that was asked, the rest of what was cut off, single results of reports."""

    answers: Mapping[str, Fetched] = {}
    rests: Sequence[tuple[CutOff, Fetched]] = ()
    results: Sequence[Fetched] = ()


def without_server(delivery: Delivery, asked: Iterable[PrefetchKey], reason: Reason | TokenFault) -> Delivery:
    """Return the delivery as it is, with the reason why what it lacks was not fetched."""
    names = {key.name for key in asked}
    fates = (
        msgspec.structs.replace(fate, reason=reason)
        if fate.key in names and fate.outcome in ("missing", "failed")
        else fate
        for fate in delivery.fates
    )
    return msgspec.structs.replace(delivery, fates=tuple(fates))


def merged(delivery: Delivery, keys: Sequence[PrefetchKey], obtained: Obtained) -> Delivery:
    """Return the delivery with what was obtained. A key that was asked for in vain has failed, if it is one to be named."""
    fates = {fate.key: fate for fate in delivery.fates}
    fates |= {key.name: _fate(key.name, fates.get(key.name), obtained) for key in keys if _concerns(key.name, obtained)}
    if obtained.results:
        fates[RESULTS] = _results_fate(obtained.results)
    here = {name for name, fetched in obtained.answers.items() if fetched.pages}
    failed = {
        key.name
        for key in keys
        if key.failure != "silent" and key.name in fates and fates[key.name].outcome == "failed"
    }
    failed |= set(delivery.failed) - here
    everything = [*obtained.answers.values(), *(rest for _, rest in obtained.rests), *obtained.results]
    incomplete = {name for name in delivery.incomplete if not _concerns(name, obtained)}
    incomplete |= {
        name for name, fate in fates.items() if fate.outcome in ("hit", "fetched") and fate.reason and name != RESULTS
    }
    return msgspec.structs.replace(
        delivery,
        resources=(*delivery.resources, *_new(delivery.resources, everything)),
        absent=tuple(name for name in delivery.absent if name not in here | failed),
        failed=tuple(key.name for key in keys if key.name in failed),
        incomplete=tuple(key.name for key in keys if key.name in incomplete),
        unread=(*delivery.unread, *(fault for fetched in everything for fault in fetched.unread)),
        fates=tuple(fates.values()),
        cut_off=() if obtained.answers or obtained.rests else delivery.cut_off,
    )


def _concerns(name: str, obtained: Obtained) -> bool:
    return name in obtained.answers or any(name in cut.keys for cut, _ in obtained.rests)


def _fate(name: str, before: KeyFate | None, obtained: Obtained) -> KeyFate:
    fate = before or KeyFate(name, "missing")
    answer = obtained.answers.get(name)
    rests = [rest for cut, rest in obtained.rests if name in cut.keys]
    reason = answer.reason if answer else next((rest.reason for rest in rests if rest.reason), None)
    if answer.pages if answer else any(rest.pages for rest in rests):
        return msgspec.structs.replace(fate, outcome="fetched", reason=reason)
    if fate.outcome == "hit" or reason == Reason.NO_VALUE:
        return msgspec.structs.replace(fate, reason=reason)
    return msgspec.structs.replace(fate, outcome="failed", reason=reason)


def _results_fate(results: Sequence[Fetched]) -> KeyFate:
    reason = next((result.reason for result in results if result.reason), None)
    return KeyFate(RESULTS, "fetched" if any(result.pages for result in results) else "failed", reason)


def _new(prefetched: Iterable[Located], fetched: Iterable[Fetched]) -> list[Located]:
    """Return the resources that are not there yet as they are: a search asked again brings much that is."""
    here: dict[str, list[tuple[dict[str, Any], str | None]]] = {}
    for _, resource, full_url in prefetched:
        here.setdefault(_identity(resource), []).append((resource, full_url))
    new: list[Located] = []
    for located in chain.from_iterable(answer.resources for answer in fetched):
        same = here.setdefault(_identity(located.resource), [])
        if (located.resource, located.full_url) not in same:
            same.append((located.resource, located.full_url))
            new.append(located)
    return new


def _identity(resource: Mapping[str, Any]) -> str:
    return f"{resource.get('resourceType')}/{resource.get('id')}"
