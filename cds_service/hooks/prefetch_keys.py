"""What a service asks an EHR for: prefetch keys and query templates.

Every query stays inside the subset that CDS Hooks asks clients to support: a read, or a search of one type by patient,
token and date with `_sort` and `_count`. Windows in time are applied by the service, as few clients know `today()`.
"""

from __future__ import annotations

import msgspec


class PrefetchKey(msgspec.Struct, frozen=True):
    """A key with its query. `types` are the resource types that answer it under any key.

    Without an optional key nothing is claimed, so its absence is not worth a line on a card.
    """

    name: str
    query: str
    types: tuple[str, ...]
    optional: bool = False


PATIENT_CHART = (
    PrefetchKey("patient", "Patient/{{context.patientId}}", ("Patient",)),
    PrefetchKey(
        "reports",
        "DiagnosticReport?patient={{context.patientId}}&_sort=-date&_count=100",
        ("DiagnosticReport", "Composition"),
    ),
    PrefetchKey(
        "observations",
        "Observation?patient={{context.patientId}}&category=imaging&_sort=-date&_count=200",
        ("Observation",),
    ),
    PrefetchKey("conditions", "Condition?patient={{context.patientId}}&_count=200", ("Condition",)),
    PrefetchKey("procedures", "Procedure?patient={{context.patientId}}&_sort=-date&_count=200", ("Procedure",)),
    PrefetchKey(
        "orders", "ServiceRequest?patient={{context.patientId}}&_sort=-authored&_count=100", ("ServiceRequest",)
    ),
    PrefetchKey(
        "appointments",
        "Appointment?patient={{context.patientId}}&_sort=-date&_count=50",
        ("Appointment",),
        optional=True,
    ),
)
"""The chart around a finding: what was seen, what is known, what is already under way."""
