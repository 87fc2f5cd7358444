"""The server's own certificate, for those who have no other: the Terraform CLI asks a host for its services over HTTPS.

It is no authority: whoever trusts it trusts this one server, and nothing that its key could sign.
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

_LIFETIME = timedelta(days=397)  # Apple's platforms trust none that lives longer than 825 days
_RENEWED_BEFORE = timedelta(days=30)
_ALWAYS = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class SelfSigned:
    """A certificate and its key, PEM files of which only the owner can read the key.

    Attributes:
        certificate: what clients have to trust.
        key: its key.
        ends: until when it is valid.
    """

    certificate: Path
    key: Path
    ends: datetime


def self_signed(certificate: Path, host: str, now: datetime) -> SelfSigned:
    """A server's own certificate; made where there is none yet, or none that is good for long.

    Args:
        certificate: where it is kept, in a directory with its key.
        host: where the server listens.
        now: the time.

    Raises:
        OSError: the directory cannot be written.
    """
    key = certificate.with_name("key.pem")
    names = _names(host)
    ends = _good_until(certificate, key, names)
    if ends is None or ends < now + _RENEWED_BEFORE:
        certificate.parent.mkdir(mode=0o700, exist_ok=True)
        ends = now + _LIFETIME
        _make(certificate, key, names, now, ends)
    return SelfSigned(certificate, key, ends)


def _names(host: str) -> list[x509.GeneralName]:
    """This machine's names, and the one that the server is asked to listen on."""
    names = dict.fromkeys((*_ALWAYS, socket.gethostname().lower(), host.lower()))
    return [name for name in map(_name, names) if name is not None]


def _name(text: str) -> x509.GeneralName | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return x509.DNSName(text) if text and text.isascii() else None
    return None if address.is_unspecified else x509.IPAddress(address)


def _good_until(certificate: Path, key: Path, names: Iterable[x509.GeneralName]) -> datetime | None:
    """When the certificate that is there ends; None if there is none for these names, or not for this key."""
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), None)
        has = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (FileNotFoundError, ValueError, TypeError, x509.ExtensionNotFound):
        return None
    is_ours = private.public_key() == found.public_key() and set(names) <= set(has)
    return found.not_valid_after_utc if is_ours else None


def _make(certificate: Path, key: Path, names: list[x509.GeneralName], begins: datetime, ends: datetime) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tfruns local backend")])
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins - timedelta(hours=1))  # clients' clocks differ a little
        .not_valid_after(ends)
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
    _write(certificate, made.public_bytes(pem), 0o644)


def _write(path: Path, content: bytes, mode: int) -> None:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with open(file, "wb") as stream:  # noqa: PTH123
        stream.write(content)
    unfinished.replace(path)
