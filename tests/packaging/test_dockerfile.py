"""The Dockerfile, as far as it can be looked at without building it."""

import re

from tests.architecture.source import ROOT

_TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
_INSTRUCTIONS = re.findall(r"^([A-Z]+) (.*)$", _TEXT, re.MULTILINE)


def test_it_runs_as_a_user_without_rights_from_a_slim_image() -> None:
    last_stage = _TEXT.rpartition("\nFROM ")[2]
    assert re.search(r"^USER (?!root\b|0\b)\w+$", last_stage, re.MULTILINE)
    assert last_stage.splitlines()[0].endswith("-slim")


def test_it_says_that_its_build_is_not_tested() -> None:
    assert "That it builds is not tested" in _TEXT
    assert "building it is not\ntested" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_what_it_copies_from_the_checkout_is_there() -> None:
    copied = [words.split()[:-1] for name, words in _INSTRUCTIONS if name == "COPY" and "--from" not in words]
    assert copied
    assert [path for paths in copied for path in paths if not (ROOT / path).exists()] == []
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert not {path.removeprefix("./") for paths in copied for path in paths} & set(ignored)
