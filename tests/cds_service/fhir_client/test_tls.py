"""A server is asked only if its certificate holds: by an authority that is trusted, for the name that was asked."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from collections.abc import Generator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cds_service.fhir_client.fetch import trusted_authorities
from cds_service.hooks.key_fate import KeyFate, Reason
from tests.cds_service.fhir_client.conftest import Complete, fate, report, without
from tests.cds_service.fhir_client.fhir_server import FhirServer, says, searchset

HERE = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
ELSEWHERE = x509.DNSName("ehr.example.org")


def certificate(folder: Path, name: x509.GeneralName) -> Path:
    """A key and a certificate that signs itself, as a test system has it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([name]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "server.pem"
    file.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture(params=[HERE, ELSEWHERE], ids=["right name", "wrong name"])
def secured(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[tuple[FhirServer, Path, bool]]:
    file = certificate(tmp_path, request.param)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with FhirServer(context) as server:
        server.plays(DiagnosticReport=says(searchset(report("r1"))))
        yield server, file, request.param is HERE


@pytest.mark.parametrize("trusted", [True, False])
def test_only_a_server_whose_certificate_holds_is_asked(
    secured: tuple[FhirServer, Path, bool], complete: Complete, trusted: bool
) -> None:
    server, file, right_name = secured
    authorities = trusted_authorities()
    if trusted:
        authorities.load_verify_locations(file)
    delivery = complete(without("reports"), fhir_server=server.base, servers=(server.base,), tls=authorities)
    if trusted and right_name:
        assert fate(delivery, "reports") == KeyFate("reports", "fetched")
    else:
        assert fate(delivery, "reports") == KeyFate("reports", "failed", Reason.UNREACHABLE)
        assert server.asked == []
