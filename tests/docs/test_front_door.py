"""The README and the landing page: short, with commands that work and a picture of a real session."""

import re
import shlex
import shutil
import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path

import pytest

from record_session import PICTURE, SESSION, record
from session_picture import picture
from tests.architecture.source import ROOT
from tests.docs.pages import blocks
from tests.support.command import run_merged
from tests.support.local_server import LocalServer
from tests.support.stdio import environment

_README = (ROOT / "README.md").read_text(encoding="utf-8")
_INDEX = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
_EXIT_CODES = {0, 10}  # done; the run waits for a person
_NOT_RUN = {"uv tool install '.[local]'", "tfruns login", "tfruns web"}  # covered by tests/packaging and tests/cli
_GENERATED = re.compile(
    r"\b(?:run|ws|cv)-\w{16}\b|https?://\S+|\b[0-9a-f]{8}-[0-9a-f-]{27}\b|\b[0-9a-f]{32}\b|\[\d\]|1\.\d+\.\d+"
)


def test_readme_is_short_and_begins_with_a_sentence_and_a_picture() -> None:
    lines = _README.splitlines()
    assert len(lines) <= 200
    paragraphs = _README.split("\n\n")
    assert paragraphs[2].count(". ") == 0, "one sentence"
    assert paragraphs[3].endswith("(docs/images/session.svg)")


def test_first_commands_are_three_lines_each_and_equal_on_the_landing_page() -> None:
    first = [block.code for block in blocks("shell") if block.page == "README.md"][:2]
    assert [code.count("\n") for code in first] == [3, 3]
    assert [block.code for block in blocks("shell") if block.page == "docs/index.md"] == first


def _commands(page: str) -> list[str]:
    lines = [line for block in blocks("shell") if block.page == page for line in block.code.splitlines()]
    return [command for line in lines if (command := line.partition("#")[0].strip()) and command not in _NOT_RUN]


@pytest.mark.processes
@pytest.mark.parametrize("page", ["README.md", "docs/get-started.md", "docs/troubleshooting.md"])
def test_commands_of_the_page_work(page: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "demo" / "shop", tmp_path / "demo" / "shop")
    with _server(tmp_path) as env:
        run_id = _created(tmp_path, env)
        assert _run(f"tfruns run discard {run_id}", tmp_path, env)[0] == 0
        commands = _commands(page)
        assert commands
        for command in commands:
            code, printed = _run(command.replace("run-CZcmD7eagjhyX0vN", run_id), tmp_path, env)
            assert code in _EXIT_CODES, f"{command}\n{printed}"


# What the commands of docs/workspaces.md answer in a workspace with one applied run, where another answer than success
# is right.
_REFUSED = {
    "tfruns workspace unlock network --force": "The workspace is not locked.",
    "tfruns workspace create network": "The workspace default/network already exists.",
    "tfruns state rollback": "is the current state. Nothing was sent.",
    "tfruns variable delete region": "This command needs confirmation",
    "tfruns workspace delete practice": "This command needs confirmation",
}


@pytest.mark.processes
def test_commands_of_the_workspaces_page_work(tmp_path: Path) -> None:
    pages = [block.code for block in blocks("shell") if block.page == "docs/workspaces.md"]
    assert len(pages) >= 5
    with _server(tmp_path) as env:
        run_id = _created(tmp_path, env, "--auto-apply", "--yes")
        _run("tfruns workspace create practice", tmp_path, env)
        state_id = _id("sv", _run("tfruns state list --workspace network", tmp_path, env)[1])
        for code in pages:
            _run("tfruns workspace unlock network", tmp_path, env)
            for line in code.splitlines():
                command = re.split(r" +[#<]", line)[0]
                known = command.replace("run-CZcmD7eagjhyX0vN", run_id).replace("sv-bWfq4Y1YpRKW4mx7", state_id)
                status, printed = _run(known, tmp_path, env)
                refusal = next((text for begin, text in _REFUSED.items() if command.startswith(begin)), None)
                is_right = status == 0 if refusal is None else refusal in printed
                assert is_right, f"{command}\n{printed}"


@contextmanager
def _server(directory: Path) -> Iterator[dict[str, str]]:
    """The environment of a command that uses a server, in a directory with a configuration."""
    shutil.copy(ROOT / "demo" / "shop" / "main.tf", directory)
    with LocalServer(directory / "data") as server:
        more = {"TFE_TOKEN": server.token, "TF_CLOUD_ORGANIZATION": "default", "TFRUNS_DATA_DIR": str(server.data_dir)}
        yield environment(directory, TFE_ADDRESS=server.url, **more)


def _created(directory: Path, env: dict[str, str], *options: str) -> str:
    """Create the workspace of the examples and a run, and return the id of the run."""
    _run("tfruns workspace create network", directory, env)
    line = shlex.join(["tfruns", "run", "create", "--workspace", "network", "--directory", ".", "--wait", *options])
    return _id("run", _run(line, directory, env)[1])


def _id(kind: str, printed: str) -> str:
    found = re.search(rf"\b{kind}-\w{{16}}\b", printed)
    assert found, printed
    return found[0]


def _run(command: str, directory: Path, env: dict[str, str]) -> tuple[int, str]:
    return run_merged(shlex.split(command)[1:], directory=directory, env=env)


def _lines(svg: str) -> Counter[str]:
    """The lines of a picture, without what differs between two sessions. Terraform's order varies."""
    texts = (unescape(re.sub(r"<[^>]+>", "", line)) for line in re.findall(r"<text.*</text>", svg))
    return Counter(_GENERATED.sub("*", text) for text in texts)


@pytest.mark.processes
def test_picture_shows_the_current_session() -> None:
    drawn = PICTURE.read_text(encoding="utf-8")
    assert _lines(picture(record())) == _lines(drawn), "Outdated: run scripts/record_session.py."
    assert "tfruns run apply" in {command.line for command in SESSION}


def test_picture_is_animated_respects_reduced_motion_and_loads_nothing() -> None:
    drawn = PICTURE.read_text(encoding="utf-8")
    assert "@keyframes scroll" in drawn
    assert "@media (prefers-reduced-motion: no-preference)" in drawn
    assert re.findall(r"(?:href|src|url)\s*[=(]", drawn) == []
    assert set(re.findall(r"https?://([^/:\s<]+)", drawn)) == {"www.w3.org", "127.0.0.1"}
    assert "<script" not in drawn


def test_readme_shows_a_page_in_both_themes() -> None:
    """scripts/record_pages.py takes the pictures."""
    [picture] = re.findall(r"<picture>.*?</picture>", _README, re.DOTALL)
    assert re.findall(r'(?:src|srcset)="([^"]+)"', picture) == ["docs/images/run-dark.png", "docs/images/run-light.png"]
    assert 'media="(prefers-color-scheme: dark)"' in picture
    assert 'alt="A run page' in picture
    found = set()
    for theme in ("light", "dark"):
        content = (ROOT / "docs" / "images" / f"run-{theme}.png").read_bytes()
        assert content.startswith(b"\x89PNG\r\n\x1a\n")
        assert struct.unpack(">II", content[16:24]) == (1200, 640)
        assert len(content) < 150_000
        found.add(content)
    assert len(found) == 2
