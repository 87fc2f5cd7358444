"""The options that select runs."""

from dataclasses import asdict, dataclass
from typing import Annotated

from cyclopts import Parameter

from tfruns.errors import InvalidInput

_ALL = "Select runs in all workspaces of the organization"
_STATUS = "Select by statuses: planned,errored"
_GROUP = "Select by group: non_final, final or discardable"
_OPERATION = "Select by operations: plan_only,plan_and_apply, …"
_SOURCE = "Select by sources: tfe-ui,tfe-api,terraform+cloud, …"
_TIMEFRAME = 'Select by year; "year" for the last 12 months'
_SEARCH = "Search in message, run id, commit and VCS user"
_NAMES = "With --all-workspaces: only workspaces with these names"


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Filters:
    """The options that select runs. Lists are comma-separated.

    Attributes:
        all_workspaces: select runs of the whole organization, instead of one workspace.
        workspace_names: names of workspaces, with `all_workspaces`.
        status: statuses.
        group: a status group.
        operation: operations.
        source: sources.
        timeframe: a year, or `year`.
        search: a text.
    """

    all_workspaces: Annotated[bool, Parameter(help=_ALL)] = False
    workspace_names: Annotated[str | None, Parameter(help=_NAMES)] = None
    status: Annotated[str | None, Parameter(help=_STATUS)] = None
    group: Annotated[str | None, Parameter(help=_GROUP)] = None
    operation: Annotated[str | None, Parameter(help=_OPERATION)] = None
    source: Annotated[str | None, Parameter(help=_SOURCE)] = None
    timeframe: Annotated[str | None, Parameter(help=_TIMEFRAME)] = None
    search: Annotated[str | None, Parameter(help=_SEARCH)] = None

    def arguments(self, workspace: str | None) -> dict[str, str | None]:
        """The filters as arguments of the list tools.

        Args:
            workspace: the workspace that the command line names.

        Raises:
            InvalidInput: the options for one workspace and for all workspaces are combined.
        """
        if workspace and self.all_workspaces:
            raise InvalidInput(
                "--workspace and --all-workspaces exclude each other.",
                solution="Omit one. To select several workspaces, use --all-workspaces with --workspace-names.",
            )
        if self.workspace_names and not self.all_workspaces:
            raise InvalidInput(
                "--workspace-names requires --all-workspaces.", solution="Add --all-workspaces, or use --workspace."
            )
        return {
            "filter_status": self.status,
            "filter_status_group": self.group,
            "filter_operation": self.operation,
            "filter_source": self.source,
            "filter_timeframe": self.timeframe,
            "search_basic": self.search,
        } | ({"filter_workspace_names": self.workspace_names} if self.workspace_names else {})

    def refuse_without_all(self, *, is_dry_run: bool) -> None:
        """Refuse filters and --dry-run for a command that acts on one run.

        Raises:
            InvalidInput: one of them is given.
        """
        if is_dry_run or any(asdict(self).values()):
            raise InvalidInput("Filters and --dry-run require --all.", solution="Add --all, or omit them.")

    def refuse_with_run(self, run: str | None) -> None:
        """Refuse a run for a command with --all.

        Raises:
            InvalidInput: a run is given.
        """
        if run:
            raise InvalidInput("--all cannot be combined with a run.", solution="Omit one of them.")


NO_FILTERS = Filters()
