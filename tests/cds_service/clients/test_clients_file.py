"""The clients file is checked at start-up, and every fault names the client and the field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cds_service.clients.registered import Registry
from cds_service.clients.registry import load_registry
from cds_service.hooks.services import SERVICES
from cds_service.settings import Settings
from rules.vocabulary import Recommendation
from tests.cds_service.clients.signing import P256, P384, jwk, key_set

NORTH = {"id": "north", "issuers": ["https://n.example.org"], "jwks_url": "https://n.example.org/jwks"}
PUBLIC = "https://cds.example.org"


def toml(value: Any) -> str:
    """A value as inline TOML; JSON differs in `null` and in the colon of objects only."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {toml(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


def write(folder: Path, *clients: dict[str, Any]) -> Path:
    path = folder / "clients.toml"
    entries = ("\n".join(["[[client]]", *(f"{k} = {toml(v)}" for k, v in client.items())]) for client in clients)
    path.write_text("\n".join(entries), encoding="utf-8")
    return path


def load(path: Path, **settings: Any) -> Registry:
    return load_registry(Settings.model_validate({"public_url": PUBLIC, "clients": path, **settings}), SERVICES)


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in NORTH.items() if name not in names}


def code(**changes: str) -> dict[str, Any]:
    stated = {"recommendation": "biopsy", "laterality": "left", "system": "urn:x", "code": "1", "display": "B"}
    return {**NORTH, "overrides": {"order_codes": [stated | changes]}}


def link(**changes: Any) -> dict[str, Any]:
    stated = {"recommendations": ["biopsy"], "label": "Clinic", "url": "https://c.example.org"}
    return {**NORTH, "overrides": {"links": [stated | changes]}}


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "no id": (without("id"), "client number 1: id: Field required"),
    "an id that is unsafe in logs": (NORTH | {"id": "North Hospital"}, 'client "North Hospital": id: '),
    "a reserved id": (NORTH | {"id": "local"}, 'client "local": id: '),
    "a misspelt field": (NORTH | {"jwks_ulr": "x"}, 'client "north": jwks_ulr: Extra inputs'),
    "an unknown profile": (NORTH | {"profile": "eqic"}, 'client "north": profile: there is no such profile; known are crd'),
    "no issuer": (without("issuers"), 'client "north": issuers: missing'),
    "an empty issuer": (NORTH | {"issuers": [""]}, 'client "north": issuers.0: '),
    "no keys": (without("jwks_url"), 'client "north": jwks_url: give one of'),
    "two kinds of keys": (NORTH | {"jwks_file": "k.json"}, 'client "north": jwks_file: give one of'),
    "a key server without TLS": (NORTH | {"jwks_url": "http://n.example.org/jwks"}, 'client "north": jwks_url: a URL'),
    "a key server that is a file": (NORTH | {"jwks_url": "file:///etc/passwd"}, 'client "north": jwks_url: '),
    "a FHIR server without TLS": (NORTH | {"fhir_servers": ["http://n.example.org"]}, 'client "north": fhir_servers.0: '),
    "a FHIR server with a password": (
        NORTH | {"fhir_servers": ["https://u:p@n.example.org"]},
        'client "north": fhir_servers.0: a URL names a host, and no user or password',
    ),
    "a FHIR server with a query": (NORTH | {"fhir_servers": ["https://n.org/r4?x=1"]}, 'client "north": fhir_servers.0: '),
    "no algorithm": (NORTH | {"algorithms": []}, 'client "north": algorithms: '),
    "no signature": (NORTH | {"algorithms": ["none"]}, 'client "north": algorithms.0: '),
    "a shared secret": (NORTH | {"algorithms": ["ES384", "HS256"]}, 'client "north": algorithms.1: '),
    "tokens for a week": (NORTH | {"max_token_seconds": 604_800}, 'client "north": max_token_seconds: '),
    "an unknown service": (NORTH | {"services": ["mammograms"]}, 'client "north": services: there is no mammograms'),
    "any origin": (NORTH | {"origins": ["*"]}, 'client "north": origins.0: '),
    "open, and with an issuer": (NORTH | {"open": True}, 'client "north": issuers: a client with open = true'),
    "authorities for keys in a file": (
        without("jwks_url") | {"jwks_file": "k.json", "ca_file": "ca.pem"},
        'client "north": ca_file: ',
    ),
    "a file that is not there": (without("jwks_url") | {"jwks_file": "k.json"}, 'client "north": jwks_file: cannot be read'),
    "authorities that are none": (NORTH | {"ca_file": "clients.toml"}, 'client "north": ca_file: '),
    "keys that do not fit": (
        without("jwks_url") | {"jwks": key_set(jwk(P256))},
        'client "north": jwks: has no key that fits algorithms (ES384, RS384)',
    ),
    "a private key": (without("jwks_url") | {"jwks": key_set(jwk(P384, d="AAAA"))}, 'client "north": jwks: holds a private'),
    "no key set": (without("jwks_url") | {"jwks": {"kty": "EC"}}, 'client "north": jwks: not a JWK Set'),
    "an unknown override": (NORTH | {"overrides": {"colour": "red"}}, 'client "north": overrides.colour: '),
    "an unknown recommendation": (NORTH | {"overrides": {"shown": ["surgery"]}}, 'client "north": overrides.shown.0: '),
    "an order for screening": (code(recommendation="routine_screening"), 'client "north": overrides.order_codes.0: recomm'),
    "a biopsy of both breasts": (code(laterality="bilateral"), 'client "north": overrides.order_codes.0: laterality'),
    "an order without side": (code(laterality="unknown"), 'client "north": overrides.order_codes.0: laterality'),
    "an empty code": (code(code=""), 'client "north": overrides.order_codes.0.code: '),
    "a link that runs": (link(url="javascript:alert(1)"), 'client "north": overrides.links.0.url'),
    "a link without TLS": (link(url="http://c.example.org"), 'client "north": overrides.links.0.url'),
    "a link of two lines": (link(label="a\nb"), 'client "north": overrides.links.0.label'),
    "context for a plain link": (link(app_context="x"), 'client "north": overrides.links.0: app_context'),
    "a link in another language": (link(label={"fr": "Clinique"}), 'client "north": overrides: links: label is not given'),
}  # fmt: skip


@pytest.mark.parametrize(("client", "fault"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_names_the_client_and_the_field(tmp_path: Path, client: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError) as caught:
        load(write(tmp_path, client))
    assert fault in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3, "nothing but the fault"


SOUTH = NORTH | {"id": "south"}
PAIRS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "one id": (NORTH, NORTH | {"issuers": ["x"]}, 'client "north": id: used twice'),
    "one issuer": (NORTH, SOUTH, 'client "south": issuers: shared with "north"; tenants have to tell them apart'),
    "one issuer, tenants for one": (NORTH | {"tenants": ["n"]}, SOUTH, "tenants have to tell them apart"),
    "one issuer, a tenant in common": (
        NORTH | {"tenants": ["n", "m"]},
        SOUTH | {"tenants": ["m"]},
        'client "south": tenants: shared with "north"',
    ),
    "two open": ({"id": "a", "open": True}, {"id": "b", "open": True}, 'client "b": open: so is "a"'),
}


@pytest.mark.parametrize(("one", "other", "fault"), PAIRS.values(), ids=PAIRS.keys())
def test_clients_that_cannot_be_told_apart_stop_the_start(
    tmp_path: Path, one: dict[str, Any], other: dict[str, Any], fault: str
) -> None:
    with pytest.raises(ValueError) as caught:
        load(write(tmp_path, one, other))
    assert fault in str(caught.value)


@pytest.mark.parametrize(
    ("text", "fault"), [("[[client]\n", "is not TOML"), ("", "client: Field required"), ("client = []", "client: ")]
)
def test_a_file_without_clients_stops_the_start(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "clients.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=fault):
        load(path)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ValueError) as caught:
        load(write(tmp_path, NORTH | {"algorithms": ["none"]}, SOUTH | {"profile": "x"}))
    assert all(name in str(caught.value) for name in ('client "north": algorithms', 'client "south": profile'))


def test_keys_may_lie_in_a_file_beside_the_clients_or_in_it(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(json.dumps(key_set(jwk(P384), jwk(P256))))
    from_file = load(write(tmp_path, without("jwks_url") | {"jwks_file": "keys.json"}))
    inline = load(write(tmp_path, without("jwks_url") | {"jwks": key_set(jwk(P384))}))
    for registry in (from_file, inline):
        (north,) = registry.by_issuer["https://n.example.org"]
        assert len(north.keys.given) == 1, "the P-256 key fits no algorithm"  # type: ignore[attr-defined]


def test_of_a_profile_the_file_is_weakest_then_the_settings_then_the_client(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        NORTH | {"profile": "oracle", "overrides": {"benign_card_months": 3}},
        SOUTH | {"profile": "oracle", "issuers": ["s"]},
        {"id": "gateway", "open": True, "profile": "oracle", "overrides": {"selection_behavior": "any"}},
    )
    bare = {client.id: client.profile for client in load(path).clients}
    assert [bare[name].selection_behavior for name in ("north", "south", "gateway")] == [
        "at-most-one",
        "at-most-one",
        "any",
    ]
    assert [bare[name].benign_card_months for name in ("north", "south")] == [3, 12]
    site = {client.id: client.profile for client in load(path, benign_card_months=6, fhir_version="R5").clients}
    assert [site[name].benign_card_months for name in ("north", "south")] == [3, 6]
    assert {profile.fhir_version for profile in site.values()} == {"R5"}
    assert site["south"].selection_behavior == "at-most-one", "a setting at its default says nothing"


def test_a_setting_that_was_given_as_its_default_counts_as_given(tmp_path: Path) -> None:
    path = write(tmp_path, NORTH | {"profile": "oracle"})
    (client,) = load(path, selection_behavior="any").clients
    assert client.profile.selection_behavior == "any"


def test_shown_and_links_arrive_in_the_profile(tmp_path: Path) -> None:
    words = {
        "label": {"en": "Clinic", "de": "Klinik"},
        "url": {"en": "https://c.example.org/en", "de": "https://c.example.org/de?a=1#b"},
    }
    overrides = link(**words)["overrides"] | {"language": "de", "shown": ["biopsy"]}
    (client,) = load(write(tmp_path, NORTH | {"overrides": overrides})).clients
    assert client.profile.shown == {Recommendation.BIOPSY}
    assert [(item.label, item.url) for item in client.profile.links] == [("Klinik", "https://c.example.org/de?a=1#b")]
