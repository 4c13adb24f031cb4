"""Every way in which the little service can be wrong, a module a section."""

from tests.cds_service.doctor.faults import calls, cards, cors, discovery, feedback, fhir, malformed, templates, trust

FAULTS = [
    *discovery.FAULTS,
    *templates.FAULTS,
    *cors.FAULTS,
    *trust.FAULTS,
    *calls.FAULTS,
    *fhir.FAULTS,
    *cards.FAULTS,
    *malformed.FAULTS,
    *feedback.FAULTS,
]
