"""What everything in the local backend works with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from tfruns.local.queue import Priority
from tfruns.local.reading import Reading
from tfruns.local.store.database import Database
from tfruns.local.store.objects import Objects
from tfruns.local.token_cache import TokenCache


class Dispatcher(Protocol):
    """Where phases go to be executed."""

    def dispatch(self, run_id: str, phase: str, priority: Priority) -> None:
        """Have a phase executed, once a worker is free. To dispatch one twice is to dispatch it once."""
        ...


@dataclass(frozen=True, slots=True)
class Options:
    """How a backend behaves.

    Attributes:
        terraform_version: of the Terraform that is installed.
        force_cancel_after: the cool-off between a cancel and a force-cancel.
    """

    terraform_version: str
    force_cancel_after: timedelta = timedelta(seconds=10)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Backend:
    """The parts of one backend."""

    database: Database
    objects: Objects
    dispatcher: Dispatcher
    options: Options
    now: Callable[[], datetime] = field(default=_now)
    reading: Reading = field(default_factory=Reading)
    tokens: TokenCache = field(default_factory=TokenCache)
