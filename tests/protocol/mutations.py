"""Seeded damage to a request: the JSON tree first, then the bytes. The same seed gives the same bytes."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

Place = tuple[Any, Any]
"""A container and the name or index of one of its members."""

SCALARS: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 3.5, 10**18, -(10**30), 1e308, 5e-324, "", " ", "0", "null", "true", "final",
    "entered-in-error", "2026-02-30", "2026-13-01T25:61:61Z", "0000-00-00", "9999-12-31", "2026", "-2026-01-01",
    "Patient/p-3107", "#", "#find-01", "urn:uuid:", "../..", "http://[::1", "https://ehr.example.org:99999/fhir",
    [], {}, [[]], [None], {"": None}, {"resourceType": "Bundle"}, {"resourceType": None}, {"coding": []},
)  # fmt: skip

ODDITIES = (
    "\x00", "\x1b[31m", "\u202eevil\u2069", "\u200b\u200d\ufeff", "\ufffe\uffff", "é" * 40, "e\u0301",
    "\U0001f469\u200d\U0001f52c", "\U0010ffff", "\u0130\u0131\u017f", "ß" * 3, "\ud7ff\ue000",
    "\uff41\uff4d\uff4f\uff52phous", "a" * 63, "<script>alert(1)</script>", "](javascript:alert(1))",
    "'; DROP TABLE cards;--", "{{context.patientId}}", "%s%n${jndi:ldap://x}",
    "\r\nSet-Cookie: a=b", "BI-RADS 6", "no calcifications", "left right bilateral", "\u2028\u2029",
)  # fmt: skip

WRONG_ENUMS = ("bogus", "FINAL", "final ", "done", "Left", "4D", "7", "category", "DiagnosticReport", "Obervation")


def places(document: Any) -> list[Place]:
    """Return every member of the document."""
    found: list[Place] = []
    open_ones = [document]
    while open_ones:
        container = open_ones.pop()
        keys = list(container) if isinstance(container, dict) else range(len(container))
        for key in keys:
            found.append((container, key))
            if isinstance(container[key], dict | list):
                open_ones.append(container[key])
    return found


def _copied(value: Any) -> Any:
    return json.loads(json.dumps(value))  # deepcopy would run out of stack where a tree was nested several times


def _swap_type(chance: random.Random, _document: Any, place: Place) -> None:
    container, key = place
    value = container[key]
    forms: list[Any] = [
        [value],
        {"value": value},
        str(value),
        None,
        bool(value),
        len(str(value)),
        [[value]],
        float(len(str(value))),
    ]
    container[key] = chance.choice(forms)


def _replace(chance: random.Random, _document: Any, place: Place) -> None:
    container, key = place
    container[key] = _copied(chance.choice(SCALARS))


def _delete(_chance: random.Random, _document: Any, place: Place) -> None:
    container, key = place
    del container[key]


def _repeat(chance: random.Random, _document: Any, place: Place) -> None:
    """Put a subtree several times into the list that holds it, or beside itself under another name."""
    container, key = place
    for number in range(chance.choice((1, 2, 30))):
        extra = _copied(container[key])
        if isinstance(container, list):
            container.insert(key, extra)
        else:
            container[f"{key}{number}"] = extra


def _graft(chance: random.Random, document: Any, place: Place) -> None:
    """Put a subtree from somewhere else here."""
    container, key = place
    other, name = chance.choice(places(document))
    container[key] = _copied(other[name])


def _swell(chance: random.Random, _document: Any, place: Place) -> None:
    container, key = place
    piece = chance.choice(
        ("x", "calcifications ", "BI-RADS ", "\\", "é", "(((((", "no ", "1", "\n", "*_[", "left breast. ")
    )
    container[key] = piece * chance.choice((50, 500, 5_000, 20_000))


def _oddity(chance: random.Random, _document: Any, place: Place) -> None:
    container, key = place
    value, odd = container[key], chance.choice(ODDITIES)
    if isinstance(value, str):
        at = chance.randint(0, len(value))
        container[key] = value[:at] + odd + value[at:]
    else:
        container[key] = odd


def _wrong_enum(chance: random.Random, _document: Any, place: Place) -> None:
    container, key = place
    container[key] = chance.choice(WRONG_ENUMS)


def _move_date(chance: random.Random, document: Any, place: Place) -> None:
    """Change a date if there is one; else whatever was chosen becomes one."""
    dated = [(box, key) for box, key in places(document) if isinstance(box, dict) and "date" in str(key).lower()]
    container, key = chance.choice(dated) if dated else place
    year, month, day = chance.choice((1, 1899, 2025, 2026, 2027, 9999)), chance.randint(0, 13), chance.randint(0, 32)
    form = chance.choice(
        ("{:04}-{:02}-{:02}", "{:04}-{:02}", "{:04}", "{:04}-{:02}-{:02}T24:00:00", "{:04}/{:02}/{:02}")
    )
    container[key] = form.format(year, month, day)


def _loop(chance: random.Random, document: Any, place: Place) -> None:
    """Let references lead in a circle: each resource's to itself, or all to one."""
    references = [(box, key) for box, key in places(document) if key == "reference"]
    if not references:
        return
    targets = chance.sample(references, min(len(references), 5))
    names = [box[key] for box, key in targets]
    for (box, key), name in zip(targets, names[1:] + names[:1], strict=True):
        box[key] = name
    container, key = place
    if isinstance(container[key], dict) and "resourceType" in container[key]:
        resource = container[key]
        own = f"{resource['resourceType']}/{resource.get('id')}"
        resource.update(hasMember=[{"reference": own}], result=[{"reference": own}], basedOn=[{"reference": own}])
        resource["contained"] = [_copied(resource)]


def _nest(chance: random.Random, _document: Any, place: Place) -> None:
    container, key = place
    value = container[key]
    wrap = chance.choice((_in_list, _in_object, _in_bundle, _in_contained))
    for _ in range(chance.choice((2, 9, 60))):
        value = wrap(value)
    container[key] = value


def _in_list(value: Any) -> Any:
    return [value]


def _in_object(value: Any) -> Any:
    return {"extension": value}


def _in_bundle(value: Any) -> Any:
    return {"resourceType": "Bundle", "entry": [{"resource": value}]}


def _in_contained(value: Any) -> Any:
    return {"resourceType": "Observation", "contained": [value]}


def _rename(chance: random.Random, _document: Any, place: Place) -> None:
    container, key = place
    if isinstance(container, dict):
        container[chance.choice(("resourceType", "id", "code", "value", "extra", "-user", "", "é"))] = container.pop(
            key
        )


def _shuffle(chance: random.Random, document: Any, _place: Place) -> None:
    lists = [box[key] for box, key in places(document) if isinstance(box[key], list)]
    if lists:
        chance.shuffle(chance.choice(lists))


TREE: tuple[Callable[[random.Random, Any, Place], None], ...] = (
    _swap_type, _replace, _delete, _repeat, _graft, _swell, _oddity, _wrong_enum, _move_date, _loop, _nest, _rename,
    _shuffle,
)  # fmt: skip


def mutated(seed: int, request: dict[str, Any]) -> bytes:
    """Return the request after one to six blows to its tree and, in one of four, some to its bytes."""
    chance = random.Random(seed)  # noqa: S311
    document = _copied(request)
    for _ in range(chance.randint(1, 6)):
        chosen = places(document)
        if chosen:
            chance.choice(TREE)(chance, document, chance.choice(chosen))
    data = json.dumps(document, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    return _damaged(chance, data) if chance.random() < 0.25 else data


def _damaged(chance: random.Random, data: bytes) -> bytes:
    damaged = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(damaged) or 1)
        match chance.randrange(6):
            case 0 if damaged:
                damaged[at] ^= 1 << chance.randrange(8)
            case 1:
                del damaged[at:]
            case 2:
                damaged[at:at] = chance.choice(
                    (b"\x00", b"\xff", b"\xed\xa0\x80", b"\\ud800", b"NaN", b"1e999", b'"', b"\n", b",")
                )
            case 3:
                del damaged[at : at + chance.randint(1, 50)]
            case 4:
                damaged[at:at] = chance.choice((b"[", b'{"a":')) * 300
            case _:
                damaged[at:at] = damaged[at : at + chance.randint(1, 500)]
    return bytes(damaged)


def bodies(seeds: range, requests: list[tuple[str, dict[str, Any]]]) -> Iterator[tuple[int, str, bytes]]:
    """Yield seed, path and body, the services in turn."""
    for seed in seeds:
        path, request = requests[seed % len(requests)]
        yield seed, path, mutated(seed, request)
