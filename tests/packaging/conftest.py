"""The package, built once for all tests, offline."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

_TIMEOUT_S = 120


@pytest.fixture(scope="session")
def dist(processes: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the wheel and the source distribution."""
    directory = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", str(directory)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return directory


@pytest.fixture(scope="session")
def wheel(dist: Path) -> Path:
    [path] = dist.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def source_distribution(dist: Path) -> Path:
    [path] = dist.glob("*.tar.gz")
    return path
