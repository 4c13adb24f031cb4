"""`fhirAuthorization`: a token for the client's FHIR server, and whether it may be used for this call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

import msgspec
from pydantic import SecretStr

_VISIBLE = re.compile(r"[\x21-\x7e]+")
"""What a header can carry: a line break in it would start another one."""


class TokenFault(StrEnum):
    """Why a token that came is not used."""

    NOT_BEARER = "not a bearer token"
    EXPIRED = "token expired"
    OTHER_PATIENT = "token of another patient"


class Authorization(msgspec.Struct, frozen=True):
    """The token, if one came that may be used, or why the one that came may not. Neither: the server may be open."""

    token: SecretStr | None = None
    fault: TokenFault | None = None


def read_authorization(sent: Mapping[str, object], patient_id: str) -> Authorization:
    """Return the token, or why it is not used. `scope` and `subject` are not looked at; `patient` need not be there."""
    if not sent:
        return Authorization()
    token, kind, seconds = (sent.get(name) for name in ("access_token", "token_type", "expires_in"))
    bearer = kind is None or (isinstance(kind, str) and kind.strip().lower() == "bearer")
    if not bearer or not isinstance(token, str) or not _VISIBLE.fullmatch(token):
        return Authorization(fault=TokenFault.NOT_BEARER)
    if isinstance(seconds, int | float) and seconds <= 0:
        return Authorization(fault=TokenFault.EXPIRED)
    patient = sent.get("patient")
    if patient is not None and patient not in (patient_id, f"Patient/{patient_id}"):
        return Authorization(fault=TokenFault.OTHER_PATIENT)
    return Authorization(token=SecretStr(token))
