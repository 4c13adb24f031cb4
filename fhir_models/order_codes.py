"""Codes that a receiver wants on draft orders instead of ours."""

from __future__ import annotations

import msgspec

from rules.vocabulary import Laterality, Recommendation

ORDERED = (Recommendation.DIAGNOSTIC_MAMMOGRAM, Recommendation.BIOPSY, Recommendation.SHORT_INTERVAL_FOLLOW_UP)
"""What an order can be drafted for."""

SIDES = (Laterality.LEFT, Laterality.RIGHT, Laterality.BILATERAL)


class OrderCode(msgspec.Struct, frozen=True, kw_only=True):
    """A code for one recommendation of `ORDERED` on one side of `SIDES`."""

    recommendation: Recommendation
    laterality: Laterality
    system: str
    code: str
    display: str


class OrderCodes(msgspec.Struct, frozen=True, kw_only=True):
    """The receiver's codes. `only`: it ignores any other, so without one there is no draft order."""

    codes: tuple[OrderCode, ...] = ()
    only: bool = False

    def of(self, recommendation: Recommendation, laterality: Laterality) -> tuple[OrderCode, ...]:
        """Return the codes of an order."""
        return tuple(
            code for code in self.codes if (code.recommendation, code.laterality) == (recommendation, laterality)
        )


OURS = OrderCodes()
"""No receiver's codes: those of `codes/outgoing.csv` are used."""
