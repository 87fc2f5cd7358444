"""The checks of `tfruns doctor` and their findings. Each check has a time limit, and fails independently."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tfruns.cli.terminal import in_terminal
from tfruns.errors import TfrunsError
from tfruns.masking.redaction import redact

CHECK_TIMEOUT_S = 15.0


class Health(StrEnum):
    """The result of a check."""

    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """The finding of a check.

    Attributes:
        health: the result.
        text: the details.
        remedy: how to solve the problem; may be empty.
    """

    health: Health
    text: str
    remedy: str = ""


def ok(text: str) -> Finding:
    """A check that succeeded."""
    return Finding(Health.OK, text)


def warning(text: str, remedy: str) -> Finding:
    """A check that found something that may cause problems."""
    return Finding(Health.WARNING, text, remedy)


def broken(text: str, remedy: str) -> Finding:
    """A check that found something that does not work."""
    return Finding(Health.BROKEN, text, remedy)


def skipped(text: str) -> Finding:
    """A check that is impossible or not needed."""
    return Finding(Health.SKIPPED, text)


@dataclass(frozen=True, slots=True)
class Check:
    """A check with its name."""

    name: str
    run: Callable[[], Awaitable[Finding]]


async def run_checks(checks: Sequence[Check], *, timeout_s: float = CHECK_TIMEOUT_S) -> list[tuple[str, Finding]]:
    """Run checks concurrently, and return their findings in the order of the checks."""
    findings = await asyncio.gather(*(_finding_of(check, timeout_s) for check in checks))
    return [(check.name, finding) for check, finding in zip(checks, findings, strict=True)]


async def _finding_of(check: Check, timeout_s: float) -> Finding:
    try:
        return await asyncio.wait_for(check.run(), timeout_s)
    except TimeoutError:
        return broken(f"Timed out after {timeout_s:.0f} s.", "Check whether the network or the disk is slow.")
    except TfrunsError as error:
        return broken(error.message, in_terminal(error.solution))
    except Exception as error:  # noqa: BLE001  # a defect of one check must not hide the other findings
        return broken(
            redact(f"The check itself failed: {type(error).__name__}: {error}"), "Report this as a bug in tfruns."
        )
