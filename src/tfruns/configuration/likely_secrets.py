"""Files that likely contain secrets and that no run needs. An upload excludes them unless they are requested.

The Terraform CLI uploads them. They are recognized by name or by the start of their content. Variable files that
Terraform loads automatically are part of the configuration: they are uploaded, and listed.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

HEAD_BYTES = 4_096
"""The number of bytes at the start of a file that are checked."""

_DIRECTORIES = {".aws", ".azure", ".docker", ".gcloud", ".gnupg", ".kube", ".ssh"}
_NAMES = (
    # environments and variables; Terraform does not load these variable files automatically
    ".env",
    ".env.*",
    ".envrc",
    "*.env",
    "*.tfvars",
    "*.tfvars.json",
    # keys
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.ppk",
    "*.jks",
    "*.keystore",
    "*.kdbx",
    "id_rsa*",
    "id_dsa*",
    "id_ecdsa*",
    "id_ed25519*",
    # credentials of tools
    ".terraformrc",
    "terraform.rc",
    ".tofurc",
    "tofu.rc",
    "credentials.tfrc.json",
    "credentials",
    "*credentials*.json",
    "*credentials*.csv",
    ".netrc",
    "_netrc",
    ".npmrc",
    ".pypirc",
    ".git-credentials",
    ".dockercfg",
    ".htpasswd",
    ".pgpass",
    ".my.cnf",
    ".s3cfg",
    ".boto",
    ".vault-token",
    "kubeconfig",
    "kubeconfig.*",
    "*.kubeconfig",
    "*service-account*.json",
    "*service_account*.json",
    # saved plans, which contain the state and all variables
    "*.tfplan",
    "tfplan",
)
_HARMLESS = ("*.example", "*.sample", "*.template", "*.dist", "*.pub")
_LOADED = ("terraform.tfvars", "terraform.tfvars.json", "*.auto.tfvars", "*.auto.tfvars.json")

_PRIVATE_KEY = b"PRIVATE KEY-----"
_KEY_BEGINNINGS = tuple(
    b"-----BEGIN " + kind + _PRIVATE_KEY for kind in (b"", b"RSA ", b"EC ", b"DSA ", b"OPENSSH ", b"ENCRYPTED ")
)
_PUBLIC = (b"-----BEGIN CERTIFICATE", b"-----BEGIN PUBLIC KEY")


def is_loaded_by_terraform(path: str) -> bool:
    """Whether this is a variable file that Terraform loads automatically."""
    return _matches(PurePosixPath(path).name.casefold(), _LOADED)


def is_likely_secret(path: str, head: bytes = b"") -> bool:
    """Whether a file likely contains secrets, by its path and the start of its content."""
    *directories, name = PurePosixPath(path.casefold()).parts
    if not _DIRECTORIES.isdisjoint(directories):
        return True
    if _is_saved_plan(head) or _is_service_account(name, head) or head.lstrip().startswith(_KEY_BEGINNINGS):
        return True
    if _matches(name, _LOADED) or _matches(name, _HARMLESS) or not _matches(name, _NAMES):
        return False
    is_public = name.endswith(".pem") and any(mark in head for mark in _PUBLIC) and _PRIVATE_KEY not in head
    return not is_public


def _is_saved_plan(head: bytes) -> bool:
    """Whether the content is a saved plan: a zip archive whose first entry is Terraform's."""
    return head.startswith(b"PK\x03\x04") and b"tfplan" in head[:128]


def _is_service_account(name: str, head: bytes) -> bool:
    return name.endswith(".json") and b'"service_account"' in head and b'"private_key' in head


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
