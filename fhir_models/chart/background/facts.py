"""The facts of the patient: what Conditions, Observations, Devices and the Patient state beside exams and events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

import msgspec

from fhir_models.chart.background.patient import age_on, deceased_patient, patient_copies, sex_of
from fhir_models.chart.background.statements import answers_in, words_of
from fhir_models.chart.background.table import BREAST, DOUBT, LONGEST_WORDS, PARTIAL, TABLE
from fhir_models.chart.records import Background, Fact
from fhir_models.days import Days, joined_days, written_days
from fhir_models.entries import Entries, Resource
from fhir_models.reading import AFTER_TODAY, Evidence, HistoryItem, ReadPatient, Unread
from fhir_models.sides import NOWHERE, Place, agreed_side, joined_side, site_place
from fhir_models.study import side_in_words
from fhir_models.terminology import ContextConcept, Terminology
from fhir_models.views import CodeableConcept, Condition, Device, Observation
from rules.vocabulary import Laterality

_SHOWN_AS = {kind: str(word) for word, kinds in TABLE.history.items() for kind in kinds}
_NO_CODE = CodeableConcept()


def read_background(
    entries: Entries, terminology: Terminology, today: date, patient: ReadPatient | None = None
) -> Background:
    """Return the patient's background as of `today` (chart logic 2, 3.13, 3.14); what is unusable goes to `unread`."""
    facts = {
        *_condition_facts(entries, terminology, today),
        *_observation_facts(entries, terminology, today),
        *_device_facts(entries, terminology),
    }
    copies = patient_copies(entries, patient.id if patient else None)
    sex, evidence = sex_of(copies, entries, terminology, patient)
    return Background(
        sex=sex,
        sex_evidence=evidence,
        age=age_on(today, copies, entries, patient),
        deceased=deceased_patient(copies),
        facts=tuple(sorted(facts, key=_order)),
    )


def history_items(background: Background) -> Iterator[HistoryItem]:
    """Yield the facts that rules or cards use; a passing one (a lump, a pregnancy) only while it lasts."""
    noted = {kind for note in (*TABLE.note, *TABLE.blood_note) for kind in note.kinds}
    shown = noted.union(_SHOWN_AS, TABLE.passing, ("breast_absent", "implant_removed", "brca_negative"))
    for fact in background.facts:
        if fact.kind in shown and not (fact.kind in TABLE.passing and (fact.ended or not fact.active)):
            when = str(fact.days) if fact.days else None
            yield HistoryItem(_SHOWN_AS.get(fact.kind, fact.kind), fact.laterality, when, (fact.evidence,))


def _order(fact: Fact) -> tuple[str, ...]:
    return fact.kind, fact.laterality, fact.evidence.resource, fact.evidence.path, str(fact.days), str(fact.place)


def _condition_facts(entries: Entries, terminology: Terminology, today: date) -> Iterator[Fact]:
    for resource in entries.of("Condition"):
        view = resource.view
        if not isinstance(view, Condition) or words_of(view.verificationStatus) & TABLE.no_fact:
            continue
        named = _named(view.code, terminology)
        if not named and _is_unknown_breast_condition(view, terminology):
            why = "a Condition of the breast whose code no table knows"
            entries.unread.append(Unread(_label(resource), f"{resource.path}.code", why))
        kinds = list(dict.fromkeys(concept.normal for concept in named))
        for kind in kinds:
            if why := _unusable(kind, resource, view, terminology):
                entries.unread.append(Unread(_label(resource), f"{resource.path}.code", why))
                kinds = [other for other in kinds if other != kind]
        if not kinds:
            continue
        recorded = _stated(view.recordedDate, "recordedDate", resource, entries)
        days = _onset(view, resource, entries) or recorded
        if days and days.first > today:
            entries.unread.append(Unread(_label(resource), resource.path, AFTER_TODAY))
            continue
        status = words_of(view.clinicalStatus)
        for kind in kinds:
            concepts = [concept for concept in named if concept.normal == kind]
            place = _fact_place(concepts, view, terminology)
            yield Fact(
                kind=kind,
                laterality=place.laterality,
                place=place,
                days=days,
                recorded=recorded if recorded and recorded.first <= today else None,
                ended=bool(status & TABLE.ended) or _has_abated(view, today),
                active=not status & TABLE.ended,
                evidence=Evidence(resource.reference, f"{resource.path}.code", _quoted(view.code, kind, terminology)),
            )


def _label(resource: Resource) -> str:
    """Name a contained Condition as such: it is not its container that could not be used."""
    return "Condition" if "#" in resource.reference else resource.reference


def _named(code: CodeableConcept | None, terminology: Terminology) -> tuple[ContextConcept, ...]:
    """Return what a Condition's codes name, symptoms of the finding tables included; its words alone name nothing."""
    found = [concept for concept in terminology.context(code, "condition") if concept.normal]
    for coding in (code or _NO_CODE).coding or ():
        concept = terminology.concept(coding.system, coding.code)
        if concept is not None and concept.kind == "symptom":
            found.append(ContextConcept(concept.name, "condition", concept.normal))
    return tuple(found)


def _is_unknown_breast_condition(condition: Condition, terminology: Terminology) -> bool:
    known = terminology.context(condition.code) or terminology.meaning(condition.code).concepts
    return not known and any(BREAST.search(text) for text in _texts(condition.code))


def _unusable(kind: str, resource: Resource, condition: Condition, terminology: Terminology) -> str | None:
    """Return why a Condition states no fact of this kind, None where it does; an order's reason is often a suspicion."""
    words = ((condition.code or _NO_CODE).text or "")[:LONGEST_WORDS]
    if "#" in resource.reference and kind not in TABLE.symptoms:
        return "contained in another resource: no statement of the problem list"
    if kind in TABLE.must_be_hers and DOUBT.search(words):
        return "its words are of a suspicion, a denial or a relative"
    if kind == "breast_absent" and PARTIAL.search(words):
        return "its words are of a partial removal"
    if kind in TABLE.needs_breast and not _names_breast(condition, terminology):
        return "its site is not stated to be a breast"
    return None


def _names_breast(condition: Condition, terminology: Terminology) -> bool:
    codes = {coding.code for side in Laterality for coding in terminology.coding("body_site", side)}
    concepts = [condition.code or _NO_CODE, *(condition.bodySite or ())]
    return any(
        terminology.context(concept, "site")
        or any(coding.code in codes for coding in concept.coding or ())
        or any(BREAST.search(text) for text in _texts(concept))
        for concept in concepts
    )


def _texts(concept: CodeableConcept | None) -> Iterator[str]:
    texts = (concept.text, *(coding.display for coding in concept.coding or ())) if concept else ()
    return (text[:LONGEST_WORDS] for text in texts if text)


def _fact_place(concepts: Iterable[ContextConcept], condition: Condition, terminology: Terminology) -> Place:
    """Return side and place by code, body sites and words; sides that disagree are none, quadrants likewise."""
    concepts = tuple(concepts)
    sites = [site_place(site, terminology) for site in condition.bodySite or ()]
    laterality, conflict = agreed_side(
        (
            *(Laterality(concept.laterality) for concept in concepts if concept.laterality),
            joined_side(site.laterality for site in sites if site.laterality != Laterality.UNKNOWN),
            *map(side_in_words, _texts(condition.code)),
        )
    )
    if any(site.side_conflict for site in sites):
        laterality, conflict = Laterality.UNKNOWN, True
    quadrants = {part.quadrant for part in (*concepts, *sites) if part.quadrant}
    return msgspec.structs.replace(
        sites[0] if len(sites) == 1 else NOWHERE,
        laterality=laterality,
        side_conflict=conflict,
        quadrant=quadrants.pop() if len(quadrants) == 1 else None,
    )


def _stated(text: str | None, element: str, resource: Resource, entries: Entries) -> Days | None:
    days = written_days(text)
    if text and days is None:
        entries.unread.append(Unread(_label(resource), f"{resource.path}.{element}", "is no date"))
    return days


def _onset(condition: Condition, resource: Resource, entries: Entries) -> Days | None:
    if condition.onsetDateTime:
        return _stated(condition.onsetDateTime, "onsetDateTime", resource, entries)
    period = condition.onsetPeriod
    return joined_days(written_days(period.start), written_days(period.end)) if period else None


def _has_abated(condition: Condition, today: date) -> bool:
    """Whether an end is given that is not still to come; an end that is no date counts as one."""
    period = condition.abatementPeriod
    text = condition.abatementDateTime or (period.start or period.end if period else None)
    days = written_days(text)
    return (
        bool(condition.abatementString)
        or condition.abatementAge is not None
        or (bool(text) and not (days and days.first > today))
    )


def _observation_facts(entries: Entries, terminology: Terminology, today: date) -> Iterator[Fact]:
    for resource in entries.of("Observation"):
        view = resource.view
        if not isinstance(view, Observation) or view.status in TABLE.unusable:
            continue
        kind = _answered_kind(view, terminology)
        period = view.effectivePeriod
        days = written_days(view.effectiveDateTime or (period.start or period.end if period else None) or view.issued)
        if kind and not (days and days.first > today):
            said = terminology.meaning(view.valueCodeableConcept).quoted or view.valueString or kind.replace("_", " ")
            asked = terminology.meaning(view.code).quoted
            evidence = Evidence(resource.reference, f"{resource.path}.code", f"{asked}: {said[:LONGEST_WORDS]}")
            yield Fact(kind=kind, days=days, recorded=written_days(view.issued), evidence=evidence)


def _answered_kind(observation: Observation, terminology: Terminology) -> str | None:
    """Return the kind of fact that an Observation states: the question's own name where its answer is not understood."""
    asked = {concept.normal for concept in terminology.context(observation.code, "condition", "observation")}
    answered = {concept.normal for concept in terminology.context(observation.valueCodeableConcept)}
    question = min(asked.intersection(TABLE.answers), default=None)
    gene = min(asked & TABLE.genes, default=None)
    if not question and answered & TABLE.genes:
        return min(answered & TABLE.genes) if "family_history_only" not in asked else None
    if not question and not gene:
        return None
    said = answers_in(observation, terminology)
    if question:
        found = {kind for kind, words in TABLE.answers[question].items() if kind in answered or said & words}
    else:
        found = _gene(gene, observation, said) if gene else set[str]()
    if len(found) == 1:
        return found.pop()
    unanswered = not said or observation.dataAbsentReason or said & TABLE.unknown_answers
    return None if unanswered else question or "germline_question"


def _gene(gene: str, observation: Observation, said: frozenset[str]) -> set[str]:
    """Return what the answer makes of a gene that is itself the question; without any value it is the statement."""
    if not said:
        measured = observation.valueQuantity or observation.valueRange or observation.valueInteger is not None
        return set() if measured or observation.dataAbsentReason else {gene}
    denied, found = bool(said & TABLE.gene_answers["not_found"]), bool(said & TABLE.gene_answers["found"])
    if denied == found:
        return set()
    return {"brca_negative"} if denied else {gene}


def _device_facts(entries: Entries, terminology: Terminology) -> Iterator[Fact]:
    for resource in entries.of("Device"):
        view = resource.view
        if isinstance(view, Device) and view.status not in TABLE.unusable:
            implants = (item for item in terminology.context(view.type, "condition") if item.normal == "implant")
            for kind in dict.fromkeys(item.normal for item in implants):
                laterality, _ = agreed_side(map(side_in_words, _texts(view.type)))
                gone = view.status in TABLE.device_gone
                text = _quoted(view.type, kind, terminology)
                yield Fact(
                    kind=kind,
                    laterality=laterality,
                    ended=gone,
                    active=not gone,
                    evidence=Evidence(resource.reference, f"{resource.path}.type", text),
                )


def _quoted(code: CodeableConcept | None, kind: str, terminology: Terminology) -> str:
    """Return words and code as sent; a code without words gets the word that it stands for."""
    sent = terminology.meaning(code).quoted
    return sent if next(_texts(code), None) else f"{kind.replace('_', ' ')} ({sent})"
