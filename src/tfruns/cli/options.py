"""The options that commands share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.types import NonNegativeInt

from tfruns.errors import InvalidInput

_JSON = "Print the structured result as JSON"
_LOCAL = "On this machine: attach to the local backend, or start it (see `tfruns server`)"
_DATA_DIR = "With --local: the local backend's data directory"
IDLE_EXIT = "With --local: how long a server that is started stays unused, as 15m; by default TFRUNS_IDLE_EXIT, or 15m"
_ORGANIZATION = "By default TF_CLOUD_ORGANIZATION, or that of the `cloud` block in this directory"
WHICH_WORKSPACE = (
    "Its name, organization/name, id or browser URL; by default TF_WORKSPACE, or that of the `cloud` block"
)


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Options:
    """What every command takes that asks the API.

    Attributes:
        json: print the result for programs.
        local: use the local backend.
        data_dir: of the local backend.
        idle_exit: how long a local backend that is started stays without use.
    """

    json: Annotated[bool, Parameter(help=_JSON)] = False
    local: Annotated[bool, Parameter(help=_LOCAL)] = False
    data_dir: Annotated[Path | None, Parameter(help=_DATA_DIR)] = None
    idle_exit: Annotated[str | None, Parameter(help=IDLE_EXIT)] = None

    def check(self) -> None:
        """Refuse options of the local backend without --local.

        Raises:
            InvalidInput: there is one.
        """
        check_local(is_local=self.local, data_dir=self.data_dir, idle_exit=self.idle_exit)

    def where(self) -> list[str]:
        """The options with which a further command asks the same API."""
        named = ["--data-dir", str(self.data_dir)] if self.data_dir else []
        return ["--local", *named] if self.local else []


def check_local(*, is_local: bool, data_dir: Path | None, idle_exit: str | None) -> None:
    """Refuse options of the local backend without --local.

    Raises:
        InvalidInput: there is one.
    """
    for name, value in (("--data-dir", data_dir), ("--idle-exit", idle_exit)):
        if value is not None and not is_local:
            raise InvalidInput(f"{name} is for --local.", solution=f"Add --local, or leave {name} out.")


DEFAULTS = Options()

Organization = Annotated[str | None, Parameter(name=["--organization", "-o"], help=_ORGANIZATION)]
Workspace = Annotated[str | None, Parameter(name=["--workspace", "-w"], help=WHICH_WORKSPACE)]
Run = Annotated[str | None, Parameter(help="Its id or browser URL; by default the workspace's current run")]
Yes = Annotated[bool, Parameter(name=["--yes", "-y"], help="Ask nothing")]
Comment = Annotated[str, Parameter(name=["--comment", "-m"], help="Recorded with the run")]
Wait = Annotated[bool, Parameter(help="Wait for the run, and show its log as it grows")]
Timeout = Annotated[NonNegativeInt | None, Parameter(help="Seconds to wait; by default as long as it takes")]
NamedRun = Annotated[str, Parameter(help="Its id or browser URL")]

Include = Annotated[tuple[str, ...], Parameter(help="Upload this file although it is likely a secret. Repeatable")]
