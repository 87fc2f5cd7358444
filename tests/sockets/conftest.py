"""Certificates created for the tests, and clients of real servers."""

import ipaddress
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.api import TOKEN
from tests.support.clock import FakeClock
from tfruns.client.client import Client


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate: the file that a client trusts, and the server's TLS context."""

    ca_file: Path
    context: ssl.SSLContext


MakeCertificate = Callable[..., Certificate]


@pytest.fixture(scope="session")
def make_certificate(tmp_path_factory: pytest.TempPathFactory) -> MakeCertificate:
    """Create a self-signed certificate for names, valid for a number of days."""

    def make(*names: str, days: int = 1) -> Certificate:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test")])
        begin = datetime.now(UTC) - timedelta(days=30)
        alternatives: list[x509.GeneralName] = [_general_name(name) for name in names]
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(datetime.now(UTC) + timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        directory = tmp_path_factory.mktemp("certificate")
        ca_file, key_file = directory / "certificate.pem", directory / "key.pem"
        ca_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(ca_file, key_file)
        return Certificate(ca_file, context)

    return make


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@pytest.fixture(scope="session")
def certificate(make_certificate: MakeCertificate) -> Certificate:
    return make_certificate("127.0.0.1", "tfe.example.test")


@pytest.fixture
def connect() -> Callable[[str], Client]:
    """Create a client with a token and a clock that does not wait."""
    return lambda address: Client(address, TOKEN, clock=FakeClock())
