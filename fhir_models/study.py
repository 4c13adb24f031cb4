"""What kind of exam a report is about: modality, screening or diagnostic, side, work-up; by code, else by its title."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files

import msgspec

from fhir_models.remembering import remembered
from fhir_models.terminology import Terminology
from fhir_models.views import CodeableConcept
from rules.vocabulary import Laterality, Modality, StudyContext, WorkupDone

_WORDS = {
    name: re.compile(pattern, re.IGNORECASE)
    for name, pattern in tomllib.loads(
        files("fhir_models").joinpath("codes/study_words.toml").read_text(encoding="utf-8")
    ).items()
}
_MODALITIES = {"MG": Modality.MAMMOGRAPHY, "DBT": Modality.MAMMOGRAPHY, "US": Modality.US, "MR": Modality.MRI}
_ACTS = {"breast_ultrasound": Modality.US, "breast_mri": Modality.MRI}
"""Acts of `codes/context_concepts.csv` that are imaging of another modality."""

_SIDES = {"left": Laterality.LEFT, "right": Laterality.RIGHT, "bilateral": Laterality.BILATERAL}


REMEMBERED_TITLES = 2048


class StudyKind(msgspec.Struct, frozen=True):
    """Kind of exam; modality is None where neither code nor title says it."""

    modality: Modality | None
    context: StudyContext
    laterality: Laterality
    workup: WorkupDone


@remembered(REMEMBERED_TITLES)
def study_kind(code: CodeableConcept | None, terminology: Terminology) -> StudyKind:
    """Return the kind of exam. A code's own column counts, never its display; a title counts where no code decides."""
    if code is None:
        return StudyKind(None, StudyContext.UNKNOWN, Laterality.UNKNOWN, WorkupDone.UNKNOWN)
    studies = [study for coding in code.coding or () if (study := terminology.study(coding.system, coding.code))]
    unknown = [coding.display for coding in code.coding or () if not terminology.study(coding.system, coding.code)]
    named = [study for study in studies if not study.generic]
    title = " ".join(text for text in (code.text, *unknown) if text)
    words = _title_kind(title)
    modality = next((_MODALITIES[study.modality] for study in studies if study.modality in _MODALITIES), None)
    acts = (concept.normal for concept in terminology.context(code, "act"))
    modality = modality or next((_ACTS[act] for act in acts if act in _ACTS), None)
    contexts = {study.context for study in named if study.context in ("screening", "diagnostic")}
    context = StudyContext("diagnostic" if "diagnostic" in contexts else "screening") if contexts else words.context
    sides = [_SIDES[study.laterality] for study in studies if study.laterality in _SIDES]
    shown = " ".join(coding.display for coding in code.coding or () if coding.display)
    workup = WorkupDone.YES if _WORDS["workup"].search(f"{title} {shown}") else WorkupDone.UNKNOWN
    return StudyKind(modality or words.modality, context, sides[0] if sides else words.laterality, workup)


def side_in_words(text: str) -> Laterality:
    """Return the side that a short text names; both or neither side: bilateral or unknown."""
    left, right = bool(_WORDS["left"].search(text)), bool(_WORDS["right"].search(text))
    if _WORDS["bilateral"].search(text) or (left and right):
        return Laterality.BILATERAL
    if left or right:
        return Laterality.LEFT if left else Laterality.RIGHT
    return Laterality.UNKNOWN


def _title_kind(title: str) -> StudyKind:
    modality = Modality.MAMMOGRAPHY if _WORDS["mg"].search(title) and _WORDS["beside_mg"].search(title) else None
    for name, kind in (
        ("mammography", Modality.MAMMOGRAPHY),
        ("ultrasound", Modality.US),
        ("mri", Modality.MRI),
        ("ct", Modality.CT),
    ):
        if modality is None and _WORDS[name].search(title):
            modality = kind
    context = StudyContext.UNKNOWN
    if _WORDS["diagnostic"].search(title):
        context = StudyContext.DIAGNOSTIC
    elif _WORDS["screening"].search(title):
        context = StudyContext.SCREENING
    return StudyKind(modality, context, side_in_words(title), WorkupDone.UNKNOWN)
