"""An EHR's side of trust: real keys, JWK Sets and tokens."""

from __future__ import annotations

import base64
import json
import time
import uuid
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

BASE = "https://cds.example.org"
SERVICE = "/cds-services/calcification-patient-view"
ISSUER = "https://ehr.example.org"
KID = "k+1/2="
"""Epic's key ids are plain base64."""

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

P384 = ec.generate_private_key(ec.SECP384R1())
OTHER_P384 = ec.generate_private_key(ec.SECP384R1())
P256 = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)
SHORT_RSA = rsa.generate_private_key(65537, 1024)  # noqa: S505  that is what is refused


def jwk(key: PrivateKey, kid: str | None = KID, **members: Any) -> dict[str, Any]:
    """Return the public key as a JWK."""
    algorithm = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    made = json.loads(algorithm.to_jwk(key.public_key()))  # type: ignore[arg-type]
    made.pop("key_ops", None)
    return made | ({"kid": kid} if kid is not None else {}) | members


def key_set(*keys: dict[str, Any]) -> dict[str, Any]:
    return {"keys": list(keys)}


def claims(path: str = SERVICE, **changes: Any) -> dict[str, Any]:
    """Return the claims of a good token of now; a change to None leaves a claim out."""
    now = int(time.time())
    stated = {
        "iss": ISSUER, "aud": BASE + path, "exp": now + 300, "iat": now, "jti": str(uuid.uuid4()), **changes,
    }  # fmt: skip
    return {name: value for name, value in stated.items() if value is not None}


def sign(
    stated: dict[str, Any], key: Any = P384, algorithm: str = "ES384", kid: str | None = KID, **header: Any
) -> str:
    """Return a token."""
    return jwt.encode(stated, key, algorithm, headers={**({"kid": kid} if kid is not None else {}), **header})


def segment(content: object) -> str:
    """Return one part of a token, of JSON or of bytes as they are."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def bearer(token: str, scheme: str = "Bearer") -> list[tuple[bytes, bytes]]:
    return [(b"authorization", f"{scheme} {token}".encode())]
