"""How far an event has come, and why it was not done; the words and statuses are data in `codes/standing.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from importlib.resources import files
from typing import Any

import msgspec

from fhir_models.chart.events.words import LONGEST, Around, acts_in_words
from fhir_models.chart.records import Standing
from fhir_models.terminology import Terminology
from fhir_models.views import CodeableConcept, Condition
from rules.follow_up import Act

UNSTATED = "unstated"
_BY_REASON, _NONE = "by_reason", "none"
_CLAUSES = re.compile(r"[.;\n]|\bbut\b|\bhowever\b|\binstead\b", re.IGNORECASE)

_TABLE: dict[str, Any] = tomllib.loads(files("fhir_models").joinpath("codes/standing.toml").read_text(encoding="utf-8"))
_ORDER_INTENTS = frozenset[str](_TABLE["order"]["intents"])
_PROPOSALS = frozenset[str](_TABLE["order"]["proposals"])
_PUT_OFF = frozenset[str](_TABLE["put_off"]["codes"])
_NOT_HELD = frozenset[str](_TABLE["not_held"]["codes"])
_ALSO_CALLED = {Act(act): frozenset(map(Act, names)) for act, names in _TABLE["also_called"].items()}


class Stand(msgspec.Struct, frozen=True):
    """How far an event has come, None for no event; `reason` why it was not done, in Fleck's words.

    `known` False: its status or its intent is missing or none of FHIR's.
    """

    standing: Standing | None
    reason: str | None = None
    known: bool = True


class Why(msgspec.Struct, frozen=True):
    """Where the reason of an event stands: coded concepts, and the words of notes."""

    concepts: tuple[CodeableConcept, ...] = ()
    notes: tuple[str, ...] = ()


class _Reason(msgspec.Struct, frozen=True):
    name: str
    standing: Standing
    words: re.Pattern[str]
    unless: re.Pattern[str] | None


_REASONS = tuple(
    _Reason(
        row["name"],
        Standing(row["standing"]),
        re.compile(row["words"], re.IGNORECASE),
        re.compile(row["unless"], re.IGNORECASE) if "unless" in row else None,
    )
    for row in _TABLE["reason"]
)


def stand(name: str, status: str | None, acts: frozenset[Act], why: Why, terminology: Terminology) -> Stand:
    """Return how far a resource of this type has come by its status; None where it is no event.

    A rejected Task that the patient did not refuse, and that is not ruled out, is cancelled.
    """
    word = _TABLE[name].get((status or "").strip().lower())
    if word is None:
        return Stand(None, known=False)
    if word == _NONE:
        return Stand(None)
    if word != _BY_REASON:
        return Stand(Standing(word), _coded_reason(why.concepts, terminology))
    found = not_done(acts, why, terminology)
    if name == "Task" and found.standing == Standing.NOT_DONE:
        return Stand(Standing.CANCELLED, found.reason)
    return found


def order_stand(
    status: str | None,
    intent: str | None,
    do_not_perform: bool | None,
    acts: frozenset[Act],
    why: Why,
    terminology: Terminology,
) -> Stand:
    """Return how far an order has come: one that is only proposed, and one not to perform, are no orders."""
    found = stand("ServiceRequest", status, acts, why, terminology)
    intended = (intent or "").strip().lower()
    if found.standing is None:
        return found
    if do_not_perform:
        in_force = found.standing == Standing.LIVE and intended in _ORDER_INTENTS
        return not_done(acts, why, terminology) if in_force else Stand(None)
    if intended in _ORDER_INTENTS:
        return found
    known = intended in _PROPOSALS
    return Stand(None if found.standing == Standing.CANCELLED else Standing.PROPOSED, found.reason, known)


def not_done(acts: frozenset[Act], why: Why, terminology: Terminology) -> Stand:
    """Return why acts were not done: by code, else by words; without a reason NOT_DONE, which is no refusal."""
    coded = {
        item.normal
        for concept in why.concepts
        if not any(coding.code in _PUT_OFF for coding in concept.coding or ())
        for item in terminology.context(concept, "reason")
    }
    texts = [text[:LONGEST] for concept in why.concepts for text in _words_of(concept)]
    texts += [note[:LONGEST] for note in why.notes]
    by_code = (reason for reason in _REASONS if reason.name in coded)
    by_words = (reason for reason in _REASONS if any(_says(reason, text, acts) for text in texts))
    reason = next(by_code, None) or next(by_words, None)
    return Stand(reason.standing, reason.name) if reason else Stand(Standing.NOT_DONE, UNSTATED)


def condition_stand(condition: Condition, terminology: Terminology) -> Stand:
    """Return the standing of a Condition that says that something was not done; None for any other."""
    codings = (
        coding
        for concept in (condition.verificationStatus, condition.clinicalStatus)
        for coding in (concept.coding if concept else None) or ()
    )
    found = terminology.context(condition.code, "condition")
    stands = [Standing(_TABLE["Condition"][item.normal]) for item in found if item.normal in _TABLE["Condition"]]
    if not stands or any((coding.code or "").lower() in _NOT_HELD for coding in codings):
        return Stand(None)
    if len(set(stands)) > 1:
        return Stand(Standing.NOT_DONE, UNSTATED)
    return Stand(
        stands[0], next((row.name for row in _REASONS if row.standing == stands[0] != Standing.NOT_DONE), None)
    )


def refused_clauses(texts: Iterable[str]) -> str:
    """Return the clauses that refuse something, all of the words where none does: what is named there was refused."""
    clauses = [clause for text in texts for clause in _CLAUSES.split(text[:LONGEST])]
    refusal = _REASONS[-1]
    return "; ".join([clause for clause in clauses if refusal.words.search(clause)] or clauses)


def _says(reason: _Reason, text: str, acts: frozenset[Act]) -> bool:
    """Whether a text gives this reason for these acts; a text that takes it back, or names another act, does not."""
    if not reason.words.search(text) or (reason.unless and reason.unless.search(text)):
        return False
    clauses = " ".join(clause for clause in _CLAUSES.split(text) if reason.words.search(clause))
    named = acts_in_words(clauses, Around(breast=True, care=True, sided=True, refusal=True)) - {Act.OTHER}
    return not named or not named.isdisjoint(acts.union(*(_ALSO_CALLED.get(act, ()) for act in acts)))


def _coded_reason(concepts: Iterable[CodeableConcept], terminology: Terminology) -> str | None:
    found = {item.normal for concept in concepts for item in terminology.context(concept, "reason")}
    return min(found, default=None)


def _words_of(concept: CodeableConcept) -> Iterable[str]:
    if concept.text:
        yield concept.text
    yield from (coding.display for coding in concept.coding or () if coding.display)
