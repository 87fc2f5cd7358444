"""What a check of `tfruns doctor` finds. No check hides another's failure, and none takes longer than it may."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tfruns.errors import TfrunsError
from tfruns.masking.redaction import redact

WITHIN_S = 15.0  # for one check


class Health(StrEnum):
    """How it stands with what was looked at."""

    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    Attributes:
        health: how it stands.
        text: what there is.
        remedy: what to do about it, where something is wrong.
    """

    health: Health
    text: str
    remedy: str = ""


def ok(text: str) -> Finding:
    """It is well."""
    return Finding(Health.OK, text)


def warning(text: str, remedy: str) -> Finding:
    """It works, and may not always."""
    return Finding(Health.WARNING, text, remedy)


def broken(text: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(Health.BROKEN, text, remedy)


def skipped(text: str) -> Finding:
    """It cannot be looked at, or need not be."""
    return Finding(Health.SKIPPED, text)


Check = Callable[[], Awaitable[Finding]]


@dataclass(frozen=True, slots=True)
class Named:
    """A check and its name."""

    name: str
    check: Check


async def examine(checks: Sequence[Named], *, within_s: float = WITHIN_S) -> list[tuple[str, Finding]]:
    """What the checks find, side by side; in their order."""
    found = await asyncio.gather(*(_found(named.check, within_s) for named in checks))
    return [(named.name, finding) for named, finding in zip(checks, found, strict=True)]


async def _found(check: Check, within_s: float) -> Finding:
    try:
        return await asyncio.wait_for(check(), within_s)
    except TimeoutError:
        return broken(f"It took longer than {within_s:.0f} s.", "Look whether the network or the disk hangs.")
    except TfrunsError as error:
        return broken(error.message, error.solution)
    except Exception as error:  # noqa: BLE001  # a check's own mistake is a finding too, and hides no other
        return broken(redact(f"The check failed: {type(error).__name__}: {error}"), "Report this to tfruns.")
