"""What a report recommends in writing, as far as it is coded: its conclusion codes, and requests shown with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from cds_service.hooks.order_drafts import ANY_DAY
from fhir_models.chart.events.named import Said, named
from fhir_models.chart.events.read import read_events
from fhir_models.entries import Located, read_entries
from fhir_models.patients import set_aside_others
from fhir_models.terminology import Terminology
from fhir_models.views import DiagnosticReport
from rules.follow_up import Act
from rules.vocabulary import Laterality, Management

_MANAGEMENT = (
    (Management.BIOPSY, frozenset({Act.BIOPSY, Act.EXCISION})),
    (Management.DIAGNOSTIC, frozenset({Act.DIAGNOSTIC_MAMMOGRAPHY})),
    (Management.SHORT_INTERVAL, frozenset({Act.SHORT_INTERVAL_FOLLOW_UP})),
    (Management.ROUTINE, frozenset({Act.ROUTINE_FOLLOW_UP, Act.SCREENING_MAMMOGRAPHY})),
)
"""What an act asks for, the most urgent first."""


class Written(msgspec.Struct, frozen=True):
    """A recommendation; the side is unknown where it is the whole report's."""

    management: Management
    laterality: Laterality


def written_management(
    report: Located, shown: Sequence[Located], patient_id: str, terminology: Terminology
) -> list[Written]:
    """Return what is recommended, the most urgent first; `shown` are the resources that came with the report."""
    entries = read_entries([report])
    concepts = (
        concept
        for resource in entries.of("DiagnosticReport")
        if isinstance(view := resource.view, DiagnosticReport)
        for concept in view.conclusionCode or ()
    )
    coded = (named(Said(concepts=(concept,)), terminology) for concept in concepts)
    asked = read_entries(located for located in shown if located.resource.get("resourceType") == "ServiceRequest")
    set_aside_others(asked, patient_id)
    found = [(what.acts, what.laterality) for what in coded]
    found += [(event.acts, event.laterality) for event in read_events(asked, terminology, ANY_DAY)]
    return list(_managements(found))


def _managements(found: Sequence[tuple[frozenset[Act], Laterality]]) -> Iterable[Written]:
    for management, acts in _MANAGEMENT:
        yield from (Written(management, side) for named_acts, side in found if named_acts & acts)
