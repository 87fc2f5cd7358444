"""The `host` block of the Terraform CLI configuration, with which the CLI finds a server of the local backend.

The block gives the server its own hostname, so that configurations need neither a certificate nor a port. It contains
no token: Terraform reads the token from the environment.
"""

import shlex
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from tfruns.errors import InvalidInput
from tfruns.local.bind_config import BindConfig
from tfruns.local.data_dir import DataDirectory

HOSTNAME = "tfruns.local"
_TLS_TIMEOUT_S = 5.0
SERVICES = ("tfe.v2", "tfe.v2.1", "tfe.v2.2")


def cli_configuration(directory: DataDirectory, bind: BindConfig) -> str:
    """The block for the server that owns a data directory; if none is running, for a server with these options.

    Comments in the block explain where it belongs and how to pass the token to Terraform.

    Raises:
        InvalidInput: no server is running, and the options are invalid or do not set a port.
    """
    owner = directory.owner()
    if owner is not None and directory.is_owned():
        return _block(owner.url, directory, is_self_signed=_uses_certificate(owner.url, directory.certificate))
    bind.check()
    if not bind.port:
        raise InvalidInput(
            "The server's address is unknown: no server is running for this data directory.",
            solution="Start the server, or set its port with --port.",
        )
    return _block(bind.url(bind.port), directory, is_self_signed=bind.is_self_signed)


def _uses_certificate(url: str, certificate: Path) -> bool:
    """Whether the server at this URL uses this certificate."""
    address = urlsplit(url)
    if address.scheme != "https" or not certificate.exists():
        return False
    try:
        used = ssl.get_server_certificate((str(address.hostname), address.port or 443), timeout=_TLS_TIMEOUT_S)
    except OSError:
        return False
    return ssl.PEM_cert_to_DER_cert(used) == ssl.PEM_cert_to_DER_cert(certificate.read_text())


def _block(url: str, directory: DataDirectory, *, is_self_signed: bool) -> str:
    trust = [f"    export SSL_CERT_FILE={_quoted(directory.certificate)}"] if is_self_signed else []
    comments = [
        f"The local backend of tfruns at {url}. Add this to the Terraform CLI configuration: ~/.terraformrc,",
        "or the file that TF_CLI_CONFIG_FILE names. Terraform reads the token from the environment:",
        "",
        f'    export TF_TOKEN_{HOSTNAME.replace(".", "_")}="$(cat {_quoted(directory.token_file)})"',
        *trust,
        "",
        "The Terraform configuration needs a cloud block:",
        "",
        "    terraform {",
        "      cloud {",
        f'        hostname     = "{HOSTNAME}"',
        '        organization = "default"',
        '        workspaces { name = "a-name" }',
        "      }",
        "    }",
    ]
    services = [f'    "{name}"{" " * (8 - len(name))} = "{url}/api/v2/"' for name in SERVICES]
    block = [f'host "{HOSTNAME}" {{', "  services = {", *services, "  }", "}"]
    return "\n".join([*(f"# {line}".rstrip() for line in comments), "", *block, ""])


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
