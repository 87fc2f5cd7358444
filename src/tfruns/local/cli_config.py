"""The block that makes the Terraform CLI find a server of ours.

It gives the server a name of its own, so that neither a certificate nor a port has to be in a configuration, and it
holds no token: that comes from the environment, out of the file where it is kept.
"""

import shlex
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from tfruns.errors import InvalidInput
from tfruns.local.bind_config import BindConfig
from tfruns.local.data_dir import DataDirectory

HOSTNAME = "tfruns.local"
_LOOK_WITHIN_S = 5.0
SERVICES = ("tfe.v2", "tfe.v2.1", "tfe.v2.2")


def cli_configuration(directory: DataDirectory, listening: BindConfig) -> str:
    """The block for the server that owns a data directory; without one, for the server that would listen there.

    Comments say where it belongs, and how the token gets to Terraform.

    Raises:
        InvalidInput: there is no server, and none of these options could be one, or it would choose its port itself.
    """
    owner = directory.owner()
    if owner is not None and directory.is_owned():
        return _block(owner.url, directory, has_own_certificate=_shows(directory.certificate, owner.url))
    listening.check()
    if not listening.port:
        raise InvalidInput("No server has this data directory.", solution="Start it, or name its port with --port.")
    return _block(listening.url(listening.port), directory, has_own_certificate=listening.is_self_signed)


def _shows(certificate: Path, url: str) -> bool:
    """Whether a server shows this certificate."""
    address = urlsplit(url)
    if address.scheme != "https" or not certificate.exists():
        return False
    try:
        shown = ssl.get_server_certificate((str(address.hostname), address.port or 443), timeout=_LOOK_WITHIN_S)
    except OSError:
        return False
    return ssl.PEM_cert_to_DER_cert(shown) == ssl.PEM_cert_to_DER_cert(certificate.read_text())


def _block(url: str, directory: DataDirectory, *, has_own_certificate: bool) -> str:
    trust = [f"    export SSL_CERT_FILE={_quoted(directory.certificate)}"] if has_own_certificate else []
    comments = [
        f"The local backend of tfruns at {url}. This belongs into the Terraform CLI configuration: ~/.terraformrc,",
        "or a file that TF_CLI_CONFIG_FILE names. Terraform takes the token from the environment:",
        "",
        f'    export TF_TOKEN_{HOSTNAME.replace(".", "_")}="$(cat {_quoted(directory.token_file)})"',
        *trust,
        "",
        "The configuration to be run says:",
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
