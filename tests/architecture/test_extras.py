"""What works without the extras of the package: everything for HCP Terraform and Terraform Enterprise."""

import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.source import ROOT

# The module of a distribution with another name.
_MODULES = {"pyjwt": "jwt"}
_IMPORTED = ("tfruns.cli.app", "tfruns.cli.web.serve", "tfruns.mcp.server", "tfruns.web.loopback_server", "tfruns.sync")
_PROGRAM = """
import importlib, sys
for name in sys.argv[1].split(","):
    sys.modules[name] = None  # an import of it fails
for name in sys.argv[2].split(","):
    importlib.import_module(name)
"""


def _only_in_extras() -> set[str]:
    """The modules of the distributions that an installation without extras does not have."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {_name(line) for lines in project["optional-dependencies"].values() for line in lines}
    missing = extras - _with_dependencies(project["dependencies"])
    return {_MODULES.get(name, name) for name in missing}


def _with_dependencies(requirements: Iterable[str]) -> set[str]:
    """The names of distributions and of all that they require."""
    found: set[str] = set()
    rest = [(line, frozenset({""})) for line in requirements]
    seen = set()
    while rest:
        line, extras = rest.pop()
        requirement = Requirement(line)
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras):
            name = canonicalize_name(requirement.name)
            found.add(name)
            wanted = frozenset({"", *requirement.extras})
            if (name, wanted) not in seen:
                seen.add((name, wanted))
                rest += [(further, wanted) for further in metadata.requires(name) or []]
    return found


def _name(requirement: str) -> str:
    return canonicalize_name(Requirement(requirement).name)


@pytest.mark.processes
def test_remote_backends_need_no_library_of_an_extra() -> None:
    blocked = _only_in_extras()
    assert {"httptools", "sqlalchemy", "webauthn"} <= blocked
    command = [sys.executable, "-c", _PROGRAM, ",".join(sorted(blocked)), ",".join(_IMPORTED)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
