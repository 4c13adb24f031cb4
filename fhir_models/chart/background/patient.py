"""Sex, age and death: what the Patient says, and sex as an Observation states it. Gender identity is no sex."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from fhir_models.chart.background.statements import answers_in, words_of
from fhir_models.chart.background.table import TABLE
from fhir_models.days import months_between, written_days
from fhir_models.entries import Entries, Resource
from fhir_models.reading import Evidence, ReadPatient, Unread
from fhir_models.terminology import Terminology, plain_system
from fhir_models.views import CodeableConcept, Coding, Extension, Observation, Patient
from rules.vocabulary import Sex

_FEMALE_OR_MALE = (Sex.FEMALE.value, Sex.MALE.value)
_QUESTIONS = frozenset((plain_system(system), code) for system, code in TABLE.sex.questions)


def patient_copies(entries: Entries, patient_id: str | None) -> tuple[tuple[Resource, Patient], ...]:
    """Return the Patient as received, every copy of it; a contained one only where there is no other."""
    found = [(resource, resource.view) for resource in entries.of("Patient") if isinstance(resource.view, Patient)]
    own = [item for item in found if patient_id is None or item[1].id in (None, patient_id)]
    return tuple([item for item in own if "#" not in item[0].reference] or own)


def deceased_patient(copies: Iterable[tuple[Resource, Patient]]) -> str | None:
    """Return the Patient that says it has died: deceasedBoolean true, or any deceasedDateTime (chart logic 3.14)."""
    for resource, patient in copies:
        if "#" not in resource.reference and (patient.deceasedBoolean or patient.deceasedDateTime):
            return f"Patient/{patient.id}" if patient.id else resource.reference
    return None


def age_on(
    today: date, copies: Sequence[tuple[Resource, Patient]], entries: Entries, patient: ReadPatient | None
) -> int | None:
    """Return the age in whole years; of a birth date in part, the least that it may be. None where it is unknown."""
    stated = [(view.birthDate, resource.path) for resource, view in copies if view.birthDate]
    stated += [(patient.birth_date, "$")] if patient and patient.birth_date and not stated else []
    for text, path in stated:
        days = written_days(text)
        if days is None or days.first > today:
            entries.unread.append(Unread("Patient", f"{path}.birthDate", "is no date of birth"))
        else:
            return max(0, months_between(days.last, today) // 12)
    return None


def sex_of(
    copies: Sequence[tuple[Resource, Patient]], entries: Entries, terminology: Terminology, patient: ReadPatient | None
) -> tuple[str, Evidence | None]:
    """Return the sex and what says it: sex at birth, else an Observation, else the administrative gender."""
    for end, system in TABLE.sex.extensions:
        for resource, view in copies:
            for text, concept in _extended(view.extension or (), end, system):
                if sex := _sex_in(concept, words_of(concept), terminology):
                    return sex, Evidence(resource.reference, f"{resource.path}.extension", text)
    if observed := _observed_sex(entries, terminology):
        return observed
    for resource, view in copies:
        if view.gender in tuple(Sex) and view.gender:
            return view.gender, Evidence(resource.reference, f"{resource.path}.gender", view.gender)
    return (patient.sex if patient else str(Sex.UNKNOWN)), None


def _extended(extensions: Iterable[Extension], end: str, system: str) -> Iterator[tuple[str, CodeableConcept]]:
    """Yield what the extensions of a url state, as words for the evidence and as a concept."""
    for extension in extensions:
        if (extension.url or "").partition("|")[0].endswith(f"/{end}"):
            codings = (Coding(system, extension.valueCode) if extension.valueCode else None, extension.valueCoding)
            concept = extension.valueCodeableConcept or CodeableConcept(tuple(filter(None, codings)))
            sent = (*(coding.code for coding in concept.coding or ()), concept.text)
            yield f"{end}: {', '.join(text for text in sent if text)}", concept


def _observed_sex(entries: Entries, terminology: Terminology) -> tuple[str, Evidence] | None:
    """Return the sex that the newest Observation of it states, None where those of one day disagree."""
    found: list[tuple[date, str, Evidence]] = []
    for resource in entries.of("Observation"):
        view = resource.view
        if isinstance(view, Observation) and _asks_sex(view) and view.status not in TABLE.unusable:
            said = answers_in(view, terminology)
            if sex := _sex_in(view.valueCodeableConcept, said, terminology):
                days = written_days(view.effectiveDateTime or view.issued)
                evidence = Evidence(resource.reference, f"{resource.path}.value", ", ".join(sorted(said)))
                found.append((days.last if days else date.min, sex, evidence))
    newest = [item for item in found if item[0] == max(day for day, _, _ in found)]
    return newest[0][1:] if len({sex for _, sex, _ in newest}) == 1 else None


def _asks_sex(observation: Observation) -> bool:
    codings = observation.code.coding or () if observation.code else ()
    return any((plain_system(coding.system or ""), coding.code) in _QUESTIONS for coding in codings)


def _sex_in(concept: CodeableConcept | None, said: frozenset[str], terminology: Terminology) -> str | None:
    named = {item.normal for item in terminology.context(concept, "sex")}.intersection(_FEMALE_OR_MALE)
    for sex, words in ((Sex.FEMALE, TABLE.sex.female), (Sex.MALE, TABLE.sex.male)):
        if said & words:
            named.add(sex.value)
    return next(iter(named)) if len(named) == 1 else None
