"""Source files are small and finished, no file contains a package index, and generated pages are current."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, module_name, source_files, tracked_files
from tests.support.tables import rows

_MAX_LINES = 500  # lines
_UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b")

# Split, so that the test does not find this file.
_INDEXES = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pypi", "python", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("npmjs", "com"),
        ("registry", "yarnpkg", "com"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
        ("sum", "golang", "org"),
        ("rubygems", "org"),
        ("conda", "anaconda", "org"),
    )
]
_INDEX = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, _INDEXES))})\b", re.IGNORECASE)
_OPTION = re.compile(r"^\s*(--(extra-)?index-url|-i)\b", re.MULTILINE)


FILES = source_files()


@rows("path", FILES, ids=map(module_name, FILES))
def test_source_files_are_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= _MAX_LINES


@rows("path", FILES, ids=map(module_name, FILES))
def test_source_files_have_no_leftovers(path: Path) -> None:
    assert _UNFINISHED.findall(path.read_text(encoding="utf-8")) == []


@rows("path", FILES, ids=map(module_name, FILES))
def test_source_files_have_a_docstring(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not text.strip() or text.startswith('"""')


@pytest.mark.processes
def test_no_tracked_file_contains_a_package_index() -> None:
    texts = {path: text for path in tracked_files() if (text := _text(path)) is not None}
    assert len(texts) > 50, "git listed too few files"
    named = {
        str(path.relative_to(ROOT)): found[0]
        for path, text in texts.items()
        if (found := _INDEX.search(text)) is not None
    }
    assert named == {}


def test_requirements_files_set_no_index() -> None:
    files = sorted(ROOT.glob("requirements*"))
    assert files
    assert [path.name for path in files if _OPTION.search(path.read_text(encoding="utf-8"))] == []


@rows("host", _INDEXES)
def test_index_url_is_recognized(host: str) -> None:
    assert _INDEX.search(f"see https://files.{host}/simple or {host.upper()}")
    assert not _INDEX.search("HCP Terraform's registry, registry.terraform.io; my-crates.iodine")


def _text(path: Path) -> str | None:
    """The text of a file; None if it is binary."""
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


@pytest.mark.processes
def test_generated_pages_are_current() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/generate_docs.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
