"""Where a server listens, and whether it may listen there."""

import ipaddress
import logging
import ssl
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from tfruns.errors import InvalidInput
from tfruns.local.self_signed import self_signed

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BindConfig:
    """Where a server listens.

    Attributes:
        host: an address of this machine, or a name.
        port: 0 for any that is free.
        tls_cert: its certificate, with those between it and its authority; PEM.
        tls_key: the certificate's key; PEM.
        is_insecure: plain HTTP beyond loopback is wanted.
        is_self_signed: HTTPS is wanted with a certificate of our own; see `with_certificate`.
    """

    host: str = "127.0.0.1"
    port: int = 0
    tls_cert: Path | None = None
    tls_key: Path | None = None
    is_insecure: bool = False
    is_self_signed: bool = False

    def check(self) -> None:
        """Refuse what would hand the machine to whoever listens.

        Raises:
            InvalidInput: a port that is none, half of a certificate or one that cannot be used, or plain HTTP beyond
                loopback.
        """
        if not 0 <= self.port <= 65535:
            raise InvalidInput(f"{self.port} is no port; there are 1 to 65535, and 0 for any that is free.")
        if (self.tls_cert is None) is not (self.tls_key is None):
            raise InvalidInput("A certificate needs its key, and a key its certificate: --tls-cert and --tls-key.")
        if self.is_self_signed and self.tls_cert is not None:
            raise InvalidInput("There is a certificate: --self-signed makes one, --tls-cert names one.")
        if not self._is_loopback and not self.has_tls and not self.is_insecure:
            raise InvalidInput(
                f"On {self.host} the API token would cross the network in the clear; whoever has it runs code here.",
                solution="Use --tls-cert and --tls-key, or --self-signed; or --insecure, where the network is trusted.",
            )
        self._check_certificate()

    def _check_certificate(self) -> None:
        if self.tls_cert is None:
            return
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.tls_cert, self.tls_key, _no_password)
        except (OSError, ValueError) as error:  # of which SSLError is one
            why = error.strerror if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) else error
            raise InvalidInput(
                f"The certificate {self.tls_cert} with the key {self.tls_key} cannot be used: {why}.",
                solution="Both are PEM files, and the key has no password.",
            ) from None

    def with_certificate(self, certificate: Path) -> "BindConfig":
        """The same with a certificate of our own, which is made there if need be; as it is if none is wanted.

        How to trust it goes to the log.

        Raises:
            OSError: the directory cannot be written.
        """
        if not self.is_self_signed:
            return self
        made = self_signed(certificate, self.host, datetime.now(UTC))
        _log.info(
            "the certificate %s, valid until %s, has to be trusted: by Terraform with SSL_CERT_FILE, by tfruns with "
            "TFE_CA_FILE",
            made.certificate,
            made.ends.date(),
        )
        return replace(self, tls_cert=made.certificate, tls_key=made.key, is_self_signed=False)

    @property
    def has_tls(self) -> bool:
        """Whether it is HTTPS."""
        return self.is_self_signed or self.tls_cert is not None

    @property
    def _is_loopback(self) -> bool:
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def url(self, port: int) -> str:
        """The address under which the server is reached from this machine."""
        scheme = "https" if self.has_tls else "http"
        anywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # compared, not listened on
        host = anywhere.get(self.host, self.host)
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _no_password() -> str:
    """Of a key that has one; it would be asked for on the terminal."""
    raise ValueError("the key has a password")
