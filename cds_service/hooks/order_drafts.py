"""The orders being placed that concern a breast of this patient, and which of them a suggestion may touch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from cds_service.hooks.context_bundle import bundle_resources
from cds_service.hooks.fhir_version import refuse_old_orders
from cds_service.hooks.service_call import CallContext
from cds_service.protocol.hook_request import HookRequest
from fhir_models.chart.events.read import read_events
from fhir_models.chart.records import Event
from fhir_models.days import LAST_YEAR
from fhir_models.entries import Located, read_entries
from fhir_models.patients import set_aside_others

ANY_DAY = date(LAST_YEAR, 12, 31)
"""An order being placed is one of now, whatever day it carries."""


class Draft(msgspec.Struct, frozen=True):
    """An order being placed. `name` is its type and id as the client names it.

    `resource` is what the client sent, None where nothing may be done with it: it is not in draft, has no id of its own, or
    does not say that it is this patient's.
    """

    event: Event
    name: str
    resource: Mapping[str, Any] | None


def draft_resources(request: HookRequest, context: CallContext) -> list[Located]:
    """Return the orders being placed, with their paths; one that states no status is in draft, as where it stands says.

    Raises:
        RequestError: 413, more than can be read.
    """
    located = bundle_resources(request, "draftOrders", context.max_resources)
    return [item._replace(resource={"status": "draft", **item.resource}) for item in located]


def breast_drafts(request: HookRequest, context: CallContext) -> tuple[Draft, ...]:
    """Return the orders being placed that concern a breast of this patient.

    Raises:
        RequestError: 412 an order of FHIR before R4, 413 more than can be read.
    """
    located = draft_resources(request, context)
    refuse_old_orders(located)
    sent = {path: resource for path, resource, _ in located}
    entries = read_entries(located)
    untold = set_aside_others(entries, request.patient_id)
    names = Counter(name_of(resource) for resource in sent.values())
    drafts: list[Draft] = []
    for event in read_events(entries, context.knowledge.terminology, ANY_DAY):
        resource = sent.get(event.path)
        name = name_of(resource) if resource else None
        whose = event.resource not in untold and entries.resources[event.resource].has_subject
        own = whose and names[name] == 1 and event.kind == "order"
        in_draft = resource is not None and resource.get("status") == "draft"
        drafts.append(Draft(event, name or event.resource, resource if name and own and in_draft else None))
    return tuple(drafts)


def name_of(resource: Mapping[str, Any]) -> str | None:
    """Return type and id as the client wrote them: some ids are longer than FHIR allows."""
    name, identity = resource.get("resourceType"), resource.get("id")
    return f"{name}/{identity}" if isinstance(identity, str) and identity else None
