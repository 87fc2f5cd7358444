"""What all tests share: no test sees the environment or the home of who runs it."""

import gc
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tfruns.masking.redaction import RememberedSecrets

pytest_plugins = ["tests.support.processes", "tests.support.properties", "tests.support.stores"]

_numbers = count()
_OURS = ("TFE_", "TFC_", "TF_", "TFRUNS_")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Keep the garbage collector away from the tests and modules, which stay: it would search them again and again."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where each test has a home; `mktemp` would list them all for each."""
    return tmp_path_factory.mktemp("homes")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, homes: Path) -> None:
    for name in list(os.environ):
        if name.startswith(_OURS) or name.lower().endswith("_proxy") or name == "XDG_STATE_HOME":
            monkeypatch.delenv(name)
    monkeypatch.setenv("TFRUNS_IDLE_EXIT", "0")  # no server outlives the test that starts it
    home = homes / str(next(_numbers))
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr(Path, "home", lambda: home)
    monkeypatch.setattr("tfruns.masking.redaction.OF_THIS_PROCESS", RememberedSecrets())


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
