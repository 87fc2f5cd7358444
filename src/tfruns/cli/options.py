"""Options that several commands share."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, Token

from tfruns.cli.output import OutputFormat
from tfruns.durations import parse_duration
from tfruns.errors import InvalidInput

JSON = "Print the result as JSON"
LOCAL = "Use the local backend, and start it if necessary"
DATA_DIR = "Use the local backend of this data directory"
IDLE_EXIT = "Stop an unused local backend after this time, e.g. 15m"
_JSON_FIELDS = "Print JSON, or only these fields: --json id,status"
_JQ = "Print the matches of a jq expression in the JSON"
_TEMPLATE = "Print the JSON with a Jinja template"
_EXACT_TIMES = "Print exact times on a terminal, instead of 5m ago"
_ORGANIZATION = "Select the organization"
SELECT_WORKSPACE = "Select by name, organization/name, id or browser URL"


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class CommonOptions:
    """The options of every command that uses the API.

    Attributes:
        json: print the result as JSON; also with a jq expression or a template.
        json_fields: the fields to print, separated by commas.
        jq: print the matches of a jq expression in the result.
        template: print the result with a template.
        exact_times: print times on a terminal exactly, with the zone.
        local: use the local backend.
        data_dir: the data directory of the local backend.
        idle_exit: how long a local backend that this command starts keeps running without use.
    """

    json: Annotated[bool, Parameter(help=_JSON_FIELDS, metavar="[FIELDS]")] = False
    json_fields: Annotated[str, Parameter(show=False)] = ""
    jq: Annotated[str, Parameter(help=_JQ)] = ""
    template: Annotated[str, Parameter(name=["--template", "-t"], help=_TEMPLATE)] = ""
    exact_times: Annotated[bool, Parameter(help=_EXACT_TIMES)] = False
    local: Annotated[bool, Parameter(help=LOCAL)] = False
    data_dir: Annotated[Path | None, Parameter(help=DATA_DIR)] = None
    idle_exit: Annotated[str | None, Parameter(help=IDLE_EXIT)] = None

    def __post_init__(self) -> None:
        """A jq expression and a template need the JSON form of the result."""
        if self.jq or self.template:
            object.__setattr__(self, "json", True)

    @property
    def format(self) -> OutputFormat:
        """How results are printed for programs."""
        return OutputFormat(tuple(filter(None, self.json_fields.split(","))), self.jq, self.template)

    def check(self) -> None:
        """Refuse options of the local backend without --local.

        Raises:
            InvalidInput: --data-dir or --idle-exit is given without --local.
        """
        check_local(is_local=self.local, data_dir=self.data_dir, idle_exit=self.idle_exit)

    def api_options(self) -> list[str]:
        """The options with which another command uses the same API."""
        data_dir = ["--data-dir", str(self.data_dir)] if self.data_dir else []
        return ["--local", *data_dir] if self.local else []


def check_local(*, is_local: bool, data_dir: Path | None, idle_exit: str | None) -> None:
    """Refuse options of the local backend without --local.

    Raises:
        InvalidInput: --data-dir or --idle-exit is given without --local.
    """
    for name, value in (("--data-dir", data_dir), ("--idle-exit", idle_exit)):
        if value is not None and not is_local:
            raise InvalidInput(f"{name} requires --local.", solution=f"Add --local, or omit {name}.")


def seconds(text: str, unit: str = "s") -> Parameter:
    """An option that takes a duration, in whole seconds.

    Args:
        text: its help.
        unit: the unit of a number that stands alone.
    """

    def convert(_: type, tokens: Sequence[Token]) -> int:
        return ceil(parse_duration(tokens[0].value, unit))

    return Parameter(help=text, converter=convert, n_tokens=1, metavar="DURATION")


DEFAULTS = CommonOptions()


Organization = Annotated[str | None, Parameter(name=["--organization", "-o"], help=_ORGANIZATION)]
Workspace = Annotated[str | None, Parameter(name=["--workspace", "-w"], help=SELECT_WORKSPACE)]
SelectedWorkspace = Annotated[str | None, Parameter(name=["--workspace", "-w"], help=SELECT_WORKSPACE)]
Run = Annotated[str | None, Parameter(help="Run id or browser URL (default: the current run)")]
Yes = Annotated[bool, Parameter(name=["--yes", "-y"], help="Skip the confirmation prompt")]
Comment = Annotated[str, Parameter(name=["--comment", "-m"], help="Record this comment with the run")]
Wait = Annotated[bool, Parameter(help="Wait for the run, and follow its log")]
Timeout = Annotated[int | None, seconds("Wait at most this long, e.g. 5m or 1h30 (default: no limit)")]
RequiredRun = Annotated[str, Parameter(help="Run id or browser URL")]

Include = Annotated[tuple[str, ...], Parameter(help="Upload this file even if it may be a secret. Repeatable")]
