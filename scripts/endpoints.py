"""The documented endpoints of HCP Terraform's API, and which of them the local backend serves."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tfruns.local.api.endpoints import ENDPOINTS

_DOCUMENTED = Path(__file__).parent / "documented_endpoints.txt"

Endpoints = Mapping[str, list[tuple[str, str]]]
"""Methods and paths, by the page of the reference."""


def documented() -> Endpoints:
    """The documented endpoints."""
    found: dict[str, list[tuple[str, str]]] = {}
    family = ""
    for line in _DOCUMENTED.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            family = line.strip("[]")
        elif line and not line.startswith("#"):
            method, path = line.split(" ")
            found.setdefault(family, []).append((method, path))
    return found


def without_names(path: str) -> str:
    """A path whose parameters have no names, which differ between sources."""
    return re.sub(r":\w+|\{\w+\}", "{}", path)


def missing() -> tuple[Endpoints, list[str]]:
    """The endpoints that are missing where others of the same page are served, and the pages that are missing whole."""
    served = {(entry.method, without_names(entry.path)) for entry in ENDPOINTS}
    partly, wholly = {}, []
    for family, endpoints in sorted(documented().items()):
        absent = [(method, path) for method, path in endpoints if (method, without_names(path)) not in served]
        if len(absent) == len(endpoints):
            wholly.append(family)
        elif absent:
            partly[family] = absent
    return partly, wholly


def missing_table() -> Iterator[str]:
    """The missing endpoints as Markdown."""
    partly, wholly = missing()
    yield "| page of the reference | missing endpoints |\n|---|---|"
    for family, endpoints in partly.items():
        yield f"| {family} | {', '.join(f'`{method} {path}`' for method, path in endpoints)} |"
    yield f"| all endpoints of | {', '.join(wholly)} |"
