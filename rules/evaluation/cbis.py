"""CBIS-DDSM calcification case descriptions: from rows a view to lesions, in the words of the lexicon."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files

import msgspec

from rules.vocabulary import Case, Category, Distribution, Laterality, Morphology, Priors, StudyContext, WorkupDone

MALIGNANT, BENIGN, WITHOUT_CALLBACK = "MALIGNANT", "BENIGN", "BENIGN_WITHOUT_CALLBACK"


COLUMNS = (
    "patient_id",
    "left or right breast",
    "image view",
    "abnormality id",
    "calc type",
    "calc distribution",
    "assessment",
    "pathology",
)


class CbisTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The data set's words in those of the lexicon (`tables/cbis_terms.toml`); pathologies from worst to least."""

    attribution: str
    not_stated: frozenset[str]
    pathology: tuple[str, ...]
    assessment: frozenset[str]
    morphology: Mapping[str, Morphology]
    distribution: Mapping[str, Distribution]


class Lesion(msgspec.Struct, frozen=True):
    """An abnormality of one breast, or one view of it. `assessment` is the radiologists' own, None where none is given."""

    patient: str
    laterality: Laterality
    number: str
    views: tuple[str, ...]
    morphology: tuple[Morphology, ...]
    distribution: tuple[Distribution, ...]
    assessment: Category | None
    pathology: str

    @property
    def name(self) -> str:
        """Patient, side and number as in the data set."""
        return f"{self.patient} {self.laterality.upper()} {self.number}"

    def case(self, diagnostic: bool, with_assessment: bool) -> Case:
        """Return the case: a screening report without work-up, or a completed diagnostic work-up without priors."""
        return Case(
            study_context=StudyContext.DIAGNOSTIC if diagnostic else StudyContext.SCREENING,
            workup_done=WorkupDone.YES if diagnostic else WorkupDone.NO,
            priors=Priors.NONE if diagnostic else Priors.UNKNOWN,
            laterality=self.laterality,
            morphology=self.morphology,
            distribution=self.distribution,
            reported_category=self.assessment if with_assessment else None,
        )


def load_terms() -> CbisTerms:
    """Return the terms of the package."""
    text = files("rules").joinpath("tables/cbis_terms.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), CbisTerms)


def read_views(text: str, terms: CbisTerms) -> tuple[Lesion, ...]:
    """Return a lesion for each row, as one view shows it.

    Raises:
        ValueError: no rows, a column that is missing, or a word that the data set does not have; names line and column.
    """
    reader = csv.DictReader(text.splitlines(keepends=True))
    if missing := [column for column in COLUMNS if column not in (reader.fieldnames or ())]:
        raise ValueError(f"line 1: no column {', '.join(map(repr, missing))}")
    views = tuple(_view(_Row(row, reader.line_num), terms) for row in reader)
    if not views:
        raise ValueError("no rows")
    return views


def merge_views(views: Iterable[Lesion]) -> tuple[Lesion, ...]:
    """Join the views of a lesion: union of descriptors, highest assessment other than 0, worst pathology."""
    lesions: dict[str, list[Lesion]] = {}
    for view in views:
        lesions.setdefault(view.name, []).append(view)
    return tuple(map(_merged, lesions.values()))


def views_disagree(views: Iterable[Lesion]) -> frozenset[str]:
    """Return the names of lesions whose views name different morphologies; some of these are two lesions."""
    forms: dict[str, set[frozenset[Morphology]]] = {}
    for view in views:
        forms.setdefault(view.name, set()).add(frozenset(view.morphology))
    return frozenset(name for name, sets in forms.items() if len(sets) > 1)


class _Row(msgspec.Struct):
    columns: Mapping[str, str | None]
    line: int

    def __getitem__(self, name: str) -> str:
        value = self.columns[name]
        if value is None:
            raise ValueError(f"line {self.line}: too short, no {name!r}")
        return value.strip()

    def one_of(self, name: str, allowed: Iterable[str]) -> str:
        value = self[name]
        if value not in allowed:
            raise ValueError(f"line {self.line}, column {name!r}: {value!r} is none of {', '.join(allowed)}")
        return value

    def words(self, name: str, terms: Mapping[str, str], not_stated: frozenset[str]) -> tuple[str, ...]:
        value = self[name]
        if value in not_stated:
            return ()
        words = [word for word in value.split("-") if word not in not_stated]
        for word in words:
            if word not in terms:
                raise ValueError(f"line {self.line}, column {name!r}: unknown term {word!r}")
        return tuple(dict.fromkeys(terms[word] for word in words))


def _view(row: _Row, terms: CbisTerms) -> Lesion:
    assessment = row.one_of("assessment", sorted(terms.assessment))
    return Lesion(
        patient=row["patient_id"],
        laterality=Laterality(row.one_of("left or right breast", ("LEFT", "RIGHT")).lower()),
        number=row["abnormality id"],
        views=(row["image view"],),
        morphology=tuple(map(Morphology, row.words("calc type", terms.morphology, terms.not_stated))),
        distribution=tuple(map(Distribution, row.words("calc distribution", terms.distribution, terms.not_stated))),
        assessment=Category(assessment),
        pathology=row.one_of("pathology", terms.pathology),
    )


def _merged(views: Sequence[Lesion]) -> Lesion:
    order = (MALIGNANT, BENIGN, WITHOUT_CALLBACK)
    assessments = [view.assessment for view in views if view.assessment is not None]
    return msgspec.structs.replace(
        views[0],
        views=tuple(sorted({name for view in views for name in view.views})),
        morphology=tuple(dict.fromkeys(word for view in views for word in view.morphology)),
        distribution=tuple(dict.fromkeys(word for view in views for word in view.distribution)),
        assessment=max(assessments, default=None),
        pathology=min((view.pathology for view in views), key=order.index),
    )
