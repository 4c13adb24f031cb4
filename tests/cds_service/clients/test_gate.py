"""Which tokens open the gate, and how each of the known attacks fails; real keys, real signatures."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import logging
import time
from collections.abc import Callable
from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.warnings import InsecureKeyLengthWarning

from cds_service.clients.client import Client
from cds_service.clients.gate import DISCOVERY, Gate
from cds_service.clients.key_source import GivenKeys
from cds_service.clients.keys import keys_of
from cds_service.clients.refusal import Reason
from cds_service.clients.registered import OpenClient, Registered, Registry, by_issuer
from cds_service.clients.replay import ProcessMemory
from cds_service.errors import RequestError
from tests.cds_service.clients.key_server import sends_json, serving
from tests.cds_service.clients.signing import (
    BASE,
    ISSUER,
    KID,
    OTHER_P384,
    P256,
    P384,
    RSA_KEY,
    SERVICE,
    SHORT_RSA,
    bearer,
    claims,
    jwk,
    key_set,
    segment,
    sign,
)

KEY_URL = "https://ehr.example.org/jwks.json"
EVIL = "https://evil.example.org"
EHR = Registered(
    client=Client(id="ehr"),
    issuers=frozenset({ISSUER}),
    tenants=frozenset(),
    audiences=frozenset({"fleck-at-north"}),
    algorithms=frozenset({"ES384", "RS384"}),
    key_urls=frozenset({KEY_URL}),
    keys=GivenKeys(keys_of(key_set(jwk(P384), jwk(P256, "p256"), jwk(RSA_KEY, "rsa"), jwk(SHORT_RSA, "short")))),
    longest=3600,
)
OTHER = msgspec.structs.replace(
    EHR,
    client=Client(id="other"),
    issuers=frozenset({"https://other.example.org"}),
    keys=GivenKeys(keys_of(key_set(jwk(OTHER_P384, "other")))),
)
Headers = list[tuple[bytes, bytes]]


def gate_of(*clients: Registered, **options: Any) -> Gate:
    return Gate(Registry(by_issuer=by_issuer(clients)), BASE, ProcessMemory(), **options)


def admit(gate: Gate, headers: Headers, path: str = SERVICE) -> str:
    return asyncio.run(gate.admit(headers, path)).id


def refusal(gate: Gate, headers: Headers, path: str = SERVICE) -> RequestError:
    with pytest.raises(RequestError) as caught:
        admit(gate, headers, path)
    return caught.value


@pytest.fixture
def gate() -> Gate:
    return gate_of(EHR, OTHER)


@pytest.fixture
def reasons(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    caplog.set_level(logging.WARNING, "fleck")
    return lambda: [record.fields["reason"] for record in caplog.records if record.getMessage() == "refused"]  # type: ignore[attr-defined]


GOOD: dict[str, Callable[[], str]] = {
    "ES384": lambda: sign(claims()),
    "RS384": lambda: sign(claims(), RSA_KEY, "RS384", "rsa"),
    "no typ": lambda: sign(claims(), typ=""),
    "audience in an array": lambda: sign(claims(aud=["https://elsewhere.example.org", BASE + SERVICE])),
    "audience with a final slash": lambda: sign(claims(aud=BASE + SERVICE + "/")),
    "audience typed in by hand": lambda: sign(claims(aud="fleck-at-north")),
    "the key server's own address": lambda: sign(claims(), jku=KEY_URL),
    "Epic: not before five minutes ago, and a subject": lambda: sign(
        claims(nbf=now() - 300, sub="client-id"), RSA_KEY, "RS384", "rsa"
    ),
    "a clock that is half a minute ahead": lambda: sign(claims(iat=now() + 30)),
    "just expired, within the leeway": lambda: sign(claims(exp=now() - 30, iat=now() - 330)),
    "times with fractions": lambda: sign(claims(iat=time.time(), exp=time.time() + 60.5)),
    "no key id, one key of its type": lambda: sign(claims(), RSA_KEY, "RS384", None),
    "a key in the header, which nobody reads": lambda: sign(claims(), jwk=jwk(OTHER_P384)),
}


@pytest.mark.parametrize("token", GOOD.values(), ids=GOOD.keys())
def test_a_good_token_is_admitted(gate: Gate, token: Callable[[], str]) -> None:
    assert admit(gate, bearer(token())) == "ehr"


@pytest.mark.parametrize("path", [DISCOVERY, SERVICE, f"{SERVICE}/feedback"])
def test_every_address_asks_for_a_token_of_its_own(gate: Gate, path: str) -> None:
    assert admit(gate, bearer(sign(claims(path))), path) == "ehr"
    assert refusal(gate, [], path).status == 401
    for elsewhere in {DISCOVERY, SERVICE, f"{SERVICE}/feedback"} - {path}:
        assert refusal(gate, bearer(sign(claims(elsewhere))), path).status == 401


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
def test_the_scheme_may_be_written_in_any_case(gate: Gate, scheme: str) -> None:
    assert admit(gate, bearer(sign(claims()), scheme)) == "ehr"


def public_pem() -> bytes:
    return RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def signed_with_hmac(secret: bytes) -> str:
    """PyJWT refuses to sign with a public key as secret; an attacker's library does not."""
    content = f"{segment({'alg': 'HS256', 'typ': 'JWT', 'kid': 'rsa'})}.{segment(claims())}"
    return f"{content}.{segment(hmac.new(secret, content.encode(), hashlib.sha256).digest())}"


def altered(**changes: Any) -> str:
    """A good token with other claims under the old signature."""
    header, _, signature = sign(claims()).split(".")
    return f"{header}.{segment(claims(**changes))}.{signature}"


def raw(header: bytes, payload: bytes) -> str:
    """A token of these bytes with a good signature."""
    key = jwt.PyJWK(jwk(P384), "ES384")
    content = f"{segment(header)}.{segment(payload)}"
    signature = key.Algorithm.sign(content.encode(), P384)  # type: ignore[arg-type]
    return f"{content}.{segment(signature)}"


def now() -> int:
    return int(time.time())


def signed_with_a_short_key() -> str:
    with pytest.warns(InsecureKeyLengthWarning):
        return sign(claims(), SHORT_RSA, "RS384", "short")


ATTACKS: dict[str, tuple[Callable[[], str], Reason]] = {
    "unsigned": (lambda: jwt.encode(claims(), None, "none", headers={"kid": KID}), Reason.ALGORITHM),
    "unsigned, in capitals": (lambda: f"{segment({'alg': 'NONE', 'kid': KID})}.{segment(claims())}.", Reason.ALGORITHM),
    "the signature cut off": (lambda: sign(claims()).rpartition(".")[0] + ".", Reason.SIGNATURE),
    "the public key as HMAC secret": (lambda: signed_with_hmac(public_pem()), Reason.ALGORITHM),
    "a curve that is not allowed": (lambda: sign(claims(), P256, "ES256", "p256"), Reason.ALGORITHM),
    "a key of another curve than alg says": (lambda: sign(claims(), P384, "ES384", "p256"), Reason.KEY_ID),
    "RS256 where RS384 is wanted": (lambda: sign(claims(), RSA_KEY, "RS256", "rsa"), Reason.ALGORITHM),
    "PS384": (lambda: sign(claims(), RSA_KEY, "PS384", "rsa"), Reason.ALGORITHM),
    "a short RSA key": (signed_with_a_short_key, Reason.KEY_ID),
    "signed by someone else": (lambda: sign(claims(), OTHER_P384), Reason.SIGNATURE),
    "another client's key": (lambda: sign(claims(), OTHER_P384, kid="other"), Reason.KEY_ID),
    "another client's issuer under this key": (
        lambda: sign(claims(iss="https://other.example.org")),
        Reason.KEY_ID,
    ),
    "an unknown issuer under a good key": (lambda: sign(claims(iss=EVIL)), Reason.ISSUER),
    "an issuer that only looks alike": (lambda: sign(claims(iss=ISSUER + "/")), Reason.ISSUER),
    "claims changed after signing": (lambda: altered(iss=ISSUER), Reason.SIGNATURE),
    "expired": (lambda: sign(claims(exp=now() - 90, iat=now() - 390)), Reason.EXPIRED),
    "not yet valid": (lambda: sign(claims(nbf=now() + 600)), Reason.NOT_YET_VALID),
    "issued in the future": (lambda: sign(claims(iat=now() + 600, exp=now() + 900)), Reason.NOT_YET_VALID),
    "valid for ten years": (lambda: sign(claims(exp=now() + 10 * 365 * 86_400)), Reason.LIFETIME),
    "expires before it was issued": (lambda: sign(claims(iat=now() + 30, exp=now() + 20)), Reason.LIFETIME),
    "without iss": (lambda: raw(b'{"alg":"ES384"}', b'{"aud":"a","exp":1,"iat":1,"jti":"1"}'), Reason.MISSING_CLAIM),
    "without aud": (lambda: sign(claims(aud=None)), Reason.MISSING_CLAIM),
    "without exp": (lambda: sign(claims(exp=None)), Reason.MISSING_CLAIM),
    "without iat": (lambda: sign(claims(iat=None)), Reason.MISSING_CLAIM),
    "without jti": (lambda: sign(claims(jti=None)), Reason.MISSING_CLAIM),
    "an empty jti": (lambda: sign(claims(jti="")), Reason.MISSING_CLAIM),
    "for another service": (lambda: sign(claims("/cds-services/other")), Reason.AUDIENCE),
    "for the feedback of this service": (lambda: sign(claims(f"{SERVICE}/feedback")), Reason.AUDIENCE),
    "for this path elsewhere": (lambda: sign(claims(aud=EVIL + SERVICE)), Reason.AUDIENCE),
    "for http instead of https": (lambda: sign(claims(aud=f"http://cds.example.org{SERVICE}")), Reason.AUDIENCE),
    "for the whole house": (lambda: sign(claims(aud=BASE)), Reason.AUDIENCE),
    "an audience of numbers": (lambda: sign(claims(aud=[1])), Reason.MALFORMED),
    "an expiry in words": (lambda: sign(claims(exp=str(now() + 60))), Reason.MALFORMED),
    "an expiry that is true": (lambda: raw(b'{"alg":"ES384"}', segment_free(exp=True)), Reason.MALFORMED),
    "a key id that is a path": (lambda: sign(claims(), kid="../../dev/null"), Reason.KEY_ID),
    "a key id that is a list": (lambda: raw(b'{"alg":"ES384","kid":["k"]}', segment_free()), Reason.MALFORMED),
    "an unknown key id": (lambda: sign(claims(), kid="other-one"), Reason.KEY_ID),
    "no key id where several would fit": (lambda: sign(claims(iss="https://many.example.org"), kid=None), Reason.KEY_ID),
    "its own key in the header": (lambda: sign(claims(), OTHER_P384, jwk=jwk(OTHER_P384)), Reason.SIGNATURE),
    "its own certificate in the header": (lambda: sign(claims(), OTHER_P384, x5u=EVIL, x5c=["MII"]), Reason.SIGNATURE),
    "keys elsewhere": (lambda: sign(claims(), OTHER_P384, jku=f"{EVIL}/jwks.json"), Reason.KEY_URL),
    "an extension that has to be understood": (lambda: sign(claims(), crit=["exp"]), Reason.CRITICAL),
    "an unencoded payload": (lambda: raw(b'{"alg":"ES384","b64":false,"crit":["b64"]}', segment_free()), Reason.CRITICAL),
    "an empty crit": (lambda: sign(claims(), crit=[]), Reason.CRITICAL),
    "an access token": (lambda: sign(claims(), typ="at+jwt"), Reason.TYPE),
    "encrypted (JWE)": (lambda: "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.a.b.c.d", Reason.MALFORMED),
    "nothing that is a token": (lambda: "token", Reason.MALFORMED),
    "dots": (lambda: "..", Reason.MALFORMED),
    "a claim twice": (
        lambda: raw(b'{"alg":"ES384"}', segment_free()[:-1] + b',"iss":"https://evil.example.org"}'),
        Reason.MALFORMED,
    ),
    "not a number": (lambda: raw(b'{"alg":"ES384"}', segment_free()[:-1] + b',"nbf":NaN}'), Reason.MALFORMED),
    "claims without end": (lambda: raw(b'{"alg":"ES384"}', b'{"a":' * 1000 + b"1" + b"}" * 1000), Reason.MALFORMED),
    "claims that are a list": (lambda: raw(b'{"alg":"ES384"}', b"[]"), Reason.MALFORMED),
    "too long": (lambda: sign(claims(tenant="x" * 9000)), Reason.MALFORMED),
}  # fmt: skip


def segment_free(**changes: Any) -> bytes:
    return msgspec.json.encode(claims(**changes))


MANY = msgspec.structs.replace(
    EHR,
    client=Client(id="many"),
    issuers=frozenset({"https://many.example.org"}),
    keys=GivenKeys(keys_of(key_set(jwk(P384, "a"), jwk(OTHER_P384, "b")))),
)


@pytest.mark.parametrize(("token", "reason"), ATTACKS.values(), ids=ATTACKS.keys())
def test_an_attack_is_refused_without_saying_why(
    token: Callable[[], str], reason: Reason, reasons: Callable[[], list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    presented = token()
    error = refusal(gate_of(EHR, OTHER, MANY), bearer(presented))
    assert (error.status, error.headers) == (401, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
    assert [issue.text for issue in error.issues] == ["not authenticated"]
    assert reasons() == [reason]
    assert not [
        part for part in presented.split(".") if len(part) > 4 and part in str([vars(r) for r in caplog.records])
    ]


HEADERS: dict[str, tuple[Headers, Reason]] = {
    "none": ([], Reason.NO_TOKEN),
    "another scheme": ([(b"authorization", b"Basic dXNlcjpzZWNyZXQ=")], Reason.NO_TOKEN),
    "empty": ([(b"authorization", b"")], Reason.NO_TOKEN),
    "a scheme without token": ([(b"authorization", b"Bearer ")], Reason.MALFORMED),
    "bytes that are no ASCII": ([(b"authorization", b"Bearer \xff\xfe\xc3\xa9")], Reason.MALFORMED),
    "a line break": ([(b"authorization", b"Bearer a.b.c\r\nX: y")], Reason.MALFORMED),
}


@pytest.mark.parametrize(("headers", "reason"), HEADERS.values(), ids=HEADERS.keys())
def test_a_header_without_a_token_is_refused(
    gate: Gate, headers: Headers, reason: Reason, reasons: Callable[[], list[str]]
) -> None:
    error = refusal(gate, headers)
    challenge = "Bearer" if reason == Reason.NO_TOKEN else 'Bearer error="invalid_token"'
    assert (error.status, error.headers) == (401, {"WWW-Authenticate": challenge})
    assert reasons() == [reason]


def test_two_authorization_headers_are_refused_although_each_is_good(gate: Gate) -> None:
    assert refusal(gate, bearer(sign(claims())) + bearer(sign(claims()))).status == 401
    both = b", ".join(value for _, value in bearer(sign(claims())) + bearer(sign(claims())))
    assert refusal(gate, [(b"Authorization", both)]).status == 401


def test_a_token_is_good_once(gate: Gate, reasons: Callable[[], list[str]]) -> None:
    token = sign(claims())
    assert admit(gate, bearer(token)) == "ehr"
    assert refusal(gate, bearer(token)).status == 401
    assert reasons() == [Reason.REPLAYED]


def test_the_same_jti_of_two_issuers_is_two_tokens(gate: Gate) -> None:
    assert admit(gate, bearer(sign(claims(jti="1")))) == "ehr"
    other = sign(claims(jti="1", iss="https://other.example.org"), OTHER_P384, kid="other")
    assert admit(gate, bearer(other)) == "other"


def test_a_token_that_was_refused_does_not_count_as_used(gate: Gate) -> None:
    """Else anyone could use up a token id that the client has not sent yet."""
    stated = claims()
    refusal(gate, bearer(sign(stated, OTHER_P384)))
    refusal(gate, bearer(sign(stated)), f"{SERVICE}/feedback")
    assert admit(gate, bearer(sign(stated))) == "ehr"


def test_a_key_address_in_a_token_is_never_fetched(gate: Gate) -> None:
    with serving(sends_json(key_set(jwk(OTHER_P384)))) as server:
        for header in ({"jku": server.url}, {"x5u": server.url}, {"jku": server.url, "jwk": jwk(OTHER_P384)}):
            assert refusal(gate, bearer(sign(claims(), OTHER_P384, **header))).status == 401
        assert server.paths == []


def test_a_tenant_has_to_be_one_of_the_clients(reasons: Callable[[], list[str]]) -> None:
    gate = gate_of(msgspec.structs.replace(EHR, tenants=frozenset({"north"})))
    assert admit(gate, bearer(sign(claims(tenant="north")))) == "ehr"
    assert refusal(gate, bearer(sign(claims(tenant="south")))).status == 401
    assert refusal(gate, bearer(sign(claims()))).status == 401
    assert reasons() == [Reason.TENANT, Reason.TENANT]


def test_tenants_tell_clients_of_one_issuer_apart() -> None:
    north = msgspec.structs.replace(EHR, client=Client(id="north"), tenants=frozenset({"n"}))
    south = msgspec.structs.replace(
        EHR, client=Client(id="south"), tenants=frozenset({"s"}), keys=GivenKeys(keys_of(key_set(jwk(OTHER_P384))))
    )
    gate = gate_of(north, south)
    assert admit(gate, bearer(sign(claims(tenant="n")))) == "north"
    assert admit(gate, bearer(sign(claims(tenant="s"), OTHER_P384))) == "south"
    assert refusal(gate, bearer(sign(claims(tenant="s")))).status == 401


def test_a_client_calls_its_services_only(reasons: Callable[[], list[str]]) -> None:
    gate = gate_of(msgspec.structs.replace(EHR, services=frozenset({"calcification-order-sign"})))
    for path in (SERVICE, f"{SERVICE}/feedback"):
        error = refusal(gate, bearer(sign(claims(path))), path)
        assert (error.status, error.headers) == (403, {})
    for path in (
        "/cds-services/calcification-order-sign",
        "/cds-services/calcification-order-sign/feedback",
        DISCOVERY,
    ):
        assert admit(gate, bearer(sign(claims(path))), path) == "ehr"
    assert reasons() == [Reason.SERVICE, Reason.SERVICE]


def test_an_open_discovery_needs_no_token_and_opens_nothing_else() -> None:
    gate = gate_of(EHR, discovery_open=True)
    assert admit(gate, [], DISCOVERY) == "anyone"
    assert refusal(gate, [], SERVICE).status == 401
    assert refusal(gate, bearer(sign(claims(SERVICE))), DISCOVERY).status == 401, "a token that comes is looked at"


def test_a_bad_token_does_not_fall_back_to_the_open_client() -> None:
    registry = Registry(by_issuer=by_issuer([EHR]), open=OpenClient(client=Client(id="gateway")))
    gate = Gate(registry, BASE, ProcessMemory())
    assert admit(gate, []) == "gateway"
    assert admit(gate, bearer(sign(claims()))) == "ehr"
    assert refusal(gate, bearer(sign(claims(), OTHER_P384))).status == 401


def test_without_registered_clients_a_token_is_not_looked_at() -> None:
    """An EHR in trial sends its token from the start."""
    gate = Gate(Registry(open=OpenClient(client=Client(id="anonymous"))), None, ProcessMemory())
    assert admit(gate, bearer(sign(claims()))) == "anonymous"
    assert admit(gate, bearer("token")) == "anonymous"


SPECIFICATION = {
    "token": (
        "eyJhbGciOiJFUzM4NCIsInR5cCI6IkpXVCIsImtpZCI6ImV4YW1wbGUta2lkIiwiamt1IjoiaHR0cHM6Ly9maGlyLWVoci5leGFtcGxlLmNvbS9q"
        "d2tfdXJpIn0.eyJpc3MiOiJodHRwczovL2ZoaXItZWhyLmV4YW1wbGUuY29tLyIsImF1ZCI6Imh0dHBzOi8vY2RzLmV4YW1wbGUub3JnL2Nkcy1z"
        "ZXJ2aWNlcy9zb21lLXNlcnZpY2UiLCJleHAiOjE0MjI1Njg4NjAsImlhdCI6MTMxMTI4MDk3MCwianRpIjoiZWUyMmIwMjEtZTFiNy00NjExLWJh"
        "NWItOGVlYzZhMzNhYzFlIiwidGVuYW50IjoiMmRkZDZjM2EtOGU5YS00NGM2LWEzMDUtNTIxMTFhZDMwMmEyIn0.d1WfLjGRKlcWB94l9do4cM8R"
        "EXeYJLL6SGUBO8VHZhfM8mwKYP70EMxJ67War4TQblEpaQrp11wx5p7oPFm2ETYgCicS84vXWEIYTdjooZdooCSDf2L8-i4awdoUwiEb"
    ),
    "key": {
        "kty": "EC", "use": "sig", "crv": "P-384", "kid": "example-kid", "alg": "ES384",
        "x": "46SDH7Znh821wblCBglA61sNE9ZrHYKKt3qRtRTmSXyOI_FIGBLWrWa0GPUkDCEk",
        "y": "XMcRuuoGW7CXjQdy-F5i3FeBE0x9hPLdeFdSoDd3ELmx404tLX0VRRcqzAsPhXcI",
    },
}  # fmt: skip


def test_the_token_that_the_specification_prints_is_refused_for_its_age_alone(reasons: Callable[[], list[str]]) -> None:
    """Signature, key id and key address pass; a changed signature fails on the signature."""
    printed = msgspec.structs.replace(
        EHR,
        issuers=frozenset({"https://fhir-ehr.example.com/"}),
        key_urls=frozenset({"https://fhir-ehr.example.com/jwk_uri"}),
        keys=GivenKeys(keys_of(key_set(SPECIFICATION["key"]))),  # type: ignore[arg-type]
    )
    token = str(SPECIFICATION["token"])
    refusal(gate_of(printed), bearer(token), "/cds-services/some-service")
    start, _, signature = token.rpartition(".")
    swapped = base64.urlsafe_b64decode(signature)[::-1]
    refusal(gate_of(printed), bearer(f"{start}.{segment(swapped)}"), "/cds-services/some-service")
    assert reasons() == [Reason.EXPIRED, Reason.SIGNATURE]
