"""Faults of CORS."""

from tests.cds_service.doctor.little_service import PATH
from tests.cds_service.doctor.planting import Planted, discovered, header, on, status, when

_GET, _POST = on("/cds-services", "OPTIONS"), on(PATH, "OPTIONS")
_ALLOWED = "access-control-allow-headers"

FAULTS: list[Planted] = [
    ("preflight for GET needs a token", when(_GET, status(401)), ("cors.preflight-get",)),
    ("headers *", when(_GET, header(_ALLOWED, "*")), ("cors.preflight-get",)),
    ("no preflight for POST", when(_POST, status(405)), ("cors.preflight-post",)),
    ("no Content-Type", when(_POST, header(_ALLOWED, "Authorization")), ("cors.preflight-post",)),
    ("the answer is not granted", when(discovered, header("access-control-allow-origin", None)), ("cors.answer",)),
    ("no Vary", when(discovered, header("vary", None)), ("cors.vary",)),
    ("credentials", when(discovered, header("access-control-allow-credentials", "true")), ("cors.no-credentials",)),
    ("any origin", when(discovered, header("access-control-allow-origin", "*")), ("cors.foreign-origin",)),
]
