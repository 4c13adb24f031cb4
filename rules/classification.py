"""How patients and clinicians are first told of calcifications: size, form and place in a word each; no rule asks this."""

from __future__ import annotations

import msgspec

from rules.facts import governing, governing_distribution
from rules.table import Lexicon
from rules.vocabulary import Case, DistributionClass, MorphologyClass, SizeClass


class Classification(msgspec.Struct, frozen=True):
    """Macro- or microcalcification; typically benign, round or punctate, suspicious; scattered, grouped, along a duct."""

    size: SizeClass
    morphology: MorphologyClass
    distribution: DistributionClass


def classify(case: Case, lexicon: Lexicon) -> Classification:
    """Return the classification by `lexicon.toml`; of several forms or distributions the most suspicious counts (P2)."""
    classes = lexicon.first_told
    return Classification(
        size=size_class(case, lexicon),
        morphology=MorphologyClass(classes.morphology[governing(case.morphology, lexicon)]),
        distribution=DistributionClass(classes.distribution[governing_distribution(case.distribution, lexicon)]),
    )


def size_class(case: Case, lexicon: Lexicon) -> SizeClass:
    """Return the size class by the stated particle size, else by the morphologies that have a size of their own."""
    sizes = lexicon.size_class
    if case.particle_size_mm is not None:
        large = case.particle_size_mm >= sizes.limit_mm
        return SizeClass.MACROCALCIFICATION if large else SizeClass.MICROCALCIFICATION
    large = not sizes.macrocalcification.isdisjoint(case.morphology)
    small = not sizes.microcalcification.isdisjoint(case.morphology)
    if large and small:
        return SizeClass.MIXED
    if large:
        return SizeClass.MACROCALCIFICATION
    return SizeClass.MICROCALCIFICATION if small else SizeClass.NOT_DETERMINED
