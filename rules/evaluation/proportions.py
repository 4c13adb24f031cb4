"""A share with its confidence interval, and how well a score ranks: enough to compare readings of the same lesions."""

from __future__ import annotations

import random
from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist, quantiles

import msgspec

Z = NormalDist().inv_cdf(0.975)
RESAMPLES, SEED = 1000, 20170177


class Share(msgspec.Struct, frozen=True):
    """`count` of `total`; prints as "291/304 95.7% (92.8-97.5)", the interval after Wilson (1927), 95 %."""

    count: int
    total: int

    def interval(self) -> tuple[float, float]:
        """Return the bounds as percentages; (0, 100) of nothing."""
        if not self.total:
            return 0.0, 100.0
        share, n = self.count / self.total, self.total
        centre = share + Z * Z / (2 * n)
        spread = Z * sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
        return 100 * (centre - spread) / (1 + Z * Z / n), 100 * (centre + spread) / (1 + Z * Z / n)

    def __str__(self) -> str:
        if not self.total:
            return "-"
        low, high = self.interval()
        return f"{self.count}/{self.total} {self.count / self.total:.1%} ({abs(low):.1f}-{high:.1f})"


class Scored(msgspec.Struct, frozen=True):
    """A lesion's score, whether it is malignant, and whose it is."""

    patient: str
    score: float
    malignant: bool


def auc(lesions: Sequence[Scored]) -> float | None:
    """Return the area under the ROC curve (ties count half), None without both classes."""
    ranks: dict[float, list[int]] = {}
    for lesion in lesions:
        ranks.setdefault(lesion.score, [0, 0])[lesion.malignant] += 1
    below, wins = 0, 0.0
    for _, (benign, malignant) in sorted(ranks.items()):
        wins += malignant * (below + benign / 2)
        below += benign
    malignant_total = sum(lesion.malignant for lesion in lesions)
    return wins / (below * malignant_total) if below and malignant_total else None


def auc_interval(lesions: Sequence[Scored]) -> tuple[float, float] | None:
    """Return the 95 % interval by resampling patients (1000 times, always the same seed)."""
    patients: dict[str, list[Scored]] = {}
    for lesion in lesions:
        patients.setdefault(lesion.patient, []).append(lesion)
    groups, chance = list(patients.values()), random.Random(SEED)  # noqa: S311  (no secret)
    samples = (
        auc([lesion for group in chance.choices(groups, k=len(groups)) for lesion in group]) for _ in range(RESAMPLES)
    )
    areas = [area for area in samples if area is not None]
    if len(areas) < RESAMPLES // 2:
        return None
    cuts = quantiles(areas, n=40)
    return cuts[0], cuts[-1]
