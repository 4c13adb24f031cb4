"""The words on the cards: `text.toml`, the only place with card text, and how a finding is named with them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

from cds_service.cards.answers import Decided
from fhir_models.cases import FindingCase
from rules.vocabulary import Recommendation

TEXT: Mapping[str, Any] = tomllib.loads(files("cds_service.cards").joinpath("text.toml").read_text(encoding="utf-8"))
MAX_QUOTES = 8


def act_of(item: Decided) -> str:
    """Return what is recommended now, as the summary says it."""
    months = item.decision.interval_months if item.now.recommendation == item.decision.recommendation else None
    return act_words(item.now.recommendation, months)


def act_words(recommendation: Recommendation, months: str | None) -> str:
    """Return what is recommended; `months` are those of a follow-up."""
    return TEXT["act"][recommendation].format(months=months)


def described(case: FindingCase) -> str:
    """Return the calcifications in words: "fine pleomorphic calcifications, segmental"."""
    forms = ", ".join(TEXT["word"].get(word, word.replace("_", " ")) for word in case.case.morphology)
    noun = "" if forms.endswith("calcium") else "calcifications"
    return ", ".join((f"{forms} {noun}".strip(), *case.case.distribution))


def category_of(case: FindingCase) -> str | None:
    """Return the radiologist's category as the scheme names it."""
    category = case.case.reported_category
    return f"{case.case.system} {TEXT['category'].get(category, category)}" if category else None


def reported(case: FindingCase) -> str:
    """Return the radiologist's category in brackets, empty where there is none."""
    category = category_of(case)
    return f" (reported {category})" if category else ""


def first_of(lines: Iterable[str]) -> list[str]:
    """Return the first lines, and how many more there are: no card grows with what a sender repeats."""
    everything = list(lines)
    more = len(everything) - MAX_QUOTES
    return [*everything[:MAX_QUOTES], *([f"- {more} more"] if more > 0 else [])]
