"""The plan line of a command with --wait claims only what the API reported."""

from types import SimpleNamespace
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from tfruns.cli.watch import RunLogs, counts_line

ZEROS = {"add": 0, "change": 0, "destroy": 0}


def test_each_kind_of_change_has_its_own_wording() -> None:
    lines = {
        "2 to add, 1 to import": {"add": 2, "change": 0, "destroy": 0, "import": 1},
        "1 to forget": ZEROS | {"forget": 1},
        "2 actions to invoke": ZEROS | {"invoke": 2},
        "2 output changes": ZEROS | {"outputs": 2},
        "1 resource changed outside of Terraform": ZEROS | {"drift": 1},
        "1 change that tfruns does not know": ZEROS | {"unknown": 1},
        "1 deferred to a later run": ZEROS | {"deferred": 1},
    }
    assert {counts_line(counts, has_changes=True): counts for counts in lines.values()} == lines


def test_without_counts_the_line_depends_on_has_changes() -> None:
    assert counts_line(ZEROS, has_changes=False) == "no changes"
    assert counts_line(ZEROS, has_changes=True) == "changes that the API does not count"
    assert counts_line(ZEROS, has_changes=None) == "no changes that the API counts"
    assert counts_line(ZEROS | {"move": 1}, has_changes=False) == "nothing to apply (1 to move)"


class _FinishedLog:
    """A log with one line, which names its phase."""

    def __init__(self, client: None, run_id: str, phase: str, masker: object) -> None:
        self._line = f"{run_id} {phase}"
        self.is_over = False

    async def more(self) -> list[str]:
        self.is_over = True
        return [self._line]


class _Shown:
    """A display that keeps the lines."""

    def __init__(self) -> None:
        self.kept: list[str] = []

    def lines(self, lines: list[str]) -> None:
        self.kept += lines


@pytest.mark.anyio
async def test_apply_that_starts_before_the_first_report_has_both_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tfruns.cli.watch.LogStream", _FinishedLog)
    session: Any = SimpleNamespace(gate=SimpleNamespace(client=None))
    shown: Any = _Shown()
    logs = RunLogs(session, "run-1", shown, ("plan", "apply"))
    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            group.start_soon(logs.follow)
            await anyio.lowlevel.checkpoint()
            logs.begin("apply")
    assert shown.kept == ["run-1 plan", "run-1 apply"]
