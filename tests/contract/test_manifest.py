"""The requirements and the tests fit: each requirement has a test, and no test names one that there is not."""

import importlib
from pathlib import Path

from tests.contract.manifest import REQUIREMENTS


def _shown() -> dict[str, list[str]]:
    """The tests of this directory with the requirements that they show."""
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


def test_every_requirement_is_shown_by_a_test() -> None:
    assert sorted(set(REQUIREMENTS) - {name for names in _shown().values() for name in names}) == []


def test_every_test_shows_a_requirement_that_there_is() -> None:
    assert {test: names for test, names in _shown().items() if not names or not set(names) <= set(REQUIREMENTS)} == {}
