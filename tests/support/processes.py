"""Fast tests start no process: the others carry the marker `processes`, by hand or through a fixture.

`make test-fast` runs the tests without the marker (`-m "not processes"`). All tests in some directories have it; these
are not even imported then. A fixture that starts a process requests the fixture `processes`, and every test that uses
it, directly or through other fixtures, gets the marker. A test that starts a process itself is marked by hand. A test
that starts a process without the marker fails.
"""

import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

_TESTS = Path(__file__).parents[1]
_WITH_PROCESSES = {_TESTS / name for name in ("cli/run", "cli/scripted", "e2e", "foreign", "web/browser")}
_WITHOUT_MARKER = "not processes"
_STARTING = frozenset({"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "os.exec"})


@dataclass
class _Watch:
    """The processes that the current test has started, in any thread."""

    is_on: bool = False
    started: list[str] = field(default_factory=list)

    def note(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.is_on and event in _STARTING:
            self.started.append(f"{event}{arguments[:2]}")


_WATCH = _Watch()


@pytest.fixture(scope="session")
def processes() -> None:
    """Allows a fixture to start processes."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "processes: this test starts processes, so `make test-fast` omits it")
    sys.addaudithook(_WATCH.note)
    if (
        signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    ):  # as in the background of a script; processes would inherit it
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Ignore the directories in which all tests start processes if no such test is selected."""
    return (config.option.markexpr == _WITHOUT_MARKER and collection_path in _WITH_PROCESSES) or None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that start processes, and move their files to the front.

    They take longest: at the end, one worker would execute them while the others have nothing to do.
    """
    for item in items:
        if not _WITH_PROCESSES.isdisjoint(item.path.parents) or "processes" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.processes)
    slow = {item.path for item in items if item.get_closest_marker("processes")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    yield from _watched(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    yield from _watched(item)


def _watched(item: pytest.Item) -> Iterator[None]:
    _WATCH.started.clear()
    _WATCH.is_on = item.get_closest_marker("processes") is None
    try:
        yield
    finally:
        _WATCH.is_on = False
    if _WATCH.started:
        pytest.fail(f"a test without the marker `processes` started {_WATCH.started[0]}", pytrace=False)
