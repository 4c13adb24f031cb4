"""Faults of fetching."""

from tests.cds_service.doctor.planting import CRASH, SILENT, Planted, called, skipping, status, when


def _unusable(told):
    return CRASH(told) if told.status == 412 else told


def _silent(told):
    return SILENT(told) if told.status == 412 else told


_fetching = called(lambda call: "fhirServer" in call)

FAULTS: list[Planted] = [
    (
        "fetched in vain",
        when(_fetching, lambda told: status(412)(told) if told.status == 200 else told),
        ("fhir.used",),
    ),
    ("no token", skipping("no-token"), ("fhir.token",)),
    ("holes are not filled", skipping("holes"), ("fhir.rest-of-prefetch",)),
    ("upstream errors are 500", when(_fetching, _unusable), ("fhir.unusable", "fhir.slow", "fhir.hanging")),
    ("upstream errors are silence", when(_fetching, _silent), ("fhir.unusable", "fhir.hanging")),
    ("redirects are followed", skipping("redirects"), ("fhir.redirect",)),
    ("next is followed anywhere", skipping("strays"), ("fhir.foreign-next",)),
    ("any server is called", skipping("any-server"), ("fhir.unregistered",)),
    ("no deadline", skipping("patient"), ("fhir.slow", "fhir.hanging")),
    ("endless", skipping("endless"), ("fhir.endless-paging",)),
]
