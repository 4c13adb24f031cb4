"""Which keys of a JWK Set are used, and for which tokens."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.clients.keys import KeySetError, holds_private_key, keys_of, matching_keys, read_key_set
from tests.cds_service.clients.signing import P256, P384, RSA_KEY, SHORT_RSA, jwk, key_set

POINT_OFF_THE_CURVE = jwk(P384) | {"y": jwk(P384)["x"]}

UNUSABLE: dict[str, dict[str, Any]] = {
    "symmetric": {"kty": "oct", "k": "c2VjcmV0", "kid": "k"},
    "of an unknown type": {"kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": "k"},
    "of an unknown curve": jwk(P384) | {"crv": "P-521"},
    "off its curve": POINT_OFF_THE_CURVE,
    "of another length": jwk(P256) | {"crv": "P-384"},
    "short RSA": jwk(SHORT_RSA),
    "for encryption": jwk(P384, use="enc"),
    "for signing only": jwk(P384, key_ops=["sign"]),
    "with operations that are no list": jwk(P384, key_ops=1),
    "for another algorithm": jwk(RSA_KEY, alg="RSA-OAEP"),
    "for an algorithm of another curve": jwk(P384, alg="ES256"),
    "private, though published": jwk(P384, d="AAAA"),
    "with a number for an id": jwk(P384, kid=None) | {"kid": 7},
    "without coordinates": {"kty": "EC", "crv": "P-384", "kid": "k"},
    "with numbers for coordinates": jwk(P384) | {"x": 5},
    "with a list for a curve": jwk(P384) | {"crv": ["P-384"]},
    "with no type": {"kid": "k"},
    "with a type that is an object": {"kty": {}, "kid": "k"},
}


@pytest.mark.parametrize("key", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_a_key_that_cannot_be_used_is_left_out_and_its_neighbours_serve(key: dict[str, Any]) -> None:
    (usable,) = keys_of(key_set(key, jwk(P384, "good")))
    assert usable.kid == "good"


@pytest.mark.parametrize(
    ("key", "algorithms"),
    [
        (jwk(P384), {"ES384"}),
        (jwk(P256), {"ES256"}),
        (jwk(RSA_KEY), {"RS384", "RS256"}),
        (jwk(RSA_KEY, alg="RS384", use="sig"), {"RS384"}),
        (jwk(P384, key_ops=["verify"]), {"ES384"}),
    ],
)
def test_a_key_serves_the_algorithms_of_its_type_and_curve(key: dict[str, Any], algorithms: set[str]) -> None:
    (usable,) = keys_of(key_set(key))
    assert set(usable.by_algorithm) == algorithms


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!DOCTYPE html><html></html>",
        b"[]",
        b"{}",
        b'{"keys": {}}',
        b'{"keys": [], "keys": []}',
        b"\xff",
        json.dumps(key_set(*[jwk(P384)] * 101)).encode(),
    ],
)
def test_what_is_no_key_set_is_refused(body: bytes) -> None:
    with pytest.raises(KeySetError):
        read_key_set(body)


def test_a_token_without_key_id_gets_a_key_only_if_there_is_no_choice() -> None:
    keys = keys_of(key_set(jwk(P384, "a"), jwk(RSA_KEY, "b")))
    assert len(matching_keys(keys, None, "ES384")) == 1
    assert not matching_keys((*keys, *keys_of(key_set(jwk(P384, "c")))), None, "ES384")
    assert not matching_keys(keys, "a", "RS384")


def test_a_set_with_a_private_key_is_noticed() -> None:
    assert holds_private_key(key_set(jwk(P384), jwk(RSA_KEY, d="AAAA")))
    assert holds_private_key(key_set({"kty": "oct", "k": "AAAA"}))
    assert not holds_private_key(key_set(jwk(P384)))
