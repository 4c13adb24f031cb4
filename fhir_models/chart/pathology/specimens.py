"""A specimen: which breast, where in it, when it was collected, and whether it is that of a surgical excision."""

from __future__ import annotations

import msgspec

from fhir_models.chart.pathology.codes import site_names_breast, words_of
from fhir_models.chart.pathology.layout import named_side, names_other_organ
from fhir_models.chart.pathology.table import TABLE, pattern
from fhir_models.days import Days, written_days
from fhir_models.sides import NOWHERE, Place, agreed_side, site_place
from fhir_models.terminology import Terminology
from fhir_models.views import CodeableConcept, Specimen
from rules.vocabulary import Laterality

_EXCISION, _NOT_DONE = pattern(TABLE.excision.words), pattern(TABLE.excision.not_done)


class Sample(msgspec.Struct, frozen=True):
    """A specimen as read. `elsewhere`: it states a site, and that is no breast."""

    reference: str
    place: Place
    days: Days | None
    breast: bool
    elsewhere: bool
    excision: bool


def read_sample(reference: str, view: Specimen, terminology: Terminology) -> Sample:
    """Return what a Specimen states; its site is a concept in R4 and inside a reference in R5."""
    collection = view.collection
    site = collection.bodySite if collection else None
    concept = (site.concept or CodeableConcept(site.coding, site.text, site.extension)) if site else None
    place = site_place(concept, terminology) if concept else NOWHERE
    laterality, conflict = agreed_side((place.laterality, *(named_side(word)[0] for word in words_of(view.type))))
    if place.laterality == Laterality.UNKNOWN and concept:
        laterality, conflict = agreed_side((laterality, *(named_side(word)[0] for word in words_of(concept))))
    breast = site_names_breast(concept, terminology) or site_names_breast(view.type, terminology)
    period = collection.collectedPeriod if collection else None
    return Sample(
        reference=reference,
        place=msgspec.structs.replace(place, laterality=laterality, side_conflict=place.side_conflict or conflict),
        days=written_days(collection.collectedDateTime or (period.start if period else None)) if collection else None,
        breast=breast,
        elsewhere=not breast
        and bool(words_of(concept))
        and (place.laterality == Laterality.UNKNOWN or any(map(names_other_organ, words_of(concept)))),
        excision=is_excision(view.type),
    )


def is_excision(kind: CodeableConcept | None) -> bool:
    """Whether the type of a specimen or the title of a report is that of an excision, by code or words."""
    codes = (kind.coding if kind else None) or ()
    return any(coding.code in TABLE.excision.specimens for coding in codes) or any(map(names_excision, words_of(kind)))


def names_excision(text: str) -> bool:
    """Whether words name an excision that was done, and not one that is advised or was done before."""
    return bool(_EXCISION.search(text)) and not _NOT_DONE.search(text)
