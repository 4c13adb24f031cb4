"""Which concept a code stands for. The tables are data in `codes/`; a site adds its own codes as FHIR ConceptMaps."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

import msgspec

from fhir_models.concept_map import read_concept_map
from fhir_models.meaning import Meaning, meanings
from fhir_models.remembering import remembered
from fhir_models.views import CodeableConcept, Quantity

T = TypeVar("T")

MAX_MILLIMETRES = 10_000
"""Longer than anything in a breast: a length beyond it is a fault of the sender."""

MAX_CACHED = 20_000
"""Codes as sent that are remembered; bounded, as a sender may invent any number."""


DIGITS_BEFORE_DOT = 3
"""Characters of an ICD-10 code before its dot, which some senders leave out."""


class Concept(msgspec.Struct, frozen=True):
    """What a code stands for. `kind` and `normal` (Fleck's word for it) are explained in `codes/README.md`."""

    name: str
    kind: str
    normal: str


class Study(msgspec.Struct, frozen=True):
    """What a study code says: context screening, diagnostic or unspecified; side; modality MG, DBT, US, MR or any."""

    name: str
    context: str
    laterality: str
    modality: str
    generic: bool


class ContextConcept(msgspec.Struct, frozen=True):
    """What a code of the chart around the findings stands for: an act, a result of tissue, a condition, a reason.

    `kind` and `normal` are explained in `codes/README.md`; `laterality` is left, right, bilateral or "", `quadrant` the
    place that the code itself names, or "".
    """

    name: str
    kind: str
    normal: str
    laterality: str = ""
    quadrant: str = ""


class OutgoingCoding(msgspec.Struct, frozen=True):
    """A code that may leave the service, for one purpose and side."""

    purpose: str
    laterality: str
    system: str
    code: str
    display: str


class Terminology(msgspec.Struct, frozen=True, eq=False):
    """The compiled tables, equal only to themselves. Look-ups take system and code as sent (`codes/README.md`)."""

    concepts: Mapping[str, Concept]
    studies: Mapping[str, Study]
    outgoing: Mapping[tuple[str, str], tuple[OutgoingCoding, ...]]
    units: Mapping[str, float]
    find_concept: Callable[[str | None, str], Concept | None]
    find_study: Callable[[str | None, str], Study | None]
    find_context: Callable[[str | None, str], tuple[ContextConcept, ...] | None]
    meaning: Callable[[CodeableConcept | None], Meaning]

    def concept(self, system: str | None, code: str | None) -> Concept | None:
        """Return the concept of a finding or assessment code, None where no table has it."""
        return self.find_concept(system, code) if code else None

    def study(self, system: str | None, code: str | None) -> Study | None:
        """Return what a study or reason code says, None where no table has it."""
        return self.find_study(system, code) if code else None

    def context(self, concept: CodeableConcept | None, *kinds: str) -> tuple[ContextConcept, ...]:
        """Return what the codes of a concept stand for in the chart, of these kinds (all if none is named), in order.

        Its words are not read. Conditions keep the meaning that their table gives them and no other.
        """
        if concept is None or not concept.coding:
            return ()
        found = (self.find_context(coding.system, coding.code) for coding in concept.coding if coding.code)
        return tuple(item for items in found for item in items or () if not kinds or item.kind in kinds)

    def millimetres(self, quantity: Quantity | None) -> float | None:
        """Return a length in mm, None where there is none, it is negative, or its unit is missing or unknown."""
        if quantity is None or quantity.value is None or not 0 <= quantity.value < MAX_MILLIMETRES:
            return None
        names = (name.strip().lower() for name in (quantity.unit, quantity.code) if name)
        factor = next((self.units[name] for name in names if name in self.units), None)
        return quantity.value * factor if factor else None

    def coding(self, purpose: str, laterality: str = "any") -> tuple[OutgoingCoding, ...]:
        """Return the codes that leave for a purpose ("biopsy", "body_site", ...) on a side; empty if there are none."""
        return self.outgoing.get((purpose, laterality), ())


class SystemRules(msgspec.Struct, frozen=True):
    """How systems and codes as sent are brought to those of the tables."""

    same: Mapping[str, str]
    below: tuple[tuple[str, str], ...]
    without: tuple[tuple[str, str], ...]
    prefix: tuple[tuple[str, str], ...]
    dotted: frozenset[str]

    def key(self, system: str | None, code: str) -> tuple[str, str]:
        """Return system and code as the tables are indexed."""
        code = code.strip()
        for start, replacement in self.prefix:
            if code.startswith(start):
                code = replacement + code[len(start) :]
        if not (system and system.strip()):
            found = (canonical for start, canonical in self.without if code.startswith(start))
            return next(found, ""), code
        plain = plain_system(system)
        for start, canonical in self.below:
            if plain.startswith(start):
                return canonical, code
        canonical = self.same.get(plain, plain)
        if canonical in self.dotted and len(code) > DIGITS_BEFORE_DOT and "." not in code:
            code = f"{code[:DIGITS_BEFORE_DOT]}.{code[DIGITS_BEFORE_DOT:]}"
        return canonical, code


def plain_system(system: str) -> str:
    """Return a system without scheme, "www.", version, trailing slash and capitals."""
    plain = system.strip().partition("|")[0].lower().rstrip("/")
    for start in ("https://", "http://", "www."):
        plain = plain.removeprefix(start)
    return plain


def load_terminology(concept_maps: Iterable[Path] = ()) -> Terminology:
    """Load the tables and a site's ConceptMaps.

    Raises:
        ValueError: a ConceptMap that cannot be used; names file and element.
    """
    rules = _system_rules()
    concepts = {row["concept"]: Concept(row["concept"], row["kind"], row["normal"]) for row in _rows("concepts")}
    codes = {
        rules.key(row["system"], row["code"]): concepts[row["concept"]]
        for table in ("assessment", "findings")
        for row in _rows(table)
        if row["status"] != "conflict"
    }
    for path in concept_maps:
        for system, code, target in read_concept_map(path):
            key = rules.key(system, code)
            if target not in concepts:
                raise ValueError(f"{path.name}: target {target} is no concept of codes/concepts.csv")
            if key in codes and codes[key].name != target:
                raise ValueError(f"{path.name}: code {code} of {system} already stands for {codes[key].name}")
            codes[key] = concepts[target]
    find_concept = _finder(codes, rules)
    phrases = {row["phrase"]: concepts[row["concept"]] for row in _rows("synonyms")}
    studies = {rules.key(row["system"], row["code"]): _study(row) for row in _rows("studies")}
    return Terminology(
        concepts=concepts,
        studies={study.name: study for study in studies.values()},
        outgoing=_outgoing(),
        units={row["unit"]: float(row["millimetres"]) for row in _rows("units")},
        find_concept=find_concept,
        find_study=_finder(studies, rules),
        find_context=_finder(_context_codes(rules), rules),
        meaning=meanings(find_concept, phrases),
    )


def _finder(table: Mapping[tuple[str, str], T], rules: SystemRules) -> Callable[[str | None, str], T | None]:
    folded = {(system, code.lower()): value for (system, code), value in reversed(list(table.items()))}

    @remembered(MAX_CACHED, sent=2)
    def find(system: str | None, code: str) -> T | None:
        key = rules.key(system, code)
        found = table.get(key)
        return found if found is not None else folded.get((key[0], key[1].lower()))

    return find


def _study(row: Mapping[str, str]) -> Study:
    return Study(row["concept"], row["study"], row["laterality"], row["modality"], row["generic"] == "yes")


def _context_codes(rules: SystemRules) -> Mapping[tuple[str, str], tuple[ContextConcept, ...]]:
    """The codes of `context.csv` and `orders.csv`; one code may be a condition and a result of tissue."""
    concepts = {row["concept"]: row for row in _rows("context_concepts")}
    table: dict[tuple[str, str], tuple[ContextConcept, ...]] = {}
    for name in ("context", "orders"):
        for row in _rows(name):
            concept = concepts.get(row["concept"])
            if concept is None or row["status"] == "conflict":
                continue
            item = ContextConcept(
                concept["concept"], concept["kind"], concept["normal"], concept["laterality"], row.get("quadrant", "")
            )
            key = rules.key(row["system"], row["code"])
            known = table.get(key, ())
            if not any(other.kind == item.kind for other in known):
                table[key] = (*known, item)
    return table


def _outgoing() -> Mapping[tuple[str, str], tuple[OutgoingCoding, ...]]:
    table: dict[tuple[str, str], tuple[OutgoingCoding, ...]] = {}
    for row in _rows("outgoing"):
        coding = OutgoingCoding(row["purpose"], row["laterality"], row["system"], row["code"], row["display"])
        key = coding.purpose, coding.laterality
        table[key] = (*table.get(key, ()), coding)
    return table


def _system_rules() -> SystemRules:
    rows = list(_rows("systems"))

    def pairs(rule: str) -> Iterator[tuple[str, str]]:
        return ((row["from"], row["to"]) for row in rows if row["rule"] == rule)

    return SystemRules(
        same={plain_system(system): plain_system(canonical) for system, canonical in pairs("same")},
        below=tuple((f"{plain_system(system)}/", plain_system(canonical)) for system, canonical in pairs("below")),
        without=tuple((start, plain_system(canonical)) for start, canonical in pairs("without")),
        prefix=tuple(pairs("prefix")),
        dotted=frozenset(plain_system(system) for system, _ in pairs("dotted")),
    )


def _rows(table: str) -> Iterator[dict[str, str]]:
    text = files("fhir_models").joinpath(f"codes/{table}.csv").read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())
