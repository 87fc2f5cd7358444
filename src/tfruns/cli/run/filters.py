"""The filters of a list of runs, as options."""

from dataclasses import asdict, dataclass
from typing import Annotated

from cyclopts import Parameter

from tfruns.errors import InvalidInput

_ALL = "The runs of all workspaces of the organization"
_STATUS = "Only these statuses, with commas between: planned,errored"
_GROUP = "Only this group: non_final, final or discardable"
_OPERATION = "Only these operations: plan_only, plan_and_apply, …"
_SOURCE = "Only from these sources: tfe-ui, tfe-api, terraform+cloud, …"
_TIMEFRAME = 'Only of this year, or of the last 12 months: "year"'
_SEARCH = "In message, run id, commit and VCS user"
_NAMES = "With --all-workspaces: only these workspaces, with commas between"


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Filters:
    """Which runs.

    Attributes:
        all_workspaces: of the organization, instead of one workspace.
        workspace_names: of those.
        status: statuses.
        group: a status group.
        operation: operations.
        source: sources.
        timeframe: a year.
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
        """The filters as the tools call them.

        Args:
            workspace: the one that the command names.

        Raises:
            InvalidInput: one workspace and all of them, or names of workspaces where there is one alone.
        """
        if workspace and self.all_workspaces:
            raise InvalidInput(
                "--workspace and --all-workspaces exclude each other.",
                solution="Leave one out; --workspace-names takes some of the organization's workspaces.",
            )
        if self.workspace_names and not self.all_workspaces:
            raise InvalidInput("--workspace-names is for --all-workspaces.", solution="Add that, or use --workspace.")
        return {
            "filter_status": self.status,
            "filter_status_group": self.group,
            "filter_operation": self.operation,
            "filter_source": self.source,
            "filter_timeframe": self.timeframe,
            "search_basic": self.search,
        } | ({"filter_workspace_names": self.workspace_names} if self.workspace_names else {})

    def refuse_without_all(self, *, dry_run: bool) -> None:
        """Refuse what would be ignored: a filter where one run is meant.

        Raises:
            InvalidInput: there is one.
        """
        if dry_run or any(asdict(self).values()):
            raise InvalidInput("Filters and --dry-run are for --all.", solution="Add --all, or leave them out.")

    def refuse_with_run(self, run: str | None) -> None:
        """Refuse a run where all are meant.

        Raises:
            InvalidInput: there is one.
        """
        if run:
            raise InvalidInput("--all goes with filters, and not with a run.", solution="Leave one of them out.")


NO_FILTERS = Filters()
