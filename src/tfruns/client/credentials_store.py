"""The file in which `terraform login` stores tokens, written as Terraform writes it.

What else stands in the file stays: the tokens of other hosts, and fields that are not known here. A file that cannot be
understood is left alone. The new file takes the place of the old one at once, and is never readable by others.

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
    """Store the token of a host, in place of an older one.

    Raises:
        InvalidInput: the file cannot be read, understood or written; it stays as it is.
    """
    document = _read(path)
    credentials = document.setdefault("credentials", {})
    older = [name for name in credentials if normalize_hostname(name) == hostname]
    fields = {name: value for host in older for name, value in _fields(credentials.pop(host)).items()}
    credentials[hostname] = {**fields, "token": token}
    _write(path, document)


def remove_token(path: Path, hostname: str) -> bool:
    """Remove what is stored for a host, and say whether there was anything.

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
        raise _unusable(path, "understood") from None
    if not isinstance(document, dict) or not isinstance(document.get("credentials", {}), dict):
        raise _unusable(path, "understood")
    return document


def _write(path: Path, document: Mapping[str, Any]) -> None:
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with open(unfinished, "w", encoding="utf-8", opener=_private) as file:
                json.dump(document, file, indent=2)
                file.write("\n")
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
        f"{path} cannot be {how}. It was left as it is.",
        cause="It is damaged, or its permissions do not allow it.",
        solution="Correct it, or move it away.",
    )
