"""What became of each prefetch key: it came, was fetched, is missing or failed, and why. Safe in metrics and errors."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec

from cds_service.protocol.authorization import TokenFault


class Reason(StrEnum):
    """Why a key was not obtained, or not wholly. No member says anything of a patient.

    Nothing was asked: NO_SERVER, NOT_REGISTERED (the client may not name this server), NO_VALUE
    (the query needs a field that the context has not). The server did not answer: TIMEOUT, UNREACHABLE. It refused:
    UNAUTHORIZED, NOT_FOUND, REFUSED, SERVER_ERROR, REDIRECTED. Its answer is no use: NOT_FHIR, WRONG_TYPE, ERROR_OUTCOME,
    COMPRESSED, TOO_LARGE. It is a part only: CUT_OFF (more than it shows, and no way on), LINK_NOT_FOLLOWED (leads away
    from the server), TOO_MANY (pages or resources).
    """

    NO_SERVER = "no fhirServer"
    NOT_REGISTERED = "not registered"
    NO_VALUE = "not in context"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    UNAUTHORIZED = "unauthorized"
    NOT_FOUND = "not found"
    REFUSED = "refused"
    SERVER_ERROR = "server error"
    REDIRECTED = "redirected"
    NOT_FHIR = "not FHIR"
    WRONG_TYPE = "wrong type"
    ERROR_OUTCOME = "error outcome"
    COMPRESSED = "compressed"
    TOO_LARGE = "too large"
    CUT_OFF = "cut off"
    LINK_NOT_FOLLOWED = "link not followed"
    TOO_MANY = "too many"


class KeyFate(msgspec.Struct, frozen=True):
    """How a key was answered: by prefetch (hit), by the client's FHIR server (fetched), not at all, or with an error.

    `reason` is why it could not be fetched; of a hit or fetched key, why only a part of it is there. `sent` is what prefetch
    had of it: nothing, or something that does not answer it ("unusable"), or that does.
    """

    key: str
    outcome: Literal["hit", "fetched", "missing", "failed"]
    reason: Reason | TokenFault | None = None
    sent: Literal["absent", "unusable", "answer"] = "absent"
