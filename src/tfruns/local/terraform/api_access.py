"""Access to the server's API for the Terraform of a run, which reads the states of other workspaces.

A Terraform CLI configuration file in the run's directory contains the server's hostnames, the URL of its API and the
run's token. It includes the operator's CLI configuration, if one is set.

Source: Terraform, "CLI Configuration File", "Credentials"; for `host`, the Terraform source code, "Host Service
Configuration".
"""

import json
import os
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tfruns.local.cli_config import HOSTNAME, SERVICES

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True, slots=True)
class ApiAccess:
    """The URL and credentials of the API, for the Terraform of one run.

    Attributes:
        url: the URL of the server.
        token: the token of the run.
        certificate: the server's certificate; None if the machine trusts it.
    """

    url: str
    token: str = field(repr=False)
    certificate: Path | None = None

    @property
    def hostnames(self) -> tuple[str, ...]:
        """The hostnames that a configuration may use: the fixed name, which needs no certificate, and the address."""
        address = urlsplit(self.url)
        names = [HOSTNAME, address.netloc]
        if address.hostname in _LOOPBACK:
            names.append(f"localhost:{address.port}")
        return tuple(dict.fromkeys(names))

    def write(self, directory: Path, operator_config: Path | None) -> dict[str, str]:
        """Write the CLI configuration, readable only by its owner.

        Returns:
            The environment variables that point to it.

        Raises:
            OSError: a file cannot be read or written.
        """
        config = directory / "cli.tfrc"
        text = _read(operator_config) if operator_config is not None and operator_config.exists() else ""
        _write_private(config, self._merged(text))
        environment = {"TF_CLI_CONFIG_FILE": str(config)}
        if self.certificate is not None:
            trusted = directory / "trusted.pem"
            _write_private(trusted, _trusted_certificates() + _read(self.certificate))
            environment["SSL_CERT_FILE"] = str(trusted)
        return environment

    def _merged(self, operator_config: str) -> str:
        """The operator's configuration plus the server's hosts, in the operator's syntax: either JSON or HCL 1."""
        hosts = {name: {"services": dict.fromkeys(SERVICES, f"{self.url}/api/v2/")} for name in self.hostnames}
        credentials = {name: {"token": self.token} for name in self.hostnames}
        if not operator_config.lstrip().startswith("{"):
            blocks = [f"host {json.dumps(name)} {_object(body)}" for name, body in hosts.items()]
            blocks += [f"credentials {json.dumps(name)} {_object(body)}" for name, body in credentials.items()]
            return "\n".join([operator_config, *blocks, ""])
        try:
            document = json.loads(operator_config)
        except ValueError:
            return operator_config  # Terraform reports the syntax error
        return json.dumps({**document, **{
            key: [*_listed(document.get(key)), ours] for key, ours in (("host", hosts), ("credentials", credentials))
        }})  # fmt: skip


def _object(body: dict[str, Any]) -> str:
    """An object of strings and objects as HCL 1, which accepts JSON strings."""
    items = (
        f"{json.dumps(key)} = {json.dumps(value) if isinstance(value, str) else _object(value)}"
        for key, value in body.items()
    )
    return f"{{ {', '.join(items)} }}"


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _trusted_certificates() -> str:
    """The machine's trusted certificates in PEM format."""
    path = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    return _read(Path(path)) + "\n" if path and Path(path).exists() else ""


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="surrogateescape")


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123
        file.write(text.encode("utf-8", errors="surrogateescape"))
