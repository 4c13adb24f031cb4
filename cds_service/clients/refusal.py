"""Refusals: the caller learns nothing but the status; the operator finds the reason in the log, as one of a few words."""

from __future__ import annotations

from enum import StrEnum

from cds_service.errors import Issue, RequestError
from cds_service.log_lines import LOGGER


class Reason(StrEnum):
    """Why a call was not admitted."""

    NO_TOKEN = "no_token"  # noqa: S105
    """No Authorization header, or one of another scheme."""
    MALFORMED = "malformed"
    """Several Authorization headers, too long, not a signed JWT in compact form, or a member of the wrong type."""
    MISSING_CLAIM = "missing_claim"
    """Without one of iss, aud, exp, iat, jti."""
    TYPE = "type"
    CRITICAL = "critical"
    """The header names an extension that has to be understood (`crit`)."""
    ALGORITHM = "algorithm"
    ISSUER = "issuer"
    """No client has this issuer."""
    TENANT = "tenant"
    KEY_URL = "key_url"
    """`jku` is not the key server of the client."""
    NO_KEYS = "no_keys"
    """No key of the client is known: its key server has not answered yet, or not for long."""
    KEY_ID = "key_id"
    """No key of the client fits `kid` and the algorithm."""
    SIGNATURE = "signature"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    AUDIENCE = "audience"
    LIFETIME = "lifetime"
    """Valid for longer than the client may ask for, or not at all."""
    SERVICE = "service"
    """The client may not call this service."""
    REPLAYED = "replayed"


class RefusalError(Exception):
    """The reason why a token is not accepted."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def refuse(reason: Reason, client_id: str | None, path: str) -> RequestError:
    """Log a refusal and return its error: 403 for a service that the client may not call, else 401.

    `path` must be one of the service's own.
    """
    LOGGER.warning("refused", extra={"fields": {"reason": reason, "client": client_id, "path": path}})
    if reason == Reason.SERVICE:
        return RequestError(403, Issue("forbidden", "this client may not call this service"))
    challenge = "Bearer" if reason == Reason.NO_TOKEN else 'Bearer error="invalid_token"'
    return RequestError(401, Issue("login", "not authenticated"), headers={"WWW-Authenticate": challenge})
