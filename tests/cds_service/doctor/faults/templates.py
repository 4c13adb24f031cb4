"""Faults of prefetch templates."""

from tests.cds_service.doctor.little_service import Fault
from tests.cds_service.doctor.planting import Planted, in_discovery


def _template(text: str) -> Fault:
    return in_discovery(lambda service: service["prefetch"].update(reports=text))


_BY_PATIENT = "Observation?patient={{context.patientId}}"

FAULTS: list[Planted] = [
    ("an operation", _template("Patient/{{context.patientId}}/$everything"), ("templates.form",)),
    ("a leading slash", _template("/Patient/{{context.patientId}}"), ("templates.form",)),
    ("an absolute URL", _template("https://fhir.example.org/Patient/1"), ("templates.form",)),
    ("a token of before 1.0", _template("Observation?patient={{Patient.id}}"), ("templates.tokens",)),
    (
        "an open token",
        _template("Patient/{{context.patientId"),
        ("templates.tokens", "templates.form", "templates.characters"),
    ),
    ("into a resource", _template("Observation?patient={{context.draftOrders.id}}"), ("templates.token-field",)),
    ("a field of another hook", _template("Observation?patient={{context.reportId}}"), ("templates.token-field",)),
    ("today()", _template(f"{_BY_PATIENT}&date=ge{{{{today()}}}}"), ("templates.no-fhirpath",)),
    ("an optional field", _template("Observation?encounter={{context.encounterId}}"), ("templates.always-filled",)),
    ("_include", _template(f"{_BY_PATIENT}&_include=Observation:subject"), ("templates.subset",)),
    ("a chain", _template("Observation?patient.name=x"), ("templates.subset",)),
    (":not", _template("Observation?status:not=final"), ("templates.subset",)),
    ("sorted as in DSTU1", _template(f"{_BY_PATIENT}&_sort:desc=date"), ("templates.subset",)),
    ("a date that is not", _template("Observation?date=ne2020-01-01"), ("templates.subset",)),
    ("two bounds", _template("Observation?date=ge2020-01-01&date=le2021-01-01"), ("templates.no-repeat",)),
    ("a blank", _template("Observation?code=a b"), ("templates.characters",)),
]
