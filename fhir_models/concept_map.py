"""A site's own codes: a FHIR ConceptMap (R4 or R5) from local codes to the concepts of `codes/concepts.csv`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from fhir_models.strict_json import JsonError, parse_json

TARGET_SYSTEM = "urn:fleck:concept"
SAME = frozenset({"equivalent", "equal"})
"""R4 `equivalence` and R5 `relationship` values that let a code stand for a concept; a wider or narrower one does not."""


class _Target(msgspec.Struct):
    code: str | None = None
    equivalence: str | None = None
    relationship: str | None = None


class _Element(msgspec.Struct):
    code: str
    target: list[_Target] = []


class _Group(msgspec.Struct):
    source: str
    target: str
    element: list[_Element]


class _ConceptMap(msgspec.Struct):
    resourceType: str  # noqa: N815
    group: list[_Group]


def read_concept_map(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield system, code and concept name of each mapped code.

    Raises:
        ValueError: the file cannot be read, is no ConceptMap, or maps to another system; names file and element.
    """
    try:
        document = msgspec.convert(parse_json(path.read_bytes()), _ConceptMap)
    except (OSError, JsonError, msgspec.ValidationError) as error:
        raise ValueError(f"{path.name}: not a usable ConceptMap: {error}") from None
    if document.resourceType != "ConceptMap":
        raise ValueError(f"{path.name}: resourceType must be ConceptMap")
    for number, group in enumerate(document.group):
        if group.target != TARGET_SYSTEM:
            raise ValueError(f"{path.name}: group[{number}].target must be {TARGET_SYSTEM}")
        for place, element in enumerate(group.element):
            for target in element.target:
                if target.code is None or (target.relationship or target.equivalence) not in SAME:
                    raise ValueError(
                        f"{path.name}: group[{number}].element[{place}] must map to one concept as equivalent or equal"
                    )
                yield group.source, element.code, target.code
