"""JWTs of the doctor as a client: good ones with a fresh jti, and forged ones."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, cast
from uuid import uuid4

import jwt
import msgspec
import orjson
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from cds_service.doctor.fixtures import read_table

Algorithm = Literal["ES384", "RS384"]
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

LIFETIME_SECONDS = 300


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who we say that we are. `audience` is the service's public base URL, without a slash at its end."""

    issuer: str
    key: PrivateKey
    algorithm: Algorithm
    kid: str
    audience: str
    jku: str | None = None
    tenant: str | None = None


class Forgery(msgspec.Struct, frozen=True):
    """A token that must be refused, as a change of a good one (forged_tokens.toml)."""

    check: str
    key: Literal["own", "other", "none", "public", "changed"]
    claims: Mapping[str, str] = {}
    seconds: Mapping[str, int] = {}
    without: tuple[str, ...] = ()
    header: Mapping[str, str] = {}

    @property
    def words(self) -> str:
        """What is wrong with it, in short."""
        changes = (*self.claims, *self.seconds, *(f"no {name}" for name in self.without), *self.header)
        return ", ".join((f"key: {self.key}", *changes))


def load_forgeries() -> list[Forgery]:
    """Return the forged tokens to try."""
    return msgspec.convert(cast("dict[str, object]", read_table("forged_tokens.toml"))["token"], list[Forgery])


def new_key(algorithm: Algorithm) -> PrivateKey:
    """Return a fresh private key."""
    if algorithm == "ES384":
        return ec.generate_private_key(ec.SECP384R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def read_key(path: Path) -> PrivateKey:
    """Read a private key from a PEM file.

    Raises:
        OSError: the file cannot be read.
        ValueError: it holds no RSA key and no EC key on P-384, or is encrypted.
    """
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except TypeError:
        raise ValueError("the key is encrypted") from None
    if isinstance(key, rsa.RSAPrivateKey) or (
        isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp384r1"
    ):
        return key
    raise ValueError("a key has to be RSA or EC on P-384")


def write_key(key: PrivateKey, path: Path) -> None:
    """Write a private key for its owner's eyes; an existing file is not touched.

    Raises:
        OSError: the file is there already, or cannot be written.
    """
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def algorithm_of(key: PrivateKey) -> Algorithm:
    """Return the recommended algorithm for the key."""
    return "RS384" if isinstance(key, rsa.RSAPrivateKey) else "ES384"


def key_set(key: PrivateKey, kid: str) -> bytes:
    """Return the JWKS with the public key, as a service has to know it."""
    public = key.public_key()
    jwk = (
        RSAAlgorithm.to_jwk(public, as_dict=True)
        if isinstance(public, rsa.RSAPublicKey)
        else ECAlgorithm.to_jwk(public, as_dict=True)
    )
    wanted = {name: value for name, value in jwk.items() if name in ("kty", "n", "e", "crv", "x", "y")}
    return orjson.dumps({"keys": [{**wanted, "kid": kid, "alg": algorithm_of(key), "use": "sig"}]})


def key_id(key: PrivateKey) -> str:
    """Return an id that belongs to this key alone."""
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(public).hexdigest()[:16]


def sign(identity: Identity, audience: str | list[str]) -> str:
    """Return a good token for one call."""
    return _encode(_claims(identity, audience), identity.key, identity.algorithm, _header(identity))


def forge(identity: Identity, forgery: Forgery, audience: str, jku: str) -> str:
    """Return a token that a service has to refuse. `jku` is a listener of ours."""
    now = int(time.time())
    claims = _claims(identity, audience) | dict(forgery.claims)
    claims |= {name: now + seconds for name, seconds in forgery.seconds.items()}
    claims = {name: value for name, value in claims.items() if name not in forgery.without}
    header = _header(identity) | {name: value.replace("{jku}", jku) for name, value in forgery.header.items()}
    match forgery.key:
        case "none":
            return jwt.encode(claims, "", algorithm="none", headers=header)
        case "public":
            return _signed_with_public_key(claims, header, identity.key)
        case "other":
            return _encode(claims, new_key(identity.algorithm), identity.algorithm, header)
        case "changed":
            good = _encode(claims, identity.key, identity.algorithm, header)
            place = good.rfind(".") + 5
            return f"{good[:place]}{'A' if good[place] != 'A' else 'B'}{good[place + 1 :]}"
        case "own":
            return _encode(claims, identity.key, identity.algorithm, header)


def _claims(identity: Identity, audience: str | list[str]) -> dict[str, Any]:
    now = int(time.time())
    times = {"iat": now, "exp": now + LIFETIME_SECONDS}
    claims: dict[str, Any] = {"iss": identity.issuer, "aud": audience, "jti": str(uuid4()), **times}
    return claims | ({"tenant": identity.tenant} if identity.tenant else {})


def _header(identity: Identity) -> dict[str, str]:
    header = {"kid": identity.kid, "typ": "JWT"}
    return header | ({"jku": identity.jku} if identity.jku else {})


def _encode(claims: dict[str, Any], key: PrivateKey, algorithm: Algorithm, header: dict[str, str]) -> str:
    return jwt.encode(claims, key, algorithm=algorithm, headers=header)


def _signed_with_public_key(claims: dict[str, Any], header: dict[str, str], key: PrivateKey) -> str:
    """By hand: the library, rightly, refuses to."""
    secret = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    parts = (_base64(orjson.dumps({**header, "alg": "HS256"})), _base64(orjson.dumps(claims)))
    signed = b".".join(parts)
    return b".".join((signed, _base64(hmac.new(secret, signed, hashlib.sha256).digest()))).decode()


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
