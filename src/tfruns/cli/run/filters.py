"""The options that select runs."""

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from tfruns.cli.completers import complete_groups, complete_operations, complete_statuses
from tfruns.cli.targets import resolve_organization, resolve_workspace, selected_workspace
from tfruns.errors import InvalidInput
from tfruns.wording import listed

if TYPE_CHECKING:
    from tfruns.cli.session import Session

_ALL = "Select runs in all workspaces of the organization"
_STATUS = "Select by statuses: planned,errored"
_GROUP = "Select by group: non_final, final or discardable"
_OPERATION = "Select by operations: plan_only,plan_and_apply, …"
_SOURCE = "Select by sources: tfe-ui,tfe-api,terraform+cloud, …"
_TIMEFRAME = 'Select by year; "year" for the last 12 months'
_SINCE = "Select those created since: 90m, 24h, 7d, 2026-11-27"
_SEARCH = "Search in message, run id, commit and VCS user"
_NAMES = "With --all-workspaces: only these; may contain * and ?"


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
        since: a duration before now, a date or a time.
    """

    all_workspaces: Annotated[bool, Parameter(help=_ALL)] = False
    workspace_names: Annotated[str | None, Parameter(help=_NAMES)] = None
    status: Annotated[str | None, Parameter(help=_STATUS, completer=complete_statuses)] = None
    group: Annotated[str | None, Parameter(help=_GROUP, completer=complete_groups)] = None
    operation: Annotated[str | None, Parameter(help=_OPERATION, completer=complete_operations)] = None
    source: Annotated[str | None, Parameter(help=_SOURCE)] = None
    timeframe: Annotated[str | None, Parameter(help=_TIMEFRAME)] = None
    search: Annotated[str | None, Parameter(help=_SEARCH)] = None
    since: Annotated[str | None, Parameter(help=_SINCE)] = None

    def arguments(self, workspace: str | None) -> dict[str, str | None]:
        """The filters as arguments of the list tools.

        Args:
            workspace: the workspace that the command line names.

        Raises:
            InvalidInput: the options for one workspace and for all workspaces are combined, or a status is unknown.
        """
        if self.status:
            from tfruns.client.run_filters import check_statuses  # noqa: PLC0415  # the help does not need it

            check_statuses(self.status)
        if workspace and self.all_workspaces:
            raise InvalidInput(
                "--workspace and --all-workspaces cannot be used together.",
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
            "since": self.since,
        } | ({"filter_workspace_names": self.workspace_names} if self.workspace_names else {})

    async def call(
        self, session: "Session", workspace: str | None, organization: str | None, *, is_all_by_default: bool = False
    ) -> tuple[str, dict[str, str | None]]:
        """The list tool and its arguments for these filters. A workspace with wildcards selects several.

        Args:
            session: the session.
            workspace: the workspace that the command line names.
            organization: the organization that the command line names.
            is_all_by_default: select all workspaces if none is set.

        Raises:
            InvalidInput: the options cannot be used together, or the workspace or organization is missing.
        """
        owner, _, name = (workspace or "").rpartition("/")
        if set(name) & {"*", "?"} and "://" not in owner and not self.workspace_names:
            several = replace(self, all_workspaces=True, workspace_names=name)
            return await several.call(session, None, owner or organization)
        if self.all_workspaces or (is_all_by_default and selected_workspace(session, workspace) is None):
            found = await resolve_organization(session, organization)
            return "list_runs_in_organization", {"organization": found, **self.arguments(workspace)}
        given = self.arguments(workspace)
        return "list_runs_in_workspace", {
            "workspace_id": await resolve_workspace(session, workspace, organization),
            **given,
        }

    def refuse_empty(self, workspace: str | None) -> None:
        """Refuse empty filters, which select everything: often a variable of a script that is not set.

        Raises:
            InvalidInput: one of them, or the workspace, is empty.
        """
        given = {**asdict(self), "workspace": workspace}
        empty = [name for name, value in given.items() if isinstance(value, str) and not value.strip(" ,")]
        if empty:
            options = listed([f"--{name.replace('_', '-')}" for name in empty])
            raise InvalidInput(
                f"{options}: the value is empty. Nothing was sent.", solution="Give a value, or omit it."
            )

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
