"""A valid request for each service, the same chart in all of them; tests change what they are about."""

from __future__ import annotations

import copy
import json
from typing import Any

from cds_service.hooks.services import SERVICES
from tests.cds_service.conftest import REQUEST, TODAY

Body = dict[str, Any]

BASE = "/cds-services"
PATIENT = REQUEST["context"]["patientId"]
SECRETS = ("opaque-token-for-the-ehr", "Sample", "Greta", "12 Mill Lane", "1964-09-11", "3107-22")
"""The access token, and who the patient is: no error may repeat them."""

HOOKS = {offered.service.hook: f"{BASE}/{name}" for name, offered in SERVICES.items()}
"""Each hook that is served, with the path of its service."""

SCREENING = {
    "resourceType": "ServiceRequest", "id": "draft-1", "status": "draft", "intent": "order",
    "code": {"coding": [{"system": "http://loinc.org", "code": "24606-6", "display": "MG Breast Screening"}]},
    "subject": {"reference": f"Patient/{PATIENT}"}, "authoredOn": TODAY.isoformat(),
}  # fmt: skip
"""A screening mammogram where the chart calls for a biopsy: the hooks on orders have something to say."""

BOOKING = {
    "resourceType": "Appointment", "id": "a1", "status": "proposed", "start": "2026-02-20T09:00:00+01:00",
    "serviceType": [{"coding": [{"system": "http://loinc.org", "code": "24606-6"}], "text": "Screening mammogram"}],
    "participant": [{"actor": {"reference": f"Patient/{PATIENT}"}, "status": "tentative"}],
}  # fmt: skip

REPORT: Body = REQUEST["prefetch"]["reports"]["entry"][0]["resource"]
FINDING: Body = REQUEST["prefetch"]["observations"]["entry"][0]["resource"]
PLAYED_DOWN: list[Body] = [
    {
        **{name: value for name, value in REPORT.items() if name != "conclusionCode"},
        "status": "preliminary",
        "conclusion": "Left breast: BI-RADS 2.",
        "result": [{"reference": f"Observation/{FINDING['id']}"}],
    },
    {**FINDING, "component": [part for part in FINDING["component"] if "RDE1586" not in json.dumps(part)]},
]
"""A report that is about to be signed, with a category that its finding contradicts."""

CONTEXT: Body = {
    "encounterId": "e-52",
    "selections": ["ServiceRequest/draft-1"],
    "draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": SCREENING}]},
    "appointments": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": BOOKING}]},
    "reportId": REPORT["id"],
    "results": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": item} for item in PLAYED_DOWN]},
}
"""What the contexts of all hooks hold beside user and patient: what a hook does not define, it ignores."""


def searchset(*resources: object, **members: object) -> Body:
    """Return what a FHIR server answers a search with."""
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", **({"entry": entries} if entries else {}), **members}


def request_for(hook: str) -> Body:
    """Return a request that the service on this hook answers: a chart that calls for a biopsy, and nobody ordered one."""
    request = copy.deepcopy(REQUEST)
    request["prefetch"].update({name: searchset() for name in ("conditions", "procedures", "orders", "appointments")})
    return {**request, "hook": hook, "context": {**request["context"], **copy.deepcopy(CONTEXT)}}
