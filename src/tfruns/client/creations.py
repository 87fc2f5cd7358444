"""The runs that this process is creating, so that one call never claims the run of another.

Two calls can be confused if the run of one would match the options of the other. A call cannot claim a run that it
finds if such a call was ever in progress at the same time, or if an earlier one has an unknown outcome and its run may
still appear.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tfruns.client.address import Address
from tfruns.client.clock import Clock
from tfruns.client.lost_responses import DEFAULT_MESSAGE
from tfruns.errors import OutcomeUnknown
from tfruns.jsonapi import JSON
from tfruns.wire.run_params import RunParams

_UNKNOWN_OUTCOME_S = 600.0  # how long the run of a call with an unknown outcome may take to appear
_MAX_CREATED = 1000

# The options that every version of the API returns for a run, with their defaults; None without a default.
_DISTINGUISHING: dict[str, JSON] = {
    "message": DEFAULT_MESSAGE,
    "is_destroy": False,
    "refresh": True,
    "refresh_only": False,
    "plan_only": None,
    "auto_apply": None,
    "target_addrs": (),
    "replace_addrs": (),
    "configuration_version_id": None,
}


@dataclass(eq=False, slots=True)
class Creation:
    """A call that creates a run. `is_ambiguous` once another call could have created a matching run."""

    address: Address
    workspace_id: str
    description: dict[str, JSON] = field(repr=False)
    is_ambiguous: bool = False

    def could_be(self, other: "Creation") -> bool:
        """Whether the run of one could be mistaken for the run of the other."""
        if (self.address, self.workspace_id) != (other.address, other.workspace_id):
            return False
        pairs = ((value, other.description[name]) for name, value in self.description.items())
        return all(one is None or two is None or one == two for one, two in pairs)


_in_progress: list[Creation] = []  # shared by all clients of this process: they may use the same workspace


class Creations:
    """The creations of one client.

    Attributes:
        created: ids of the runs that its calls created.
    """

    def __init__(self, address: Address, clock: Clock) -> None:
        self._address = address
        self._clock = clock
        self._unknown: deque[tuple[float, Creation]] = deque()
        self.created: deque[str] = deque(maxlen=_MAX_CREATED)

    @contextmanager
    def begin(self, workspace_id: str, params: RunParams) -> Iterator[Creation]:
        """Track a creation until it returns a run, is refused, or has an unknown outcome."""
        creation = Creation(self._address, workspace_id, _description(params))
        self._forget()
        for other in _in_progress:
            if creation.could_be(other):
                creation.is_ambiguous = other.is_ambiguous = True
        if any(creation.could_be(other) for _, other in self._unknown):
            creation.is_ambiguous = True
        _in_progress.append(creation)
        try:
            yield creation
        except BaseException as error:
            if isinstance(error, OutcomeUnknown) or not isinstance(error, Exception):  # or canceled
                self._unknown.append((self._clock.monotonic() + _UNKNOWN_OUTCOME_S, creation))
            raise
        finally:
            _in_progress.remove(creation)

    def _forget(self) -> None:
        while self._unknown and self._unknown[0][0] < self._clock.monotonic():
            self._unknown.popleft()


def _description(params: RunParams) -> dict[str, JSON]:
    """The options that distinguish a run, as hashes: a message may contain secrets."""
    given = params.model_dump(include=set(_DISTINGUISHING), exclude_none=True)
    values = {**_DISTINGUISHING, **given}
    return {name: value if value is None else hash(_plain(value)) for name, value in values.items()}


def _plain(value: JSON) -> JSON:
    return tuple(sorted(value)) if isinstance(value, list | tuple) else value
