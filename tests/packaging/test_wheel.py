"""The content of the wheel and the source distribution, and the installed wheel."""

import email
import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from email.message import Message
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, tracked_files
from tests.support.stdio import PATIENCE_S
from tfruns._version import __version__


def _names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        return email.message_from_bytes(archive.read(f"tfruns-{__version__}.dist-info/METADATA"))


def test_wheel_contains_exactly_the_package_files(wheel: Path) -> None:
    names = _names(wheel)
    tracked = {path.relative_to(ROOT / "src").as_posix() for path in tracked_files() if ROOT / "src" in path.parents}
    assert {name for name in names if ".dist-info/" not in name} == tracked
    assert {"tfruns/py.typed", "tfruns/local/store/migrations/versions/rev_0001.py"} <= names


def test_wheel_is_platform_independent_and_has_the_license(wheel: Path) -> None:
    assert wheel.name == f"tfruns-{__version__}-py3-none-any.whl"
    assert f"tfruns-{__version__}.dist-info/licenses/LICENSE" in _names(wheel)


def test_metadata_is_correct(metadata: Message) -> None:
    assert (metadata["Name"], metadata["Version"]) == ("tfruns", __version__)
    assert (metadata["License-Expression"], metadata["Requires-Python"]) == ("Apache-2.0", ">=3.11")
    assert {"local", "passkey", "postgresql"} == set(metadata.get_all("Provides-Extra", []))
    classifiers = metadata.get_all("Classifier", [])
    assert {f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13, 14)} <= set(classifiers)
    assert metadata.get_all("Project-URL") is None, "the project has no public URL"


def test_source_distribution_has_the_files_for_make(source_distribution: Path) -> None:
    with tarfile.open(source_distribution) as archive:
        files = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    for path in ("Makefile", "requirements-dev.txt", "requirements-docs.txt", "demo/__main__.py", "demo/shop/main.tf"):
        assert path in files
    for directory in ("src", "tests", "docs", "scripts", "bench"):
        assert any(name.startswith(f"{directory}/") for name in files)
    tracked = {path.relative_to(ROOT).as_posix() for path in tracked_files()}
    assert files - tracked == {"PKG-INFO"}


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin directory of a new environment with the wheel. Dependencies come from the current environment."""
    environment = tmp_path_factory.mktemp("installed")
    _run(sys.executable, "-m", "venv", "--without-pip", str(environment))
    python = str(environment / "bin" / "python")
    _run(
        sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-deps", str(wheel),
        PIP_DISABLE_PIP_VERSION_CHECK="1",
    )  # fmt: skip
    return environment / "bin"


def _run(*command: str, **env: str) -> str:
    done = subprocess.run(
        command, env=os.environ | env, cwd="/", capture_output=True, text=True, timeout=PATIENCE_S * 4, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _run_installed(*command: str) -> str:
    return _run(*command, PYTHONPATH=sysconfig.get_path("purelib"))


def test_installed_command_prints_its_version(installed: Path) -> None:
    assert _run_installed(str(installed / "tfruns"), "--version") == f"tfruns {__version__}\n"
    assert _run_installed(str(installed / "python"), "-m", "tfruns", "--version") == f"tfruns {__version__}\n"


def test_installed_package_can_be_imported(installed: Path) -> None:
    location = _run_installed(str(installed / "python"), "-c", "import tfruns; print(tfruns.__file__); tfruns.Client")
    assert Path(location.strip()).is_relative_to(installed.parent), "imported from the checkout"


def test_installed_local_backend_finds_its_migrations(installed: Path, tmp_path: Path) -> None:
    program = (
        "import asyncio, pathlib, sys, tfruns.local\n"
        "async def main():\n"
        "    async with tfruns.local.client(pathlib.Path(sys.argv[1])) as client:\n"
        "        print([run.id async for run in client.runs.list_for_organization('default')])\n"
        "asyncio.run(main())\n"
    )
    assert _run_installed(str(installed / "python"), "-c", program, str(tmp_path / "data")) == "[]\n"
