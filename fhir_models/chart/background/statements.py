"""What short coded statements say: a status, an answer, two days of one period."""

from __future__ import annotations

from fhir_models.terminology import Terminology
from fhir_models.views import CodeableConcept, Observation

_YES_AND_NO = {"present": "yes", "absent": "no"}


def words_of(concept: CodeableConcept | None) -> frozenset[str]:
    """Return the codes and words of a concept in lower case."""
    if concept is None:
        return frozenset()
    texts = (concept.text, *(text for coding in concept.coding or () for text in (coding.code, coding.display)))
    return frozenset(text.strip().lower() for text in texts if text and text.strip())


def answers_in(observation: Observation, terminology: Terminology) -> frozenset[str]:
    """Return the codes and words that an Observation answers, with "yes" or "no" where they mean it; empty if none."""
    value = observation.valueCodeableConcept
    said = words_of(value)
    concepts = terminology.meaning(value).concepts
    said |= {_YES_AND_NO[item.normal] for item in concepts if item.kind == "presence" and item.normal in _YES_AND_NO}
    if observation.valueString and observation.valueString.strip():
        said |= {observation.valueString.strip().lower()}
    if observation.valueBoolean is not None:
        said |= {"yes" if observation.valueBoolean else "no"}
    return said
