"""The package, built once for all tests: offline, as whoever installs it gets it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

_WITHIN_S = 120


@pytest.fixture(scope="session")
def built(processes: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the wheel and the source distribution."""
    directory = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", str(directory)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_WITHIN_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return directory


@pytest.fixture(scope="session")
def wheel(built: Path) -> Path:
    [path] = built.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def source_distribution(built: Path) -> Path:
    [path] = built.glob("*.tar.gz")
    return path
