"""What coded results of tissue say: conclusion codes, and Observations as answers or as findings of their own."""

from __future__ import annotations

from collections.abc import Iterator

from fhir_models.chart.pathology.layout import names_breast, sentences
from fhir_models.chart.pathology.table import TABLE
from fhir_models.chart.pathology.words import NOTHING, Said, joined, names_tissue, said_in, worst
from fhir_models.chart.records import Concordance, TissueClass
from fhir_models.terminology import ContextConcept, Terminology
from fhir_models.views import CodeableConcept, Component, Observation
from rules.vocabulary import Laterality

LONGEST_LABEL = 2_000
"""Characters of a concept's words that are read."""

_CALCIFICATIONS = {"calcifications_in_core": "present"}


def words_of(concept: CodeableConcept | None) -> tuple[str, ...]:
    """Return text and displays of a concept, each once."""
    if concept is None:
        return ()
    texts = (concept.text, *(coding.display for coding in concept.coding or ()))
    return tuple(dict.fromkeys(text[:LONGEST_LABEL] for text in texts if text))


def said_by_code(concept: CodeableConcept | None, terminology: Terminology) -> Said:
    """Return what a concept states by its codes; its words are not read."""
    contexts = terminology.context(concept, "tissue", "condition")
    classes = [found for item in contexts if (found := _class_of(item))]
    tissue = worst(classes)
    present = {_CALCIFICATIONS[item.normal] for item in contexts if item.normal in _CALCIFICATIONS}
    discordant = TissueClass.DISCORDANT in classes
    quoted = quoted_code(concept, terminology)
    return Said(
        tissue=tissue,
        quoted=quoted if tissue else "",
        concordance=Concordance.DISCORDANT if discordant else None,
        concordance_quoted=quoted if discordant else "",
        cancer=tissue == TissueClass.MALIGNANT,
        calcifications=frozenset(present),
    )


def said_by_concept(concept: CodeableConcept | None, terminology: Terminology) -> Said:
    """Return what a concept states by its codes and its words together: the worse of them."""
    return joined((said_by_code(concept, terminology), *map(_said_in_text, words_of(concept))))


def is_unknown(concept: CodeableConcept | None, terminology: Terminology) -> bool:
    """Whether a concept has codes that no table knows, and no words."""
    if concept is None or words_of(concept):
        return False
    return any(coding.code for coding in concept.coding or ()) and not (
        terminology.context(concept) or terminology.meaning(concept).concepts
    )


def quoted_code(concept: CodeableConcept | None, terminology: Terminology) -> str:
    """Return words and codes as sent; a code without words gets what it stands for."""
    if concept is None:
        return ""
    named = (item.normal.replace("_", " ") for item in terminology.context(concept, "condition", "tissue"))
    words = next(iter(words_of(concept)), None) or next(named, "")
    codes = ", ".join(coding.code for coding in concept.coding or () if coding.code)
    return f"{words} ({codes})" if words and codes else words or codes


def said_by_observation(observation: Observation, terminology: Terminology) -> Iterator[tuple[str, Said]]:
    """Yield for each element of an Observation what it states: value, components, notes."""
    yield from _said_by_answer(observation, "", terminology)
    for index, component in enumerate(observation.component or ()):
        yield from _said_by_answer(component, f"component[{index}].", terminology)


def texts_of_observation(observation: Observation) -> Iterator[tuple[str, str]]:
    """Yield the free texts of an Observation with their elements; a question about tissue goes before its answer."""
    if observation.valueString:
        yield "valueString", _asked(observation.code, observation.valueString)
    for index, component in enumerate(observation.component or ()):
        if component.valueString:
            yield f"component[{index}].valueString", _asked(component.code, component.valueString)
    for index, note in enumerate(observation.note or ()):
        if note.text:
            yield f"note[{index}].text", note.text


def site_names_breast(site: CodeableConcept | None, terminology: Terminology) -> bool:
    """Whether a body site or specimen type is that of a breast, by code or words."""
    if site is None:
        return False
    codes = {coding.code for side in Laterality for coding in terminology.coding("body_site", side)}
    return (
        any(
            item.kind == "specimen" or item.normal == "breast" for item in terminology.context(site, "site", "specimen")
        )
        or any(coding.code in codes for coding in site.coding or ())
        or any(map(names_breast, words_of(site)))
    )


def _said_by_answer(
    holder: Observation | Component, within: str, terminology: Terminology
) -> Iterator[tuple[str, Said]]:
    value, asked = holder.valueCodeableConcept, holder.code
    if value is not None:
        answers = (_said_in_text(_asked(asked, word)) for word in words_of(value))
        yield f"{within}valueCodeableConcept", joined((said_by_code(value, terminology), *answers))
    if holder.valueBoolean is not None:
        answer = "present" if holder.valueBoolean else "absent"
        yield f"{within}valueBoolean", joined(_said_in_text(f"{word}: {answer}") for word in words_of(asked))
    if _is_present(holder, terminology):
        yield f"{within}code", said_by_code(asked, terminology)


def _is_present(holder: Observation | Component, terminology: Terminology) -> bool:
    """Whether what the code names is said to be there: by its answer, or as there is no answer at all."""
    if holder.valueBoolean is not None:
        return holder.valueBoolean
    value = holder.valueCodeableConcept
    presence = {item.normal for item in terminology.meaning(value).concepts if item.kind == "presence"}
    if value is not None or holder.valueString:
        return "present" in presence
    return holder.dataAbsentReason is None


def _asked(question: CodeableConcept | None, answer: str) -> str:
    label = next((word for word in words_of(question) if names_tissue(word)), None)
    return f"{label}: {answer}" if label else answer


def _said_in_text(text: str) -> Said:
    return joined(map(said_in, sentences(text))) if text else NOTHING


def _class_of(item: ContextConcept) -> TissueClass | None:
    return (TABLE.tissue if item.kind == "tissue" else TABLE.conditions).get(item.normal)
