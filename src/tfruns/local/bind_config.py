"""The address on which a server listens, and its certificate."""

import logging
import ssl
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from tfruns.errors import InvalidInput
from tfruns.local.self_signed import load_or_create_certificate
from tfruns.loopback import is_loopback

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BindConfig:
    """The address on which a server listens, and its certificate.

    Attributes:
        host: an address of this machine, or a name.
        port: the port; 0 for any free port.
        tls_cert: the PEM file of the certificate and its intermediate certificates.
        tls_key: the PEM file of the certificate's key.
        is_insecure: allow plain HTTP on an address other than loopback.
        is_self_signed: use HTTPS with a self-signed certificate; see `with_certificate`.
    """

    host: str = "127.0.0.1"
    port: int = 0
    tls_cert: Path | None = None
    tls_key: Path | None = None
    is_insecure: bool = False
    is_self_signed: bool = False

    def check(self) -> None:
        """Check the options for conflicts, and that the API token never crosses a network unencrypted by accident.

        Raises:
            InvalidInput: the port is invalid, a certificate or key is missing or unusable, or plain HTTP is not allowed
                on this address.
        """
        if not 0 <= self.port <= 65535:
            raise InvalidInput(f"Invalid port {self.port}: use 1 to 65535, or 0 for any free port.")
        if (self.tls_cert is None) is not (self.tls_key is None):
            raise InvalidInput("A certificate needs its key: use --tls-cert and --tls-key together.")
        if self.is_self_signed and self.tls_cert is not None:
            raise InvalidInput("Conflicting options: use either --self-signed or --tls-cert.")
        if not is_loopback(self.host) and not self.has_tls and not self.is_insecure:
            raise InvalidInput(
                f"Refusing plain HTTP on {self.host}: it sends the API token over the network unencrypted, and the "
                "token allows running code on this machine.",
                solution="Use --tls-cert and --tls-key, or --self-signed. On a trusted network, use --insecure.",
            )
        self._check_certificate()

    def _check_certificate(self) -> None:
        if self.tls_cert is None:
            return
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.tls_cert, self.tls_key, _no_password)
        except (OSError, ValueError) as error:  # includes ssl.SSLError
            why = error.strerror if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) else error
            raise InvalidInput(
                f"Cannot load the certificate {self.tls_cert} with the key {self.tls_key}: {why}.",
                solution="Use PEM files, and a key without a password.",
            ) from None

    def with_certificate(self, certificate: Path) -> "BindConfig":
        """The configuration with the paths of its self-signed certificate, if it uses one.

        Creates the certificate if needed, and logs how clients can trust it.

        Args:
            certificate: the file of the certificate; its key is in the same directory.

        Raises:
            OSError: the directory is not writable.
        """
        if not self.is_self_signed:
            return self
        found = load_or_create_certificate(certificate, self.host, datetime.now(UTC))
        _log.info(
            "clients must trust the certificate %s (valid until %s): set SSL_CERT_FILE for Terraform, TFE_CA_FILE for "
            "tfruns",
            found.certificate,
            found.expires.date(),
        )
        return replace(self, tls_cert=found.certificate, tls_key=found.key, is_self_signed=False)

    @property
    def has_tls(self) -> bool:
        """Whether the server uses HTTPS."""
        return self.is_self_signed or self.tls_cert is not None

    def url(self, port: int) -> str:
        """The URL of the server on this machine."""
        scheme = "https" if self.has_tls else "http"
        loopback = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # a lookup, not an address to listen on
        host = loopback.get(self.host, self.host)
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _no_password() -> str:
    """Called for a key with a password, instead of a prompt on the terminal."""
    raise ValueError("the key has a password")
