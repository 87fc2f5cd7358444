"""Each requirement has a test, and each test names existing requirements."""

import importlib
from pathlib import Path

from tests.contract.manifest import REQUIREMENTS


def _tested_requirements() -> dict[str, list[str]]:
    """The tests of this directory, with the requirements that they name."""
    modules = [
        importlib.import_module(f"tests.contract.{path.stem}") for path in Path(__file__).parent.glob("test_*.py")
    ]
    return {
        name: list(getattr(test, "requirements", []))
        for module in modules
        if module.__name__ != __name__
        for name, test in vars(module).items()
        if name.startswith("test_")
    }


def test_every_requirement_has_a_test() -> None:
    assert sorted(set(REQUIREMENTS) - {name for names in _tested_requirements().values() for name in names}) == []


def test_every_test_names_existing_requirements() -> None:
    tests = _tested_requirements()
    assert {test: names for test, names in tests.items() if not names or not set(names) <= set(REQUIREMENTS)} == {}
