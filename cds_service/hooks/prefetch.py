"""What arrived as prefetch: the resources, under whatever key, and the gaps.

Content decides, not the key: sites type keys and queries in by hand. A key that is absent or holds an error is not the
same as a search that found nothing, and only the latter may end in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from cds_service.errors import Issue, RequestError
from cds_service.hooks.key_fate import KeyFate, Reason
from cds_service.hooks.prefetch_content import Content, read_content
from cds_service.hooks.prefetch_keys import PrefetchKey
from fhir_models.entries import Located
from fhir_models.reading import Unread

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")


class CutOff(msgspec.Struct, frozen=True):
    """A value of which a part came: the keys that it answers, how many results it shows, where it says that it goes on.

    Without `next_url` the rest can only be had by asking again.
    """

    keys: tuple[str, ...]
    shown: int = 0
    next_url: str | None = None


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """The data of a call: resources with their paths, and what is known to be missing.

    `absent` are keys that did not come, `failed` those that came as an error or could not be fetched, `incomplete` those of
    which a part came. `fates` tell of each key what became of it, `cut_off` how what is incomplete may go on.
    """

    resources: tuple[Located, ...]
    absent: tuple[str, ...]
    failed: tuple[str, ...]
    incomplete: tuple[str, ...]
    unread: tuple[Unread, ...]
    fates: tuple[KeyFate, ...] = ()
    cut_off: tuple[CutOff, ...] = ()

    @property
    def lacking(self) -> frozenset[str]:
        """Keys without any data."""
        return frozenset(self.not_received)

    @property
    def not_received(self) -> tuple[str, ...]:
        """Keys without data."""
        return (*self.absent, *self.failed)


def read_prefetch(prefetch: Mapping[str, object], keys: Sequence[PrefetchKey], limit: int) -> Delivery:
    """Sort what arrived into resources and gaps.

    Raises:
        RequestError: 413, more than `limit` resources or keys.
    """
    if len(prefetch) > limit:
        raise RequestError(413, Issue("too-costly", f"more than {limit} keys", "prefetch"))
    contents = {name: read_content(_path(name), value) for name, value in prefetch.items()}
    resources = tuple(located for content in contents.values() for located in content.resources)
    if len(resources) > limit:
        raise RequestError(413, Issue("too-costly", f"more than {limit} resources", "prefetch"))
    obtained = [(name, content) for name, content in contents.items() if not content.failed]
    apart = frozenset(key.name for key in keys if not key.types)
    missing = [key for key in keys if not _sources(key, obtained, apart)]
    partial = [source for source in obtained if source[1].partial]
    incomplete = tuple(key.name for key in keys if _sources(key, partial, apart))
    return Delivery(
        resources=resources,
        absent=tuple(key.name for key in missing if key.name not in contents and key.failure != "silent"),
        failed=tuple(key.name for key in missing if key.name in contents),
        incomplete=incomplete,
        unread=tuple(fault for content in contents.values() for fault in content.unread),
        fates=tuple(_fate(key, contents.get(key.name), key in missing, key.name in incomplete) for key in keys),
        cut_off=tuple(part for source in partial for part in _cut_off(source, keys, apart)),
    )


def not_obtained(delivery: Delivery, names: Sequence[str]) -> RequestError:
    """Return the error 412 for keys that are absent or failed: no cards would say "checked, nothing to do".

    Each issue names its key, what came under it, and why it was not fetched.
    """
    fates = {fate.key: fate for fate in delivery.fates}
    issues: list[Issue] = []
    for name in names:
        fate = fates.get(name) or KeyFate(name, "missing", sent="unusable" if name in delivery.failed else "absent")
        state = "is absent" if fate.sent == "absent" else "holds an error or no resource of its type"
        reason = f"; not fetched: {fate.reason}" if fate.reason else ""
        text = f"{name} were neither prefetched nor fetched"
        issues.append(Issue("required", text, f"prefetch.{name}", f"prefetch key {name} {state}{reason}"))
    return RequestError(412, *issues)


def _path(name: str) -> str:
    """A client's key reaches cards and errors only if it is a plain word."""
    return f"prefetch.{name}" if _PLAIN_KEY.fullmatch(name) else "prefetch.(key)"


def _sources(key: PrefetchKey, contents: Iterable[tuple[str, Content]], apart: frozenset[str]) -> list[str]:
    """Names of the client's keys that answer ours: the same name, or resources of its types under another one.

    `apart` are the keys that answer no other. A resource on its own answers only what asks for its type.
    """
    found: list[str] = []
    for name, content in contents:
        fits = not content.types.isdisjoint(key.types)
        named = name == key.name and not (content.single and key.types and not fits)
        if named or (fits and name not in apart):
            found.append(name)
    return found


def _fate(key: PrefetchKey, content: Content | None, missing: bool, incomplete: bool) -> KeyFate:
    if not missing:
        return KeyFate(key.name, "hit", Reason.CUT_OFF if incomplete else None, "answer")
    return KeyFate(key.name, "missing") if content is None else KeyFate(key.name, "failed", sent="unusable")


def _cut_off(source: tuple[str, Content], keys: Iterable[PrefetchKey], apart: frozenset[str]) -> list[CutOff]:
    """Return how a value that is a part goes on: with each page that it names, or not at all."""
    content = source[1]
    answered = tuple(key.name for key in keys if _sources(key, [source], apart))
    if content.broken or not content.next_urls:
        return [CutOff(answered)]
    return [CutOff(answered, content.matches, url) for url in content.next_urls]
