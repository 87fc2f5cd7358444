"""The documented endpoints of HCP Terraform's API, and those that the local backend does not serve."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tfruns.local.api.endpoints import ENDPOINTS

_DOCUMENTED = Path(__file__).parent / "documented_endpoints.txt"

Endpoints = Mapping[str, list[tuple[str, str]]]
"""Methods and paths, by page of the API reference."""


def documented_endpoints() -> Endpoints:
    """The endpoints in documented_endpoints.txt."""
    found: dict[str, list[tuple[str, str]]] = {}
    family = ""
    for line in _DOCUMENTED.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            family = line.strip("[]")
        elif line and not line.startswith("#"):
            method, path = line.split(" ")
            found.setdefault(family, []).append((method, path))
    return found


def without_parameter_names(path: str) -> str:
    """A path without the names of its parameters, which differ between sources."""
    return re.sub(r":\w+|\{\w+\}", "{}", path)


def missing_endpoints() -> tuple[Endpoints, list[str]]:
    """The missing endpoints of pages that are partly served, and the pages of which no endpoint is served."""
    served = {(entry.method, without_parameter_names(entry.path)) for entry in ENDPOINTS}
    partly, wholly = {}, []
    for family, endpoints in sorted(documented_endpoints().items()):
        absent = [(method, path) for method, path in endpoints if (method, without_parameter_names(path)) not in served]
        if len(absent) == len(endpoints):
            wholly.append(family)
        elif absent:
            partly[family] = absent
    return partly, wholly


def missing_table() -> Iterator[str]:
    """The missing endpoints as a Markdown table."""
    partly, wholly = missing_endpoints()
    yield "| page of the reference | missing endpoints |\n|---|---|"
    for family, endpoints in partly.items():
        yield f"| {family} | {', '.join(f'`{method} {path}`' for method, path in endpoints)} |"
    yield f"| all endpoints of | {', '.join(wholly)} |"
