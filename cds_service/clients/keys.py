"""The public keys of a client: which of a JWK Set can be used, and which of them a token may have been signed with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK, PyJWTError

from fhir_models.strict_json import JsonError, parse_json

ALGORITHMS = ("ES384", "RS384", "ES256", "RS256")
"""What a client may be allowed: asymmetric only, as CDS Hooks demands."""

MAX_KEYS = 100
_RSA_BITS = range(2048, 8193)
_PUBLIC_MEMBERS = {"EC": ("kty", "crv", "x", "y"), "RSA": ("kty", "n", "e")}
_CURVES = {"P-256": ("ES256",), "P-384": ("ES384",)}


class KeySetError(ValueError):
    """What is wrong with a JWK Set. The message never quotes it."""


class PublicKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key by its id, ready for each algorithm that fits its type and curve."""

    kid: str | None
    by_algorithm: Mapping[str, PyJWK]


def read_key_set(data: bytes) -> tuple[PublicKey, ...]:
    """Return the usable keys of a JWK Set. Keys of other types and uses, short and private ones are left out.

    Raises:
        KeySetError: not a JWK Set, or more than `MAX_KEYS` keys.
    """
    try:
        document = parse_json(data)
    except JsonError:
        raise KeySetError("not JSON") from None
    return keys_of(document)


def keys_of(document: object) -> tuple[PublicKey, ...]:
    """Return the usable keys of a decoded JWK Set.

    Raises:
        KeySetError: not a JWK Set, or more than `MAX_KEYS` keys.
    """
    entries = cast("dict[str, object]", document).get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise KeySetError('not a JWK Set: no member "keys" with a list')
    keys = cast("list[object]", entries)
    if len(keys) > MAX_KEYS:
        raise KeySetError(f"more than {MAX_KEYS} keys")
    found = (_public_key(cast("dict[str, Any]", key)) for key in keys if isinstance(key, dict))
    return tuple(key for key in found if key is not None)


def holds_private_key(document: object) -> bool:
    """Return whether a decoded JWK Set gives a private or symmetric key away."""
    entries = cast("dict[str, Any]", document).get("keys") if isinstance(document, dict) else None
    return any(
        isinstance(key, dict) and not {"d", "k"}.isdisjoint(cast("dict[str, Any]", key)) for key in _list(entries)
    )


def matching_keys(keys: Iterable[PublicKey], kid: str | None, algorithm: str) -> Sequence[PyJWK]:
    """Return the keys that a token of this header may be signed with; without `kid` only if there is no choice."""
    fitting = [key for key in keys if algorithm in key.by_algorithm and kid in (None, key.kid)]
    if kid is None and len(fitting) != 1:
        return ()
    return [key.by_algorithm[algorithm] for key in fitting]


def _public_key(members: Mapping[str, Any]) -> PublicKey | None:
    kty, kid = members.get("kty"), members.get("kid")
    if not (isinstance(kty, str) and kty in _PUBLIC_MEMBERS and isinstance(kid, str | None)):
        return None
    if (
        "d" in members
        or members.get("use", "sig") != "sig"
        or "verify" not in _list(members.get("key_ops", ["verify"]))
    ):
        return None
    public = {name: members[name] for name in _PUBLIC_MEMBERS[kty] if name in members}
    fitting = ("RS384", "RS256") if kty == "RSA" else _CURVES.get(str(members.get("crv")), ())
    wanted = [name for name in fitting if members.get("alg", name) == name]
    try:
        by_algorithm = {name: PyJWK(public, name) for name in wanted}
    except (PyJWTError, TypeError, ValueError, KeyError):
        return None
    if not by_algorithm or any(_is_odd_size(key) for key in by_algorithm.values()):
        return None
    return PublicKey(kid=kid, by_algorithm=by_algorithm)


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _is_odd_size(key: PyJWK) -> bool:
    """A short RSA key can be broken, an endless one takes long to use."""
    return isinstance(key.key, RSAPublicKey) and key.key.key_size not in _RSA_BITS
