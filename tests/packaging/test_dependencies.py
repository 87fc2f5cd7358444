"""The dependencies of tfruns: pinned with hashes, audited, and with the licenses that the README lists."""

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution

from packaging.requirements import Requirement

from audit import summarize
from tests.architecture.source import ROOT
from tests.support.tables import rows

_PERMISSIVE = {"MIT", "MIT-0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "PSF-2.0"}
_OTHER_NAMES = {
    "MIT License": "MIT",
    "BSD License": "BSD",
    "Apache Software License": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
}


def _runtime(name: str, extras: frozenset[str], seen: set[tuple[str, frozenset[str]]]) -> Iterator[str]:
    """The distributions that tfruns needs at run time, including indirect dependencies."""
    if (name, extras) in seen:
        return
    seen.add((name, extras))
    try:
        found = distribution(name)
    except PackageNotFoundError:  # for another platform
        return
    yield name
    for text in found.requires or []:
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras | {""}):
            yield from _runtime(requirement.name.lower(), frozenset(requirement.extras), seen)


_RUNTIME = sorted(set(_runtime("tfruns", frozenset({"local", "postgresql", "passkey"}), set())) - {"tfruns"})


def _licenses(name: str) -> set[str]:
    metadata = distribution(name).metadata.json
    names = [str(line).rpartition(" :: ")[2] for line in metadata.get("classifier", []) if "License" in line]
    text = metadata.get("license_expression") or " OR ".join(names) or metadata.get("license", "unknown")
    return {_OTHER_NAMES.get(name, name) for name in re.split(r" (?:AND|OR) ", str(text))}


def test_readme_names_every_non_permissive_license() -> None:
    assert len(_RUNTIME) > 20
    others = {name: _licenses(name) for name in _RUNTIME if not _licenses(name) <= _PERMISSIVE}
    assert others == {"psycopg": {"LGPL-3.0-only"}, "psycopg-binary": {"LGPL-3.0-only"}}
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Licenses")[2]
    assert "under MIT, BSD, Apache or PSF licenses" in section
    assert "`psycopg`, in the extra `postgresql`, is under the LGPL 3.0" in section


@rows(
    "name",
    [
        "requirements.txt",
        "requirements-demo.txt",
        "requirements-dev.txt",
        "requirements-build.txt",
        "requirements-docs.txt",
        "tests/conformance/frameworks/mcp1.txt",
        "tests/conformance/frameworks/mcp2.txt",
    ],
)
def test_every_requirement_is_pinned_with_hashes_and_no_index(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = text.splitlines()
    assert lines
    assert [
        line
        for line in lines
        if not re.match(r"[\w.-]+(\[[\w,]+\])?==[\w.]+( ; [^#]+?)?(\s+--hash=sha256:\w{64})+$", line)
    ] == []


def _pins(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==([\w.]+)", text, re.MULTILINE))


def test_image_installs_the_tested_versions() -> None:
    tested = _pins("requirements-dev.txt")
    for name in ("requirements.txt", "requirements-build.txt", "requirements-demo.txt"):
        assert {package: tested.get(package) for package in _pins(name)} == _pins(name)
    assert {_normalized(name) for name in _RUNTIME} <= {_normalized(name) for name in _pins("requirements.txt")}


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.lower())


_FINE = {"name": "a", "version": "1", "vulns": []}
_BAD = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-2026-1"}]}
_SKIPPED = {"name": "c", "skip_reason": "not found"}


@rows(
    ("dependencies", "message", "is_failure"),
    [
        ([_FINE], "1 pinned dependencies have no known vulnerabilities.", False),
        ([_FINE, _BAD, _SKIPPED], "Vulnerable dependencies:\nb 2: PYSEC-2026-1", True),
        ([_FINE, _SKIPPED], "Not in the vulnerability database: c.", True),
        ([], "No dependency was checked: the vulnerability database is unreachable.", False),
        ([_SKIPPED], "No dependency was checked: the vulnerability database is unreachable.", False),
    ],
)
def test_audit_fails_for_a_vulnerable_or_unknown_dependency(
    dependencies: list[dict[str, object]], message: str, is_failure: bool
) -> None:
    assert summarize([{"dependencies": dependencies}]) == (message, is_failure)
