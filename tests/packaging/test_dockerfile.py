"""The Dockerfile, checked without building it."""

import re

from tests.architecture.source import ROOT

_TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
_INSTRUCTIONS = re.findall(r"^([A-Z]+) (.*)$", _TEXT, re.MULTILINE)


def test_image_is_slim_and_runs_as_unprivileged_user() -> None:
    last_stage = _TEXT.rpartition("\nFROM ")[2]
    assert re.search(r"^USER (?!root\b|0\b)\w+$", last_stage, re.MULTILINE)
    assert last_stage.splitlines()[0].endswith("-slim")


def test_untested_build_is_documented() -> None:
    assert "Building it is not tested" in _TEXT
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert "[Dockerfile](Dockerfile), whose build is not tested" in readme


def test_copied_files_exist() -> None:
    copied = [words.split()[:-1] for name, words in _INSTRUCTIONS if name == "COPY" and "--from" not in words]
    assert copied
    assert [path for paths in copied for path in paths if not (ROOT / path).exists()] == []
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert not {path.removeprefix("./") for paths in copied for path in paths} & set(ignored)
