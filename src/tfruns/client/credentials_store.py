"""Storing and removing tokens in the file of `terraform login`, in Terraform's format.

Tokens of other hosts and unknown fields are kept. A file that cannot be parsed is not changed. The file is replaced
atomically and is never readable by other users.

Source: Terraform, "CLI Configuration File", "Credentials"; "Command: login".
"""

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfruns.client.credentials import normalize_hostname
from tfruns.errors import InvalidInput


def store_token(path: Path, hostname: str, token: str) -> None:
    """Store the token of a host, replacing an earlier one.

    Raises:
        InvalidInput: the file cannot be read, parsed or written; it is unchanged.
    """
    document = _read(path)
    credentials = document.setdefault("credentials", {})
    older = [name for name in credentials if normalize_hostname(name) == hostname]
    fields = {name: value for host in older for name, value in _fields(credentials.pop(host)).items()}
    credentials[hostname] = {**fields, "token": token}
    _write(path, document)


def remove_token(path: Path, hostname: str) -> bool:
    """Remove the token of a host. Returns whether there was one.

    Raises: as `store_token`.
    """
    document = _read(path)
    credentials = document.get("credentials", {})
    found = [name for name in credentials if normalize_hostname(name) == hostname]
    for name in found:
        del credentials[name]
    if found:
        _write(path, document)
    return bool(found)


def _fields(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _unusable(path, f"read ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise _unusable(path, "parsed") from None
    if not isinstance(document, dict) or not isinstance(document.get("credentials", {}), dict):
        raise _unusable(path, "parsed")
    return document


def _write(path: Path, document: Mapping[str, Any]) -> None:
    write_privately(path, json.dumps(document, indent=2) + "\n")


def write_privately(path: Path, text: str) -> None:
    """Replace a file atomically by one that only its owner can read.

    Raises:
        InvalidInput: it cannot be written; it is unchanged.
    """
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with open(unfinished, "w", encoding="utf-8", opener=_private) as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise _unusable(path, f"written ({error.strerror})") from None


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_EXCL, 0o600)


def _unusable(path: Path, how: str) -> InvalidInput:
    return InvalidInput(
        f"{path} cannot be {how}. It was not changed.",
        cause="The file is damaged, or its permissions forbid it.",
        solution="Fix the file, or move it away.",
    )
