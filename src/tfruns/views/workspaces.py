"""The views of workspaces."""

from dataclasses import dataclass
from datetime import datetime

from tfruns.jsonapi import JSON
from tfruns.next_actions import NextAction
from tfruns.views.base import View, kept


@dataclass(frozen=True, slots=True)
class WorkspaceView(View):
    """One workspace.

    Attributes:
        status: of the current run.
        needs_person: whether the current run waits for a person; true or omitted.
        locked_by: the name of a user or team, or the id of a run.
        locked_since: None if the API does not tell.
        permissions: those of the token.
    """

    id: str
    name: str | None = None
    organization: str | None = None
    description: str = ""
    current_run: str | None = None
    status: str | None = None
    needs_person: bool | None = None
    locked: bool | None = None
    locked_by: str | None = None
    locked_since: datetime | None = None
    locked_reason: str = ""
    auto_apply: bool | None = None
    execution_mode: str | None = None
    terraform: str | None = None
    working_directory: str = ""
    resources: int | None = None
    configuration_version_id: str | None = None
    state_version_id: str | None = None
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

    ROWS = "workspaces"

    workspaces: tuple[WorkspaceRow, ...] = kept()
    organization: str = kept()
    page: int = kept()
    next_page: int | None = kept()
    total_count: int | None = None
    note: str = ""


# -- the parts of a workspace -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OutputRow(View):
    """An output of the current state.

    Attributes:
        value: `(sensitive value)` for a sensitive one; a long value is truncated JSON.
        is_truncated: whether the value is incomplete.
    """

    name: str
    type: str | None = None
    value: JSON = kept(default=None)  # noqa: RUF009  # makes a field
    sensitive: bool | None = None
    is_truncated: bool | None = None


@dataclass(frozen=True, slots=True)
class ResourceRow(View):
    """A resource instance in the current state."""

    address: str
    provider: str | None = None
    created_at: str | None = None
    updated_at: str | None = None


@dataclass(frozen=True, slots=True)
class StateVersionRow(View):
    """A state version."""

    id: str
    serial: int | None = None
    current: bool | None = None
    status: str | None = None
    created_at: datetime | None = None
    run_id: str | None = None
    resources: int | None = None
    size: int | None = None
    terraform: str | None = None


@dataclass(frozen=True, slots=True)
class VariableRow(View):
    """A variable. The value of a sensitive one is never shown.

    Attributes:
        category: `terraform`, or `env` for an environment variable.
        variable_set: the id of the variable set that it belongs to; None for one of the workspace itself.
    """

    key: str
    category: str | None = None
    value: str | None = kept(null=False, default=None)
    sensitive: bool | None = None
    hcl: bool | None = None
    description: str = ""
    variable_set: str | None = None


@dataclass(frozen=True, slots=True)
class ConfigurationRow(View):
    """A configuration version.

    Attributes:
        at: when it reached its status.
    """

    id: str
    status: str | None = None
    current: bool | None = None
    at: datetime | None = None
    source: str | None = None
    speculative: bool | None = None
    provisional: bool | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class ActionRow(View):
    """An action of the configuration. Its address is a value for `invoke_action_addrs`.

    Attributes:
        keys: the keys of its instances, with `for_each`; their number, with `count`.
    """

    address: str
    provider: str | None = None
    keys: tuple[str, ...] | int | None = None
    invocations: int | None = None


@dataclass(frozen=True, slots=True)
class HealthRow(View):
    """The result of the latest health assessment."""

    id: str
    at: datetime | None = None
    succeeded: bool | None = None
    drifted: bool | None = None
    resources_drifted: int | None = None
    resources_undrifted: int | None = None
    checks_passed: int | None = None
    checks_failed: int | None = None
    checks_errored: int | None = None
    checks_unknown: int | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class WorkspacePartPage(View):
    """A page of one part of a workspace."""

    ROWS = "rows"

    workspace_id: str
    part: str
    rows: tuple[View, ...] = kept()
    page: int = kept(default=1)
    next_page: int | None = kept(default=None)
    total_count: int | None = None
    note: str = ""


# -- changes ----------------------------------------------------------------------------------------------------------


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


@dataclass(frozen=True, slots=True)
class VariableView(View):
    """A variable after a change, without its value.

    Attributes:
        change: created, updated or deleted.
    """

    workspace_id: str
    key: str
    category: str | None = None
    sensitive: bool | None = None
    hcl: bool | None = None
    change: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class DeletedWorkspaceView(View):
    """A workspace that was deleted."""

    workspace_id: str
    name: str | None = None
    deleted: bool = True


@dataclass(frozen=True, slots=True)
class RolledBackView(View):
    """The new current state after a rollback.

    Attributes:
        state_version_id: the new state version.
        copy_of: the state version that it is a copy of.
    """

    workspace_id: str
    state_version_id: str
    serial: int | None = None
    copy_of: str = ""
    follows: str = ""
    next_actions: tuple[NextAction, ...] = ()
