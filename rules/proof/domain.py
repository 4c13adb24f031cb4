"""The input domain, without repeats: values that no row can tell apart count as one, and are counted as many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, combinations, product
from typing import TypeVar

from rules.conditions import Row
from rules.facts import NONE, Facts, facts_of
from rules.policy import Policy
from rules.table import FactValue, Lexicon
from rules.vocabulary import (
    SURVEILLANCE_MONTHS,
    BiopsyResult,
    Case,
    Category,
    Change,
    Distribution,
    Modality,
    Morphology,
    Presence,
    StudyContext,
    WorkupDone,
)

Word = TypeVar("Word")

Axis = Sequence[Facts]
"""Joint values of facts that belong together; the domain is the product of its axes."""

DERIVED = ("2", "3", "3-4A", "U", "4A", "4A-4B", "4B", "4B-4C", "4C", "4C-5", "5")


def asked(rows: Iterable[Row]) -> Mapping[str, tuple[frozenset[FactValue], ...]]:
    """Return the facts that rows ask, each with the sets of values that they ask for."""
    questions: dict[str, set[frozenset[FactValue]]] = {}
    for row in rows:
        conditions = (row.when, *row.any, *(checks for checks, _ in row.variants))
        for fact, allowed in chain.from_iterable(conditions):
            questions.setdefault(fact, set()).add(allowed)
    return {fact: tuple(sets) for fact, sets in questions.items()}


def distinct(axis: Iterable[Facts], rows: Iterable[Row]) -> list[Facts]:
    """Return one representative of the values of an axis that these rows cannot tell apart."""
    questions = asked(rows)
    kinds: dict[tuple[object, ...], Facts] = {}
    for values in axis:
        key = tuple(
            (fact, tuple(values[fact] in allowed for allowed in questions[fact]))
            for fact in values
            if fact in questions
        )
        kinds.setdefault(key, values)
    return list(kinds.values())


def points(axes: Iterable[Axis]) -> Iterator[Facts]:
    """Yield every point of the product of the axes."""
    for parts in product(*axes):
        point: Facts = {}
        for part in parts:
            point.update(part)
        yield point


def descriptor_axes(lexicon: Lexicon, policy: Policy) -> dict[str, list[Facts]]:
    """Return the axes of what a finding's description can be, by name; morphology first."""
    return {
        "morphology": morphology_axis(lexicon, policy),
        "distribution": distribution_axis(lexicon, policy),
        "change": [
            _only(Case(change=change), ("change", "progressing", "stable"), lexicon, policy) for change in Change
        ],
        "feature": feature_axis(),
        "certainty": [{"certainty": value} for value in ("definite", "probable")],
        "bilateral": _switch("bilateral_similar"),
        "count": _switch("under_five"),
        "adjacent": _switch("adjacent_known_cancer"),
        "lumpectomy": [
            {"lumpectomy_site": False, "radiation": "unknown"},
            *({"lumpectomy_site": True, "radiation": value} for value in ("within_window", "later", "unknown")),
        ],
        "male": _switch("male"),
        "site": [
            {"site": "breast", "node_benign_cause": False},
            {"site": "axillary_node", "node_benign_cause": False},
            {"site": "axillary_node", "node_benign_cause": True},
        ],
        "age": [
            {"under_50": young, "personal_cancer": history} for young in (False, True) for history in (False, True)
        ],
    }


def morphology_axis(lexicon: Lexicon, policy: Policy) -> list[Facts]:
    """Return the facts of every set of morphologies."""
    names = ("governing", "only_governing", "with_punctate", "benign_only", "fat_necrosis_form")
    return [_only(Case(morphology=words), names, lexicon, policy) for words in morphology_sets(lexicon)]


def morphology_sets(lexicon: Lexicon) -> list[tuple[Morphology, ...]]:
    """Return every set of morphologies, one typically benign form standing for those that no fact tells apart."""
    benign = [Morphology.VASCULAR, Morphology.RIM]
    words = [*(Morphology(word) for word in lexicon.governing_order), *benign]
    return _subsets(words)


def distribution_axis(lexicon: Lexicon, policy: Policy) -> list[Facts]:
    """Return the facts of every set of distributions."""
    sets = _subsets(list(Distribution))
    return [_only(Case(distribution=words), ("distribution",), lexicon, policy) for words in sets]


def feature_axis() -> list[Facts]:
    """Return no feature, a symptom alone, a suspicious feature; in rising suspicion."""
    return [
        {"suspicious_feature": False, "feature_or_symptom": False},
        {"suspicious_feature": False, "feature_or_symptom": True},
        {"suspicious_feature": True, "feature_or_symptom": True},
    ]


def exam_axes(lexicon: Lexicon, policy: Policy) -> dict[str, list[Facts]]:
    """Return the axes of the exam around a description: situation, surveillance, priors, history."""
    names = ("situation", "coded_screening", "study_context", "workup_done")
    exams = [
        _only(Case(study_context=StudyContext(context), workup_done=WorkupDone(done)), names, lexicon, policy)
        for context in ("screening", "diagnostic", "unknown")
        for done in ("yes", "no", "unknown")
    ]
    months = [
        _only(Case(surveillance_month=month), ("surveillance_month", "protocol_ended"), lexicon, policy)
        for month in SURVEILLANCE_MONTHS
    ]
    return {
        "exam": exams,
        "month": months,
        "overdue": _switch("overdue"),
        "priors": [{"priors": value} for value in ("unknown", "none", "available")],
        "risk": _switch("high_risk_history"),
        "reported": reported_axis(),
    }


def reported_axis() -> list[Facts]:
    """Return every reported category of both scoring systems; 6 is the tissue stage's."""
    scores: list[tuple[str, str]] = [("BI-RADS", NONE)]
    scores += [("BI-RADS", category) for category in Category if category != Category.KNOWN_MALIGNANCY]
    scores += [("RCR", category) for category in ("1", "2", "3", "4", "5")]
    return [{"system": system, "reported": category} for system, category in scores]


def gate_axes() -> list[Axis]:
    """Return the axes of the gates."""
    return [
        [{"report_status": value} for value in ("final", "amended", "preliminary", "cancelled", "entered-in-error")],
        [{"modality": value} for value in Modality],
        [{"presence": value} for value in Presence],
        _switch("recorded"),
        [*reported_axis(), {"system": "BI-RADS", "reported": "6"}],
        [
            {"situation": "screening", "coded_screening": True},
            {"situation": "screening", "coded_screening": False},
            {"situation": "not_worked_up", "coded_screening": False},
            {"situation": "worked_up", "coded_screening": False},
        ],
        _switch("overdue"),
        [{"surveillance_month": str(month)} for month in SURVEILLANCE_MONTHS],
    ]


def tissue_axes() -> list[Axis]:
    """Return the axes of the tissue and treatment states."""
    return [
        [*reported_axis(), {"system": "BI-RADS", "reported": "6"}],
        _switch("separate"),
        _switch("neoadjuvant"),
        [{"biopsy_result": value} for value in (NONE, *BiopsyResult)],
        [{"biopsy_age": value} for value in ("under_24_months", "24_months_or_more")],
        _switch("progressing"),
    ]


def _switch(fact: str) -> list[Facts]:
    return [{fact: False}, {fact: True}]


def _only(case: Case, names: Iterable[str], lexicon: Lexicon, policy: Policy) -> Facts:
    facts = facts_of(case, lexicon, policy)
    return {name: facts[name] for name in names}


def _subsets(words: Sequence[Word]) -> list[tuple[Word, ...]]:
    return list(chain.from_iterable(combinations(words, size) for size in range(len(words) + 1)))
