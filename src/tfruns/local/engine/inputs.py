"""The inputs of a phase, read from the database."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from tfruns.local.backend import Backend
from tfruns.local.service.find import find_workspace
from tfruns.local.service.states import md5_of
from tfruns.local.store.database import AnySession
from tfruns.local.store.schema import PhaseRow, RunRow, StateVersionRow, WorkspaceRow
from tfruns.local.terraform.api_access import ApiAccess
from tfruns.local.terraform.directory import remove_tree
from tfruns.local.terraform.environment import OperatorSettings, RunIdentity
from tfruns.local.terraform.executable import Terraform
from tfruns.local.terraform.inputs import ApplyInputs, PlanInputs
from tfruns.local.terraform.state import BadState
from tfruns.local.terraform.variables import VariableValue
from tfruns.vocabulary import RunSource


@dataclass(frozen=True, slots=True)
class ExecutionConfig:
    """The configuration of the execution, the same for all runs.

    Attributes:
        terraform: the executable.
        directory: the parent of the directories of the runs.
        settings: the operator's settings.
        api_of_run: returns the access to the server's API for the id of a run; None if the server has no address.
    """

    terraform: Terraform
    directory: Path
    settings: OperatorSettings
    api_of_run: Callable[[str], ApiAccess] | None = None

    def directory_of(self, run_id: str) -> Path:
        """The directory of a run."""
        return self.directory / run_id

    def remove(self, run_id: str) -> None:
        """Remove the directory of a run, including directories that a configuration made read-only."""
        remove_tree(self.directory_of(run_id))


def apply_inputs(config: ExecutionConfig, session: AnySession, run: RunRow) -> ApplyInputs:
    """The inputs of the apply of a run."""
    return ApplyInputs(**_common(config, run, find_workspace(session, run.workspace_id)))


def plan_inputs(backend: Backend, config: ExecutionConfig, session: AnySession, run: RunRow) -> PlanInputs:
    """The inputs of the plan of a run, with the current state of the workspace.

    Raises:
        BadState: the file of the current state is missing or damaged.
    """
    workspace = find_workspace(session, run.workspace_id)
    options: dict[str, Any] = run.options
    return PlanInputs(
        **_common(config, run, workspace),
        archive=backend.objects.path("configuration", run.configuration_version_id),
        state=_state(backend, session, workspace.current_state_version_id),
        is_destroy=options["is_destroy"],
        refresh=options["refresh"],
        refresh_only=options["refresh_only"],
        target_addrs=tuple(options["target_addrs"] or ()),
        replace_addrs=tuple(options["replace_addrs"] or ()),
        allow_config_generation=options["allow_config_generation"],
        invoke_action_addrs=tuple(options["invoke_action_addrs"] or ()),
    )


def _state(backend: Backend, session: AnySession, state_version_id: str | None) -> bytes | None:
    """The content of a state version. A missing file is an error: Terraform would create all resources again."""
    if state_version_id is None:
        return None
    row = session.scalars(select(StateVersionRow).where(StateVersionRow.id == state_version_id)).one()
    content = backend.objects.read("state", row.id)
    if content is None or not content or (row.md5 is not None and md5_of(content) != row.md5):
        damage = "missing" if content is None else "empty" if not content else "damaged"
        raise BadState(
            f"The state of the workspace cannot be read: the file of {row.id} in the server's data directory is "
            f"{damage}. Restore objects/state/{row.id} from a backup, or upload the state as a new state version."
        )
    return content


def phase_of(session: AnySession, run_id: str, kind: str) -> PhaseRow:
    """The plan or the apply of a run."""
    return session.scalars(select(PhaseRow).where(PhaseRow.run_id == run_id, PhaseRow.kind == kind)).one()


def _common(config: ExecutionConfig, run: RunRow, workspace: WorkspaceRow) -> dict[str, Any]:
    return {
        "terraform": config.terraform,
        "directory": config.directory_of(run.id),
        "run": RunIdentity(run.id, workspace.name, workspace.organization),
        "working_directory": workspace.settings.get("working-directory") or "",
        "variables": _variables(run, "terraform"),
        "environment": _variables(run, "env"),
        "run_variables": tuple(VariableValue(item["key"], item["value"], is_hcl=True) for item in run.variables),
        "debugging_mode": run.options["debugging_mode"],
        "is_text": run.source == RunSource.TERRAFORM,
        "settings": config.settings,
        "api": config.api_of_run(run.id) if config.api_of_run else None,
    }


def _variables(run: RunRow, category: str) -> tuple[VariableValue, ...]:
    return tuple(
        VariableValue(item["key"], item["value"], is_hcl=item["hcl"], is_sensitive=item["sensitive"])
        for item in run.workspace_variables
        if item["category"] == category
    )
