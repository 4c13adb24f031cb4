"""Orders, appointments, procedures, requests and refusals that concern the breasts (chart logic 1, 5, 5.1, 5.2, 5.4, 7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import cast

import msgspec

from fhir_models.chart.events.named import LONGEST_TEXT, NOTHING_NAMED, Named, Said, act_words, name_words, named
from fhir_models.chart.events.standing import (
    Stand,
    Why,
    condition_stand,
    not_done,
    order_stand,
    refused_clauses,
    stand,
)
from fhir_models.chart.events.words import is_plain, is_talk
from fhir_models.chart.records import Event, Standing
from fhir_models.days import Days, joined_days, written_days
from fhir_models.entries import Entries, Resource, type_and_id
from fhir_models.reading import AFTER_TODAY, Unread
from fhir_models.sides import agreed_side
from fhir_models.terminology import Terminology
from fhir_models.views import (
    Annotation,
    Appointment,
    BodyStructure,
    CodeableConcept,
    CodeableReference,
    Communication,
    Condition,
    Period,
    Procedure,
    Reference,
    ServiceCode,
    ServiceRequest,
    Task,
)
from rules.follow_up import Act
from rules.vocabulary import Laterality

SIDES_DIFFER = "names more than one side"
STATUS_NOT_KNOWN = "its status is missing or not understood"
_RULED_OUT = frozenset({Standing.REFUSED, Standing.CONTRAINDICATED, Standing.NOT_INDICATED})
ACT_NOT_UNDERSTOOD = "concerns a breast, and what is done there was not understood"


class _When(msgspec.Struct, frozen=True):
    days: Days | None = None
    end: Days | None = None
    planned: Days | None = None


def read_events(entries: Entries, terminology: Terminology, today: date) -> tuple[Event, ...]:
    """Return the events that concern the breasts, in the order of their references.

    What concerns a breast and cannot be used is added to `entries.unread`: sides that disagree, a status or an act that
    is not understood, a day after `today`.
    """
    reader = _Reader(entries, terminology, today)
    events = (event for resource in entries.resources.values() for event in reader.read(resource))
    return tuple(sorted(events, key=lambda event: event.resource))


class _Reader(msgspec.Struct):
    entries: Entries
    terminology: Terminology
    today: date

    def read(self, resource: Resource) -> Iterator[Event]:
        """Yield the event that a resource is, if any."""
        match resource.view:
            case Procedure() as view:
                yield from self._procedure(resource, view)
            case ServiceRequest() as view:
                yield from self._order(resource, view)
            case Appointment() as view:
                yield from self._appointment(resource, view)
            case Task() as view:
                yield from self._task(resource, view)
            case Communication() as view:
                yield from self._communication(resource, view)
            case Condition() as view:
                yield from self._condition(resource, view)
            case _:
                return

    def _procedure(self, resource: Resource, view: Procedure) -> Iterator[Event]:
        reasons = _concepts(view.reasonCode, view.reason)
        said = Said(concepts=_given(view.code), sites=view.bodySite or (), reasons=reasons, notes=_notes(view.note))
        what = _by_what_surrounds(named(said, self.terminology))
        if not self._is_one(resource, what):
            return
        why = Why((*_given(view.statusReason), *reasons), _notes(view.note))
        found = stand("Procedure", view.status, what.acts, why, self.terminology)
        if what.marked_undone and found.standing is not None:
            found = not_done(what.acts, why, self.terminology)
        period = view.performedPeriod or view.occurrencePeriod or Period()
        when = _When(
            days=written_days(view.performedDateTime or view.occurrenceDateTime or period.start),
            end=written_days(period.end),
        )
        if found.standing == Standing.PLANNED:
            when = _When(planned=when.days)
        yield from self._event(resource, "procedure", what, found, when, view.basedOn)

    def _order(self, resource: Resource, view: ServiceRequest) -> Iterator[Event]:
        what = self._ordered(resource, view)
        if not self._is_one(resource, what):
            return
        why = Why(_concepts(view.reasonCode, view.reason), _notes(view.note))
        found = order_stand(view.status, view.intent, view.doNotPerform, what.acts, why, self.terminology)
        planned = written_days(view.occurrenceDateTime) or _whole(view.occurrencePeriod)
        when = _When(days=written_days(view.authoredOn), planned=planned)
        yield from self._event(resource, "order", what, found, when, (*(view.basedOn or ()), *(view.replaces or ())))

    def _ordered(self, resource: Resource, view: ServiceRequest) -> Named:
        structure = (
            self.entries.resolve(view.bodyStructure.reference, resource.reference) if view.bodyStructure else None
        )
        parts = structure.view.includedStructure if structure and isinstance(structure.view, BodyStructure) else None
        said = Said(
            concepts=_given(_service(view.code)),
            sites=(*(view.bodySite or ()), *(part.laterality for part in parts or () if part.laterality)),
            reasons=_concepts(view.reasonCode, view.reason),
            extension=view.extension or (),
            details=tuple(_words_in(view.orderDetail or ())),
            notes=_notes(view.note),
        )
        return _by_what_surrounds(named(said, self.terminology))

    def _appointment(self, resource: Resource, view: Appointment) -> Iterator[Event]:
        """A booking for what it says itself, else for what the order that it is based on says."""
        reasons = _concepts(view.reasonCode, view.reason)
        services = tuple(service for item in view.serviceType or () if (service := _service(item)))
        said = Said(concepts=services, words=(view.description,) if view.description else (), reasons=reasons)
        what = named(said, self.terminology)
        if what.acts:
            what = _located(what, self._orders(resource, view.basedOn))
        elif not is_talk(name_words(said)):
            what = _ordered_acts(self._orders(resource, view.basedOn)) or self._by_reason(reasons) or what
        if not self._is_one(resource, what):
            return
        why = Why((*_given(view.cancelationReason), *_given(view.cancellationReason)))
        found = stand("Appointment", view.status, what.acts, why, self.terminology)
        yield from self._event(resource, "appointment", what, found, _When(written_days(view.start)), view.basedOn)

    def _by_reason(self, reasons: Iterable[CodeableConcept]) -> Named | None:
        """Return what a reason in words names where it is the name of an act and nothing else."""
        words = [text for reason in reasons for text in _given_text(reason) if is_plain(text)]
        what = named(Said(words=tuple(words)), self.terminology) if words else NOTHING_NAMED
        return what if what.acts else None

    def _task(self, resource: Resource, view: Task) -> Iterator[Event]:
        """A request for prior images; of any other Task only that the patient refused it, or that it is ruled out."""
        focus = (view.focus,) if view.focus else ()
        said = Said(concepts=_given(view.code), words=(view.description,) if view.description else ())
        what = named(said, self.terminology)
        if not what.acts and not is_talk(name_words(said)):
            what = _ordered_acts(self._orders(resource, focus)) or what
        if not what.acts:
            return
        found = stand("Task", view.status, what.acts, Why(_given(view.statusReason)), self.terminology)
        if Act.COMPARE_PRIORS in what.acts or found.standing in _RULED_OUT:
            when = _When(written_days(view.authoredOn or view.lastModified))
            yield from self._event(resource, "request", what, found, when, focus)

    def _communication(self, resource: Resource, view: Communication) -> Iterator[Event]:
        what = named(Said(concepts=(*_given(view.topic), *(view.category or ()))), self.terminology)
        if Act.COMPARE_PRIORS not in what.acts:
            return
        found = stand("Communication", view.status, what.acts, Why(), self.terminology)
        yield from self._event(resource, "request", what, found, _When(written_days(view.sent)), view.about)

    def _condition(self, resource: Resource, view: Condition) -> Iterator[Event]:
        """A Condition that says that something was not done, where it names what."""
        found = condition_stand(view, self.terminology)
        if found.standing is None:
            return
        texts = (*_given_text(view.code), *_notes(view.note))
        said = Said(words=(refused_clauses(texts),), sites=view.bodySite or ())
        what = named(said, self.terminology, refusal=True)
        acts = what.acts - {Act.OTHER}
        if acts:
            what = msgspec.structs.replace(what, acts=acts, text=texts[0][:LONGEST_TEXT])
            when = _When(written_days(view.onsetDateTime or (view.onsetPeriod or Period()).start or view.recordedDate))
            yield from self._event(resource, "condition", what, found, when, None)

    def _is_one(self, resource: Resource, what: Named) -> bool:
        """Whether acts were named; a breast with an act that was not understood is reported."""
        if what.unclear:
            self._unread(resource, ACT_NOT_UNDERSTOOD)
        return bool(what.acts)

    def _event(
        self,
        resource: Resource,
        kind: str,
        what: Named,
        found: Stand,
        when: _When,
        based_on: Iterable[Reference] | None,
    ) -> Iterator[Event]:
        if not found.known:
            self._unread(resource, STATUS_NOT_KNOWN)
        if found.standing is None:
            return
        if kind != "appointment" and when.days and not when.days.is_past(self.today):
            self._unread(resource, AFTER_TODAY)
            return
        if what.conflict:
            self._unread(resource, SIDES_DIFFER)
        targets = {self._target_name(named.reference, resource) for named in based_on or () if named.reference}
        yield Event(
            resource=resource.reference,
            path=resource.path,
            kind=kind,
            acts=what.acts,
            standing=found.standing,
            laterality=what.laterality,
            place=what.place,
            days=when.days,
            end=when.end,
            planned=when.planned,
            text=what.text or act_words(what.acts),
            reason=found.reason,
            based_on=tuple(sorted(targets)),
            conflict=what.conflict,
        )

    def _target_name(self, reference: str, resource: Resource) -> str:
        """Return the reference of what is named, also where it was not received: type and id."""
        target = self.entries.resolve(reference, resource.reference)
        return target.reference if target else type_and_id(reference)

    def _targets(self, resource: Resource, references: Iterable[Reference] | None) -> Iterator[Resource]:
        for reference in references or ():
            if target := self.entries.resolve(reference.reference, resource.reference):
                yield target

    def _orders(self, resource: Resource, references: Iterable[Reference] | None) -> list[Named]:
        targets = self._targets(resource, references)
        return [self._ordered(target, view) for target in targets if isinstance(view := target.view, ServiceRequest)]

    def _unread(self, resource: Resource, why: str) -> None:
        self.entries.unread.append(Unread(resource.reference, resource.path, why))


def _ordered_acts(orders: Iterable[Named]) -> Named | None:
    """Return what orders are for together; their place where there is one order."""
    orders = [order for order in orders if order.acts]
    if len(orders) < 2:
        return orders[0] if orders else None
    acts = frozenset[Act]().union(*(order.acts for order in orders))
    return _with_side(Named(acts=acts, text=act_words(acts)), orders)


def _located(what: Named, orders: list[Named]) -> Named:
    """Return what was named, with the side that it lacks, and the place of its one order on that side."""
    if what.conflict:
        return what
    if what.laterality == Laterality.UNKNOWN:
        return _with_side(what, orders)
    same = len(orders) == 1 and orders[0].laterality == what.laterality
    return msgspec.structs.replace(what, place=orders[0].place) if same else what


def _with_side(what: Named, orders: Iterable[Named]) -> Named:
    """Return what was named with the side of the orders, and of the reasons; none where these disagree."""
    orders = list(orders)
    laterality, differs = agreed_side((what.reason_side, *(order.laterality for order in orders)))
    conflict = differs or any(order.conflict for order in orders)
    if conflict:
        laterality = Laterality.UNKNOWN
    place = orders[0].place if len(orders) == 1 else what.place
    place = msgspec.structs.replace(place, laterality=laterality, side_conflict=conflict)
    return msgspec.structs.replace(what, laterality=laterality, conflict=conflict, place=place)


def _by_what_surrounds(what: Named) -> Named:
    """Return what was named, with the side that its reason or a note gives where nothing else gives one."""
    if what.conflict or what.laterality != Laterality.UNKNOWN or what.reason_side == Laterality.UNKNOWN:
        return what
    place = msgspec.structs.replace(what.place, laterality=what.reason_side)
    return msgspec.structs.replace(what, laterality=what.reason_side, place=place)


def _words_in(details: Iterable[object], depth: int = 4) -> Iterator[str]:
    """Yield the words and codes of order details, which R4 gives as concepts and R5 as parameters."""
    for detail in details:
        if isinstance(detail, str):
            yield detail
        elif isinstance(detail, dict) and depth:
            members = cast("dict[str, object]", detail)
            inner = [value for name, value in members.items() if name not in ("system", "url", "id", "extension")]
            yield from _words_in(inner, depth - 1)
        elif isinstance(detail, list) and depth:
            yield from _words_in(cast("list[object]", detail), depth - 1)


def _given(concept: CodeableConcept | None) -> tuple[CodeableConcept, ...]:
    return (concept,) if concept is not None else ()


def _given_text(concept: CodeableConcept | None) -> tuple[str, ...]:
    return (concept.text,) if concept is not None and concept.text else ()


def _service(service: ServiceCode | None) -> CodeableConcept | None:
    """Return the concept of what is ordered, in R4 and R5."""
    if service is None:
        return None
    return service.concept or CodeableConcept(coding=service.coding, text=service.text)


def _concepts(
    codes: Iterable[CodeableConcept] | None, references: Iterable[CodeableReference] | None
) -> tuple[CodeableConcept, ...]:
    """Return the concepts of R4's reasonCode and R5's reason."""
    return (*(codes or ()), *(item.concept for item in references or () if item.concept is not None))


def _notes(notes: Iterable[Annotation] | None) -> tuple[str, ...]:
    return tuple(note.text for note in notes or () if note.text)


def _whole(period: Period | None) -> Days | None:
    return joined_days(written_days(period.start), written_days(period.end)) if period else None
