"""The views of workspaces."""

from dataclasses import dataclass
from datetime import datetime

from tfruns.views.base import View, kept


@dataclass(frozen=True, slots=True)
class WorkspaceView(View):
    """One workspace.

    Attributes:
        status: of the current run.
        permissions: those of the token.
    """

    id: str
    name: str | None = None
    organization: str | None = None
    current_run: str | None = None
    status: str | None = None
    locked: bool | None = None
    locked_by: str | None = None
    locked_reason: str = ""
    auto_apply: bool | None = None
    execution_mode: str | None = None
    terraform: str | None = None
    working_directory: str = ""
    resources: int | None = None
    created_at: datetime | None = None
    permissions: tuple[str, ...] = kept(default=())


@dataclass(frozen=True, slots=True)
class WorkspaceRow(View):
    """A workspace in a list. `auto_apply` is true or omitted.

    Attributes:
        status: of the current run.
        needs_person: whether the current run waits for a person; true or omitted.
        locked_by: `current_run`, another run's id, or the name of a user or team.
        terraform: the version.
        resources: the number of managed resources.
    """

    id: str
    name: str | None = None
    current_run: str | None = None
    status: str | None = None
    needs_person: bool | None = None
    locked_by: str | None = None
    auto_apply: bool | None = None
    terraform: str | None = None
    resources: int | None = None


@dataclass(frozen=True, slots=True)
class WorkspacePage(View):
    """A page of a list of workspaces."""

    workspaces: tuple[WorkspaceRow, ...] = kept()
    organization: str = kept()
    page: int = kept()
    next_page: int | None = kept()
    total_count: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class LockView(View):
    """A workspace after a change of its lock.

    Attributes:
        locked_by: the name of a user or team, or the id of a user or run.
        locked_since: None if the API does not tell.
    """

    workspace_id: str
    name: str | None = None
    locked: bool = kept(default=False)
    locked_by: str | None = None
    locked_since: datetime | None = None
    reason: str = ""
    follows: str = ""
