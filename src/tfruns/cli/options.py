"""Options that several commands share."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter, Token

from tfruns.cli.completers import complete_profiles, complete_runs, complete_workspaces
from tfruns.cli.moments import ARE_EXACT
from tfruns.cli.output import FORMAT, OutputFormat
from tfruns.cli.terminal import exit_on_error
from tfruns.durations import parse_duration
from tfruns.errors import InvalidInput

JSON = "Print JSON, or only these fields: --json id,status"
PROFILE = "Use this profile (default: TFRUNS_PROFILE)"
LOCAL = "Use the local backend, and start it if necessary"
DATA_DIR = "Use the local backend of this data directory"
IDLE_EXIT = "Stop an unused local backend after this time, e.g. 15m"
_JQ = "Print the matches of a jq expression in the JSON"
_TEMPLATE = "Print the JSON with a Jinja template"
_EXACT_TIMES = "Print exact times on a terminal, instead of 5m ago"
_ORGANIZATION = "Select the organization"
SELECT_WORKSPACE = "Select by name, organization/name, id or browser URL"


OUTPUT = Group("Output", sort_key=1)
CONNECTION = Group("Connection", sort_key=2)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """The options of every command that has a result.

    Attributes:
        json: print the result as JSON; also with a jq expression or a template.
        json_fields: the fields to print, separated by commas.
        jq: print the matches of a jq expression in the result.
        template: print the result with a template.
        exact_times: print times on a terminal exactly, with the zone.
    """

    json: Annotated[bool, Parameter(help=JSON, group=OUTPUT)] = False
    json_fields: Annotated[str, Parameter(show=False, group=OUTPUT)] = ""
    jq: Annotated[str, Parameter(help=_JQ, group=OUTPUT)] = ""
    template: Annotated[str, Parameter(name=["--template", "-t"], help=_TEMPLATE, group=OUTPUT)] = ""
    exact_times: Annotated[bool, Parameter(help=_EXACT_TIMES, group=OUTPUT)] = False

    def __post_init__(self) -> None:
        """A jq expression and a template need the JSON form of the result."""
        if self.jq or self.template:
            object.__setattr__(self, "json", True)

    @contextmanager
    def active(self, api_options: Sequence[str] = ()) -> Iterator[None]:
        """Print results as selected, and exit with the text and the exit code of an error.

        Args:
            api_options: the options that the commands in an error need.
        """
        ARE_EXACT.set(self.exact_times)
        output = OutputFormat(tuple(filter(None, self.json_fields.split(","))), self.jq, self.template)
        FORMAT.set(output)
        # With selected output, an error on standard output would look like a result.
        with exit_on_error(is_json=self.json and output.is_plain, api_options=api_options):
            output.printer()  # refuse an invalid expression before anything is sent
            yield


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class CommonOptions(OutputOptions):
    """The options of every command that uses the API.

    Attributes:
        profile: the name of a profile.
        local: use the local backend.
        data_dir: the data directory of the local backend.
        idle_exit: how long a local backend that this command starts keeps running without use.
    """

    profile: Annotated[str | None, Parameter(help=PROFILE, group=CONNECTION, completer=complete_profiles)] = None
    local: Annotated[bool, Parameter(help=LOCAL, group=CONNECTION)] = False
    data_dir: Annotated[Path | None, Parameter(help=DATA_DIR, group=CONNECTION)] = None
    idle_exit: Annotated[str | None, Parameter(help=IDLE_EXIT, group=CONNECTION)] = None

    def check(self, *, is_local: bool) -> None:
        """Refuse options of the local backend for another API.

        Raises:
            InvalidInput: --data-dir or --idle-exit is given.
        """
        check_local(is_local=is_local, data_dir=self.data_dir, idle_exit=self.idle_exit)

    def api_options(self) -> list[str]:
        """The options with which another command uses the same API."""
        found = ["--profile", self.profile] if self.profile else []
        found += ["--local"] if self.local else []
        return found + (["--data-dir", str(self.data_dir)] if self.data_dir else [])


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
OUTPUT_DEFAULTS = OutputOptions()


Organization = Annotated[str | None, Parameter(name=["--organization", "-o"], help=_ORGANIZATION)]
Workspace = Annotated[
    str | None, Parameter(name=["--workspace", "-w"], help=SELECT_WORKSPACE, completer=complete_workspaces)
]
SelectedWorkspace = Annotated[
    str | None, Parameter(name=["--workspace", "-w"], help=SELECT_WORKSPACE, completer=complete_workspaces)
]
Run = Annotated[str | None, Parameter(help="Run id or browser URL (default: the current run)", completer=complete_runs)]
Yes = Annotated[bool, Parameter(name=["--yes", "-y"], help="Skip the confirmation prompt")]
Comment = Annotated[str, Parameter(name=["--comment", "-m"], help="Record this comment with the run")]
Wait = Annotated[bool, Parameter(help="Wait for the run, and follow its log")]
Timeout = Annotated[int | None, seconds("Wait at most this long, e.g. 5m or 1h30 (default: no limit)")]
SummaryFile = Annotated[Path | None, Parameter(help="Write a Markdown summary of the run to this file")]
_CANCEL = "While waiting: a signal cancels the run, without a question"


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class JobOptions:
    """The options of commands that wait for a run, for a CI job.

    Attributes:
        cancel_on_interrupt: a signal cancels the run.
        summary_file: the file for a summary of the run.
    """

    cancel_on_interrupt: Annotated[bool, Parameter(help=_CANCEL)] = False
    summary_file: SummaryFile = None

    def require_wait(self, *, is_waiting: bool) -> None:
        """Refuse the options for a command that does not wait.

        Raises:
            InvalidInput: one of them is given.
        """
        for name, value in (("--cancel-on-interrupt", self.cancel_on_interrupt), ("--summary-file", self.summary_file)):
            if value and not is_waiting:
                raise InvalidInput(f"{name} requires --wait.", solution=f"Add --wait, or omit {name}.")


NO_JOB = JobOptions()
RequiredRun = Annotated[str, Parameter(help="Run id or browser URL", completer=complete_runs)]

Include = Annotated[tuple[str, ...], Parameter(help="Upload this file even if it may be a secret. Repeatable")]
