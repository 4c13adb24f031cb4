"""What a service asks an EHR for: prefetch keys and query templates.

Every query stays inside the subset that CDS Hooks asks clients to support: a read, or a search of one type by patient,
token and date with `_sort` and `_count`. Windows in time are applied by the service, as few clients know `today()`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec


class PrefetchKey(msgspec.Struct, frozen=True):
    """A key with its query, and what its absence means.

    `types` are the resource types that answer it under any key; without any, only its own name does, and what comes under
    that name answers no other. `failure`: of the keys that are required at least one must be obtained, if only with an
    empty result, else the call is answered with 412; a card names what is missing of those that are named; without a
    silent one nothing is claimed, so its absence is not worth a line on a card.
    """

    name: str
    query: str
    types: tuple[str, ...]
    failure: Literal["required", "named", "silent"] = "named"


PATIENT_CHART = (
    PrefetchKey("patient", "Patient/{{context.patientId}}", ("Patient",)),
    PrefetchKey(
        "reports",
        "DiagnosticReport?patient={{context.patientId}}&_sort=-date&_count=100",
        ("DiagnosticReport", "Composition"),
        failure="required",
    ),
    PrefetchKey(
        "observations",
        "Observation?patient={{context.patientId}}&category=imaging&_sort=-date&_count=200",
        ("Observation",),
        failure="required",
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
        failure="silent",
    ),
)
"""The chart around a finding: what was seen, what is known, what is already under way."""


def required(keys: Iterable[PrefetchKey]) -> tuple[str, ...]:
    """Return the names of the keys of which at least one must be obtained."""
    return tuple(key.name for key in keys if key.failure == "required")


def queries(keys: Iterable[PrefetchKey]) -> Mapping[str, str]:
    """Return the query of each key, as discovery shows them."""
    return {key.name: key.query for key in keys}
