"""The runs that this process is creating, so that the run of one call is never taken for that of another.

Two calls can be confused if a run of the one could be what the other asked for. A call that was ever under way
together with such another one cannot claim a run that it finds; neither can one that follows a call of unknown
outcome, whose run may still appear.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tfruns.client.address import Address
from tfruns.client.clock import Clock
from tfruns.client.recovery import DEFAULT_MESSAGE
from tfruns.errors import OutcomeUnknown
from tfruns.jsonapi import JSON
from tfruns.wire.run_params import RunParams

_LINGERS_S = 600.0  # how long the run of an unknown outcome may take to appear
_MAX_CREATED = 1000

# The options that every version of the API shows of a run. Where one is not given, it is the default, if it has one.
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
    """A call that creates a run. `is_confused` once another one could have created the same."""

    address: Address
    workspace_id: str
    description: dict[str, JSON] = field(repr=False)
    is_confused: bool = False

    def could_be(self, other: "Creation") -> bool:
        """Whether a run of one of them could be taken for that of the other."""
        if (self.address, self.workspace_id) != (other.address, other.workspace_id):
            return False
        pairs = ((value, other.description[name]) for name, value in self.description.items())
        return all(one is None or two is None or one == two for one, two in pairs)


_under_way: list[Creation] = []  # of all clients of this process


class Creations:
    """The creations of one client.

    Attributes:
        created: ids of the runs that its calls have created.
    """

    def __init__(self, address: Address, clock: Clock) -> None:
        self._address = address
        self._clock = clock
        self._unknown: deque[tuple[float, Creation]] = deque()
        self.created: deque[str] = deque(maxlen=_MAX_CREATED)

    @contextmanager
    def begin(self, workspace_id: str, params: RunParams) -> Iterator[Creation]:
        """A creation, until it has ended: with a run, with a refusal, or with an unknown outcome."""
        creation = Creation(self._address, workspace_id, _description(params))
        self._forget()
        for other in _under_way:
            if creation.could_be(other):
                creation.is_confused = other.is_confused = True
        if any(creation.could_be(other) for _, other in self._unknown):
            creation.is_confused = True
        _under_way.append(creation)
        try:
            yield creation
        except BaseException as error:
            if isinstance(error, OutcomeUnknown) or not isinstance(error, Exception):  # or canceled
                self._unknown.append((self._clock.monotonic() + _LINGERS_S, creation))
            raise
        finally:
            _under_way.remove(creation)

    def _forget(self) -> None:
        while self._unknown and self._unknown[0][0] < self._clock.monotonic():
            self._unknown.popleft()


def _description(params: RunParams) -> dict[str, JSON]:
    """What tells a run of these options from others: a digest, since a message may hold secrets."""
    given = params.model_dump(include=set(_DISTINGUISHING), exclude_none=True)
    values = {**_DISTINGUISHING, **given}
    return {name: value if value is None else hash(_plain(value)) for name, value in values.items()}


def _plain(value: JSON) -> JSON:
    return tuple(sorted(value)) if isinstance(value, list | tuple) else value
