"""A client's JSON Web Token: read without trust to find whose it says it is, then verified with that client's keys."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import cast

import jwt
import msgspec
from jwt.utils import base64url_decode

from cds_service.clients.refusal import Reason, RefusalError
from fhir_models.strict_json import JsonError, parse_json

MAX_TOKEN = 8192
"""Longest token in characters; those of EHRs have about 1000."""

LEEWAY_SECONDS = 60
"""By how much the clocks of client and service may differ."""

REQUIRED = ("iss", "aud", "exp", "iat", "jti")
_BEARER = re.compile(rb"bearer +([A-Za-z0-9._~+/-]+=*) *", re.IGNORECASE)

_REASONS: Mapping[type[jwt.PyJWTError], Reason] = {
    jwt.InvalidSignatureError: Reason.SIGNATURE,
    jwt.ExpiredSignatureError: Reason.EXPIRED,
    jwt.ImmatureSignatureError: Reason.NOT_YET_VALID,
    jwt.InvalidAudienceError: Reason.AUDIENCE,
    jwt.InvalidAlgorithmError: Reason.ALGORITHM,
}


class Header(msgspec.Struct, frozen=True):
    """What a token says of its signature. Keys that it brings along (`jwk`, `x5c`, `x5u`) are not even read."""

    alg: str
    kid: str | None = None
    typ: str | None = None
    jku: str | None = None
    crit: object = None


class Claims(msgspec.Struct, frozen=True):
    """What a token says; times are seconds since 1970."""

    iss: str
    aud: str | list[str]
    exp: int | float
    iat: int | float
    jti: str
    nbf: int | float | None = None
    tenant: str | None = None


class Token(msgspec.Struct, frozen=True):
    """A token as it came, nothing of it verified."""

    encoded: str
    header: Header
    claims: Claims


def bearer_token(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Return what the Authorization header presents; None without one, or with one of another scheme.

    Raises:
        RefusalError: several headers, or what is presented cannot be a token.
    """
    values = [value for name, value in headers if name.lower() == b"authorization"]
    if len(values) > 1:
        raise RefusalError(Reason.MALFORMED)
    if not values or values[0].split(b" ", 1)[0].lower() != b"bearer":
        return None
    presented = _BEARER.fullmatch(values[0])
    if presented is None or len(presented[1]) > MAX_TOKEN:
        raise RefusalError(Reason.MALFORMED)
    return presented[1].decode("ascii")


def read_token(encoded: str) -> Token:
    """Read a token without trusting it.

    Raises:
        RefusalError: not a signed JWT, a claim is missing, or the header asks for what this service does not do.
    """
    parts = encoded.split(".")
    if len(parts) != 3:
        raise RefusalError(Reason.MALFORMED)
    stated = _object(parts[1])
    if any(stated.get(name) in (None, "", []) for name in REQUIRED):
        raise RefusalError(Reason.MISSING_CLAIM)
    try:
        header = msgspec.convert(_object(parts[0]), Header)
        claims = msgspec.convert(stated, Claims)
    except msgspec.ValidationError:
        raise RefusalError(Reason.MALFORMED) from None
    if header.crit is not None:
        raise RefusalError(Reason.CRITICAL)
    if header.typ is not None and header.typ.upper() != "JWT":
        raise RefusalError(Reason.TYPE)
    return Token(encoded, header, claims)


def verify_token(token: Token, keys: Sequence[jwt.PyJWK], audiences: Collection[str], longest: int) -> None:
    """Check signature, times and audience; `longest` is the most seconds that a token may live.

    Raises:
        RefusalError: with the reason.
    """
    refusal = Reason.KEY_ID
    for key in keys:
        try:
            jwt.decode(
                token.encoded,
                key,
                algorithms=[key.algorithm_name],
                audience=list(audiences),
                leeway=LEEWAY_SECONDS,
                options={"require": list(REQUIRED), "enforce_minimum_key_length": True},
            )
        except jwt.PyJWTError as error:
            refusal = _REASONS.get(type(error), Reason.MALFORMED)
        else:
            if not 0 < token.claims.exp - token.claims.iat <= longest:
                raise RefusalError(Reason.LIFETIME)
            return
    raise RefusalError(refusal)


def _object(part: str) -> dict[str, object]:
    """Decode a part strictly: two members of one name could mean one thing here and another to the verifier."""
    try:
        decoded = parse_json(base64url_decode(part))
    except (ValueError, JsonError):
        raise RefusalError(Reason.MALFORMED) from None
    if not isinstance(decoded, dict):
        raise RefusalError(Reason.MALFORMED)
    return cast("dict[str, object]", decoded)
