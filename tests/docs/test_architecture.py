"""The files and functions that hand-written pages name exist."""

import re

from tests.architecture.source import ROOT
from tests.docs.pages import name_of

_PACKAGE = ROOT / "src" / "tfruns"
_BASES = (_PACKAGE, _PACKAGE / "local", _PACKAGE / "client", ROOT)
_PAGES = [ROOT / "docs" / "architecture.md", *sorted((ROOT / "docs" / "decisions").glob("*.md"))]
_PATH = re.compile(r"`([a-z_]+(?:/[a-z_0-9]+)*(?:\.py|/))`")
_DEFINITION = re.compile(r"`([\w/]+\.py)`: `([\w.]+)`")


def test_named_source_files_exist() -> None:
    missing = {
        f"{name_of(page)}: {path}"
        for page in _PAGES
        for path in _PATH.findall(page.read_text(encoding="utf-8"))
        if not any((base / path).exists() for base in _BASES)
    }
    assert missing == set()


def test_each_package_is_described() -> None:
    page = _PAGES[0].read_text(encoding="utf-8")
    names = {
        f"{path.name}/" if path.is_dir() else path.name
        for path in _PACKAGE.iterdir()
        if not path.name.startswith("_") and (path.is_dir() or path.suffix == ".py")
    }
    assert {name for name in names if f"`{name}`" not in page} == set()


def test_named_definitions_exist() -> None:
    found = _DEFINITION.findall(_PAGES[0].read_text(encoding="utf-8"))
    assert len(found) >= 4
    missing = []
    for path, name in found:
        source = (_PACKAGE / path).read_text(encoding="utf-8")
        last = name.rpartition(".")[2]
        if not re.search(rf"^\s*(?:async def|def|class) {last}\b|^{last}\b", source, re.MULTILINE):
            missing.append(f"{path}: {name}")
    assert missing == []
