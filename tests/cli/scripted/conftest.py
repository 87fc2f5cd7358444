"""Commands against a scripted API, in the organization acme."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.browser import FakeBrowser
from tests.support.command import Shell
from tests.support.http_api import HttpApi


@pytest.fixture
def api() -> Iterator[HttpApi]:
    with HttpApi() as api:
        yield api


@pytest.fixture
def shell(api: HttpApi, tmp_path: Path) -> Shell:
    variables = {"TFE_ADDRESS": api.address, "TFE_TOKEN": "fakeToken1234", "TF_CLOUD_ORGANIZATION": "acme"}
    return Shell(tmp_path / "here", {"TERM": "xterm-256color", **variables})


@pytest.fixture
def browser(tmp_path: Path) -> FakeBrowser:
    return FakeBrowser(tmp_path)
