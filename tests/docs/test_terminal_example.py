"""The terminal session in docs/get-started.md matches the output of its commands."""

import re
import shlex
from pathlib import Path

import pytest

from tests.docs.pages import blocks
from tests.support.command import run_merged
from tests.support.stdio import environment

_GENERATED = re.compile(
    r"\b(?:run|ws|cv)-\w{16}\b|https?://\S+|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
)
_OMITTED = "…"


def _normalize(line: str) -> str:
    return " ".join(_GENERATED.sub("*", line).split())


def _session() -> list[tuple[list[str], list[str]]]:
    """The commands of the session, each with the lines that the page shows."""
    [block] = [
        block for block in blocks("text") if block.page == "docs/get-started.md" and "$ tfruns run create" in block.code
    ]
    steps: list[tuple[list[str], list[str]]] = []
    for line in block.code.splitlines():
        if line.startswith("$ "):
            steps.append((shlex.split(line.removeprefix("$ ")), []))
        else:
            steps[-1][1].append(line)
    return steps


def _missing(shown: list[str], printed: list[str]) -> list[str]:
    """The shown lines that were not printed in this order."""
    rest = iter(map(_normalize, printed))
    return [line for line in shown if line != _OMITTED and _normalize(line) not in rest]


@pytest.mark.processes
def test_terminal_session_is_current(tmp_path: Path) -> None:
    env = environment(tmp_path, TFRUNS_DATA_DIR=str(tmp_path / "data"), TFRUNS_IDLE_EXIT="10m")
    directory = tmp_path / "configuration"
    directory.mkdir()
    (directory / "main.tf").write_text('resource "terraform_data" "first" {}\n', encoding="utf-8")
    steps = _session()
    try:
        for (_, *words), shown in steps:
            printed = _run(directory, env, *words)
            assert _missing(shown, printed) == [], "\n".join(["Update docs/get-started.md. Printed:", *printed])
    finally:
        _run(directory, env, "server", "stop", "--force")
    assert len(steps) >= 3


def _run(directory: Path, env: dict[str, str], *words: str) -> list[str]:
    return run_merged(words, directory=directory, env=env)[1].splitlines()


def test_missing_lines_respect_the_order() -> None:
    printed = ["Created run-0123456789abcdef.", "status   planned", "next     Wait."]
    assert _missing(["Created run-fedcba9876543210.", _OMITTED, "next Wait."], printed) == []
    assert _missing(["next Wait.", "status planned"], printed) == ["status planned"]
