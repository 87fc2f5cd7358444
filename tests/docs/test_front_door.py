"""The README and the landing page: short, with commands that work and a picture of a real session."""

import re
import shlex
import shutil
import subprocess
from collections import Counter
from html import unescape
from pathlib import Path

import pytest

from record_session import PICTURE, SESSION, record
from session_picture import picture
from tests.architecture.source import ROOT
from tests.docs.pages import blocks
from tests.support.local_server import LocalServer
from tests.support.stdio import PATIENCE_S, environment, tfruns

_README = (ROOT / "README.md").read_text(encoding="utf-8")
_INDEX = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
_EXIT_CODES = {0, 10}  # done; the run waits for a person
_NOT_RUN = {"uv tool install '.[local]'", "tfruns login"}  # covered by tests/packaging and tests/cli
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
    shutil.copy(ROOT / "demo" / "shop" / "main.tf", tmp_path)
    with LocalServer(tmp_path / "data") as server:
        env = environment(tmp_path, TFE_ADDRESS=server.url, TFE_TOKEN=server.token, TF_CLOUD_ORGANIZATION="default")
        env["TFRUNS_DATA_DIR"] = str(tmp_path / "data")
        run_id = _prepare(tmp_path, env)
        commands = _commands(page)
        assert commands
        for command in commands:
            code, printed = _run(command.replace("run-CZcmD7eagjhyX0vN", run_id), tmp_path, env)
            assert code in _EXIT_CODES, f"{command}\n{printed}"


def _prepare(directory: Path, env: dict[str, str]) -> str:
    """Create the workspace of the examples with a discarded run, and return the id of the run."""
    _run("tfruns workspace create network", directory, env)
    _, printed = _run("tfruns run create --workspace network --directory . --wait", directory, env)
    found = re.search(r"\brun-\w{16}\b", printed)
    assert found, printed
    assert _run(f"tfruns run discard {found[0]}", directory, env)[0] == 0
    return found[0]


def _run(command: str, directory: Path, env: dict[str, str]) -> tuple[int, str]:
    words = [tfruns(), *shlex.split(command)[1:]]
    done = subprocess.run(
        words, cwd=directory, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


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
