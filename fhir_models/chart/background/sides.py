"""Whether a stated side is that of a finding: surely, in part, or possibly."""

from __future__ import annotations

from rules.vocabulary import Laterality


def wholly_of(stated: Laterality, side: Laterality) -> bool:
    """Whether a statement covers every breast of the finding; never where either side is unknown."""
    return side != Laterality.UNKNOWN and stated in (side, Laterality.BILATERAL)


def names(stated: Laterality, side: Laterality) -> bool:
    """Whether a statement names a breast of the finding; one of both breasts concerns a finding without a side too."""
    return stated == Laterality.BILATERAL or (stated != Laterality.UNKNOWN and side in (stated, Laterality.BILATERAL))


def may_be_of(stated: Laterality, side: Laterality) -> bool:
    """Whether a statement is not surely of the other breast."""
    return Laterality.UNKNOWN in (stated, side) or names(stated, side)
