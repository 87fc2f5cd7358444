"""The server's self-signed certificate. The Terraform CLI requires HTTPS to discover the services of a host.

The certificate is not a certificate authority: a client that trusts it trusts only this server, and no other
certificate that its key might sign.
"""

import ipaddress
import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFETIME = timedelta(days=397)  # Apple's platforms reject certificates that are valid for more than 825 days
_RENEWAL_PERIOD = timedelta(days=30)
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class SelfSignedCertificate:
    """A certificate and its key, as PEM files. Only the owner can read the key.

    Attributes:
        certificate: the file that clients need to trust.
        key: the file of the key.
        expires: when the certificate expires.
    """

    certificate: Path
    key: Path
    expires: datetime


def load_or_create_certificate(certificate: Path, host: str, now: datetime) -> SelfSignedCertificate:
    """Read the server's certificate, or create one if it is missing, about to expire, or valid for other names.

    Args:
        certificate: the file of the certificate; its key is in the same directory.
        host: the address on which the server listens.
        now: the current time.

    Raises:
        OSError: the directory is not writable.
    """
    key = certificate.with_name("key.pem")
    names = _names(host)
    expires = _expiry(certificate, key, names)
    if expires is None or expires < now + _RENEWAL_PERIOD:
        certificate.parent.mkdir(mode=0o700, exist_ok=True)
        expires = now + _LIFETIME
        _create(certificate, key, names, now, expires)
    return SelfSignedCertificate(certificate, key, expires)


def _names(host: str) -> list[x509.GeneralName]:
    """The names of this machine, and the address on which the server listens."""
    names = dict.fromkeys((*_LOOPBACK_NAMES, socket.gethostname().lower(), host.lower()))
    return [name for name in map(_name, names) if name is not None]


def _name(text: str) -> x509.GeneralName | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return x509.DNSName(text) if text and text.isascii() else None
    return None if address.is_unspecified else x509.IPAddress(address)


def _expiry(certificate: Path, key: Path, names: Iterable[x509.GeneralName]) -> datetime | None:
    """When the certificate expires; None if it is missing, or does not match the names or the key."""
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), None)
        valid_names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (FileNotFoundError, ValueError, TypeError, x509.ExtensionNotFound):
        return None
    matches = private.public_key() == found.public_key() and set(names) <= set(valid_names)
    return found.not_valid_after_utc if matches else None


def _create(certificate: Path, key: Path, names: list[x509.GeneralName], now: datetime, expires: datetime) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tfruns local backend")])
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    created = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # for clients whose clock is slow
        .not_valid_after(expires)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(private, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = private.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write(key, secret, 0o600)
    _write(certificate, created.public_bytes(pem), 0o644)


def _write(path: Path, content: bytes, mode: int) -> None:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with open(file, "wb") as stream:  # noqa: PTH123
        stream.write(content)
    unfinished.replace(path)
