"""pytfe, HashiCorp's Python client. It rejects unknown values: one of them makes a whole list fail.

Source: contract notes, section 2; pytfe 1.5, `models`.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from pytfe import TFEClient, TFEConfig
from pytfe.errors import NotFound, TFEError
from pytfe.models import (
    CategoryType,
    CommentCreateOptions,
    ConfigurationStatus,
    ConfigurationVersionCreateOptions,
    ReadRunQueueOptions,
    Run,
    RunApplyOptions,
    RunCancelOptions,
    RunCreateOptions,
    RunDiscardOptions,
    RunEventIncludeOpt,
    RunEventListOptions,
    RunForceCancelOptions,
    RunIncludeOpt,
    RunListForOrganizationOptions,
    RunListOptions,
    RunOperation,
    RunReadOptions,
    RunSource,
    RunStatus,
    RunVariable,
    StateVersionCreateOptions,
    StateVersionListOptions,
    Tag,
    TagBinding,
    VariableCreateOptions,
    VariableUpdateOptions,
    Workspace,
    WorkspaceAddTagBindingsOptions,
    WorkspaceAddTagsOptions,
    WorkspaceCreateOptions,
    WorkspaceIncludeOpt,
    WorkspaceListOptions,
    WorkspaceLockOptions,
    WorkspaceUpdateOptions,
)
from pytfe.models.apply import Apply
from pytfe.models.plan import Plan

from tests.support.gates import PlanGate
from tests.support.local_server import LocalServer, until

ORGANIZATION = "default"
GREETING = """
    variable "word" { default = "hello" }
    resource "terraform_data" "greeting" { input = var.word }
    output "greeting" { value = terraform_data.greeting.output }
"""


@pytest.fixture(scope="module")
def arguments() -> tuple[str, ...]:
    return ("--force-cancel-after", "0")


@pytest.fixture(scope="module")
def tfe(server: LocalServer) -> Iterator[TFEClient]:
    """A client without retries."""
    with TFEClient(TFEConfig(address=server.url, token=server.token, max_retries=0, ca_bundle=None)) as client:
        yield client


@pytest.fixture
def workspace(tfe: TFEClient, name: str) -> Workspace:
    """A new workspace."""
    return tfe.workspaces.create(ORGANIZATION, WorkspaceCreateOptions(name=name))


@pytest.fixture
def configured(tfe: TFEClient, workspace: Workspace, new_directory: Callable[[], Path]) -> Workspace:
    """A workspace with a configuration."""
    upload(tfe, workspace, new_directory(), GREETING)
    return workspace


def upload(tfe: TFEClient, workspace: Workspace, directory: Path, main: str) -> str:
    """The id of a new configuration version."""
    (directory / "main.tf").write_text(main)
    options = ConfigurationVersionCreateOptions(auto_queue_runs=False)
    version = tfe.configuration_versions.create(workspace.id, options)
    assert version.upload_url
    tfe.configuration_versions.upload(version.upload_url, str(directory))
    until(lambda: tfe.configuration_versions.read(version.id).status == ConfigurationStatus.UPLOADED, "uploaded")
    return version.id


def create(tfe: TFEClient, workspace: Workspace, **options: object) -> Run:
    return tfe.runs.create(RunCreateOptions.model_validate({"workspace": Workspace(id=workspace.id), **options}))


def run_until(tfe: TFEClient, run: Run, *statuses: RunStatus) -> Run:
    """The run, once it has one of these statuses."""
    until(lambda: tfe.runs.read(run.id).status in statuses, f"one of {statuses}")
    return tfe.runs.read(run.id)


def log_of(phase: Plan | Apply) -> str:
    """A log. pytfe only validates its URL and reads nothing."""
    assert phase.log_read_url
    return httpx2.get(phase.log_read_url).text


# -- organizations, projects, workspaces ------------------------------------------------------------------------------


def test_organizations(tfe: TFEClient) -> None:
    assert [found.name for found in tfe.organizations.list()] == [ORGANIZATION]
    assert tfe.organizations.read(ORGANIZATION).name == ORGANIZATION
    assert tfe.organizations.read_entitlements(ORGANIZATION).operations is True
    assert tfe.organizations.read_capacity(ORGANIZATION).pending == 0
    assert list(tfe.organizations.read_run_queue(ORGANIZATION, ReadRunQueueOptions()).items) == []


def test_default_project_is_listed(tfe: TFEClient, workspace: Workspace) -> None:
    [project] = tfe.projects.list(ORGANIZATION)
    assert project.name == "Default Project"
    assert tfe.projects.read(project.id).name == "Default Project"
    assert workspace.project is not None
    assert workspace.project.id == project.id


def test_workspaces(tfe: TFEClient, name: str) -> None:
    made = tfe.workspaces.create(ORGANIZATION, WorkspaceCreateOptions(name=name, auto_apply=True, description="a test"))
    assert (made.name, made.auto_apply, made.locked) == (name, True, False)
    assert tfe.workspaces.read(name, organization=ORGANIZATION).id == made.id
    assert tfe.workspaces.read_by_id(made.id).description == "a test"
    options = WorkspaceListOptions(search=name, include=list(WorkspaceIncludeOpt)[:2])
    assert name in [found.name for found in tfe.workspaces.list(ORGANIZATION, options)]
    changed = tfe.workspaces.update(name, WorkspaceUpdateOptions(name=f"{name}-new"), organization=ORGANIZATION)
    assert (changed.name, changed.id) == (f"{name}-new", made.id)
    tfe.workspaces.safe_delete_by_id(made.id)
    with pytest.raises(NotFound):
        tfe.workspaces.read_by_id(made.id)


def test_locks(tfe: TFEClient, workspace: Workspace) -> None:
    assert tfe.workspaces.lock(workspace.id, WorkspaceLockOptions(reason="maintenance")).locked is True
    with pytest.raises(TFEError):
        tfe.workspaces.lock(workspace.id, WorkspaceLockOptions())
    assert tfe.workspaces.unlock(workspace.id).locked is False
    tfe.workspaces.lock(workspace.id, WorkspaceLockOptions())
    assert tfe.workspaces.force_unlock(workspace.id).locked is False


def test_tags(tfe: TFEClient, workspace: Workspace, name: str) -> None:
    tfe.workspaces.add_tags(workspace.id, WorkspaceAddTagsOptions(tags=[Tag(name=name)]))
    tfe.workspaces.add_tag_bindings(
        workspace.id, WorkspaceAddTagBindingsOptions(tag_bindings=[TagBinding(key="tier", value="web")])
    )
    assert [tag.name for tag in tfe.workspaces.list_tags(workspace.id)] == [name]
    bindings = {(binding.key, binding.value or "") for binding in tfe.workspaces.list_tag_bindings(workspace.id)}
    assert bindings == {(name, ""), ("tier", "web")}
    assert len(list(tfe.workspaces.list_effective_tag_bindings(workspace.id))) == 2
    found = tfe.workspaces.list(ORGANIZATION, WorkspaceListOptions(tags=name))
    assert [item.id for item in found] == [workspace.id]


def test_variables(tfe: TFEClient, workspace: Workspace) -> None:
    options = VariableCreateOptions(key="word", value="hi", category=CategoryType.TERRAFORM, hcl=False, sensitive=False)
    made = tfe.variables.create(workspace.id, options)
    secret = VariableCreateOptions(key="TOKEN", value="s3cr3t-value", category=CategoryType.ENV, sensitive=True)
    hidden = tfe.variables.create(workspace.id, secret)
    assert made.id
    assert hidden.id
    assert not tfe.variables.read(workspace.id, hidden.id).value
    changed = tfe.variables.update(workspace.id, made.id, VariableUpdateOptions(value="bye"))
    assert changed.value == "bye"
    assert {variable.key for variable in tfe.variables.list(workspace.id)} == {"word", "TOKEN"}
    tfe.variables.delete(workspace.id, made.id)
    assert [variable.key for variable in tfe.variables.list(workspace.id)] == ["TOKEN"]


# -- configuration versions -------------------------------------------------------------------------------------------


def test_configuration_versions(tfe: TFEClient, workspace: Workspace, new_directory: Callable[[], Path]) -> None:
    version_id = upload(tfe, workspace, new_directory(), GREETING)
    read = tfe.configuration_versions.read(version_id)
    assert (read.status, read.speculative, read.auto_queue_runs) == (ConfigurationStatus.UPLOADED, False, False)
    assert [found.id for found in tfe.configuration_versions.list(workspace.id)] == [version_id]
    assert tfe.configuration_versions.download(version_id)[:2] == b"\x1f\x8b"
    upload(tfe, workspace, new_directory(), GREETING)
    tfe.configuration_versions.archive(version_id)
    assert tfe.configuration_versions.read(version_id).status == ConfigurationStatus.ARCHIVED


# -- runs -------------------------------------------------------------------------------------------------------------


def test_run_is_created_planned_and_applied(tfe: TFEClient, configured: Workspace) -> None:
    made = create(tfe, configured, message="from pytfe", variables=[RunVariable(key="word", value=json.dumps("hi"))])
    assert (made.message, made.source) == ("from pytfe", RunSource.Run_Source_API)
    planned = run_until(tfe, made, RunStatus.Run_Planned)
    assert planned.actions is not None
    assert planned.actions.is_confirmable
    tfe.runs.apply(made.id, RunApplyOptions(comment="looks good"))
    applied = run_until(tfe, made, RunStatus.Run_Applied)
    assert applied.plan is not None
    assert applied.apply is not None
    plan = tfe.plans.read(applied.plan.id)
    assert (plan.resource_additions, plan.has_changes) == (1, True)
    assert "1 to add, 0 to change, 0 to destroy" in log_of(plan)
    tfe.plans.logs(plan.id)
    document = tfe.plans.read_json_output(plan.id)
    assert document is not None
    assert [change["address"] for change in document["resource_changes"]] == ["terraform_data.greeting"]
    apply = tfe.applies.read(applied.apply.id)
    assert apply.resource_additions == 1
    assert "Apply complete!" in log_of(apply)
    tfe.applies.logs(apply.id)
    assert [comment.body for comment in tfe.comments.list(made.id)] == ["looks good"]
    events = list(tfe.run_events.list(made.id, RunEventListOptions(include=list(RunEventIncludeOpt))))
    assert events
    assert {event.action for event in events} >= {"queued"}
    outputs = tfe.state_versions.read_current(configured.id)
    assert json.loads(tfe.state_versions.download(outputs.id))["outputs"]["greeting"]["value"] == "hi"


def test_everything_that_comes_along_with_a_run_is_understood(tfe: TFEClient, configured: Workspace) -> None:
    made = create(tfe, configured)
    run_until(tfe, made, RunStatus.Run_Planned)
    run = tfe.runs.read_with_options(made.id, RunReadOptions(include=list(RunIncludeOpt)))
    assert run.workspace is not None
    assert run.workspace.name == configured.name
    assert run.created_by is not None
    assert run.created_by.username
    tfe.comments.create(made.id, CommentCreateOptions(body="a remark"))
    assert [comment.body for comment in tfe.comments.list(made.id)] == ["a remark"]
    assert list(tfe.policy_checks.list(made.id)) == []
    assert list(tfe.task_stages.list(made.id)) == []
    tfe.runs.discard(made.id, RunDiscardOptions(comment="no"))
    assert tfe.runs.read(made.id).status == RunStatus.Run_Discarded


@pytest.mark.parametrize(
    ("options", "end"),
    [
        ({"plan-only": True}, RunStatus.Run_Planned_And_Finished),
        ({"auto-apply": True}, RunStatus.Run_Applied),
        ({"auto-apply": True, "is-destroy": True}, RunStatus.Run_Planned_And_Finished),
        ({"save-plan": True}, RunStatus.Run_Planned_And_Saved),
        ({"refresh-only": True}, RunStatus.Run_Planned_And_Finished),
        ({"auto-apply": True, "refresh": False, "allow-empty-apply": True}, RunStatus.Run_Applied),
        ({"target-addrs": ["terraform_data.greeting"]}, RunStatus.Run_Planned),
        ({"replace-addrs": ["terraform_data.greeting"]}, RunStatus.Run_Planned),
    ],
)
def test_run_options_are_kept(
    tfe: TFEClient, configured: Workspace, options: dict[str, object], end: RunStatus
) -> None:
    run_until(tfe, create(tfe, configured, **options), end)


def test_run_is_canceled_and_then_force_canceled(
    tfe: TFEClient, workspace: Workspace, new_directory: Callable[[], Path], plan_gate: PlanGate, name: str
) -> None:
    upload(tfe, workspace, new_directory(), plan_gate.configuration(name))
    blocked, waiting = create(tfe, workspace), create(tfe, workspace)
    until(lambda: plan_gate.requests(name), "it plans")
    tfe.runs.cancel(waiting.id, RunCancelOptions(comment="not needed"))
    assert tfe.runs.read(waiting.id).status == RunStatus.Run_Canceled
    tfe.runs.cancel(blocked.id)
    tfe.runs.force_cancel(blocked.id, RunForceCancelOptions(comment="it hangs"))
    run_until(tfe, blocked, RunStatus.Run_Canceled)
    assert [run.status for run in tfe.runs.list(workspace.id)] == [RunStatus.Run_Canceled] * 2


def test_run_is_force_executed(tfe: TFEClient, configured: Workspace) -> None:
    first = create(tfe, configured)
    run_until(tfe, first, RunStatus.Run_Planned)
    second = create(tfe, configured)
    tfe.runs.force_execute(second.id)
    run_until(tfe, second, RunStatus.Run_Planned)
    assert tfe.runs.read(first.id).status == RunStatus.Run_Discarded


def test_lists_of_runs_with_every_filter(tfe: TFEClient, configured: Workspace) -> None:
    plan_only = create(tfe, configured, **{"plan-only": True})
    run_until(tfe, plan_only, RunStatus.Run_Planned_And_Finished)
    run = create(tfe, configured, message="find me")
    run_until(tfe, run, RunStatus.Run_Planned)

    def found(**options: object) -> list[str]:
        of_workspace = RunListOptions.model_validate(options, by_name=True)
        return [item.id for item in tfe.runs.list(configured.id, of_workspace)]

    def found_in_organization(**options: object) -> set[str]:
        filters = {"workspace_names": configured.name, **options}
        of_organization = RunListForOrganizationOptions.model_validate(filters, by_name=True)
        return {item.id for item in tfe.runs.list_for_organization(ORGANIZATION, of_organization)}

    assert found() == [run.id]
    assert found(status="planned") == [run.id]
    assert found(status="applied,errored") == []
    assert found(search=run.id) == [run.id]
    assert found(user="nobody") == []
    assert found(commit="0123456789") == []
    for operation in RunOperation:
        assert found(operation=operation.value) == {"plan_and_apply": [run.id], "plan_only": [plan_only.id]}.get(
            operation.value, []
        )
    for source in RunSource:
        assert found(source=source.value) == ([run.id] if source == RunSource.Run_Source_API else [])
    for status in RunStatus:
        assert found(status=status.value) == ([run.id] if status == RunStatus.Run_Planned else [])
    assert found_in_organization(status_group="discardable") == {run.id}
    assert found_in_organization(status_group="final", operation="plan_only") == {plan_only.id}
    assert found_in_organization(status_group="non_final") == {run.id}
    assert found_in_organization(timeframe="year", basic=run.id) == {run.id}
    assert found_in_organization(agent_pool_names="none") == set()


# -- states -----------------------------------------------------------------------------------------------------------


def test_state_is_uploaded_and_read_back(tfe: TFEClient, workspace: Workspace) -> None:
    output = {"value": "a value", "type": "string"}
    state = json.dumps(
        {"version": 4, "terraform_version": "1.11.4", "serial": 3, "lineage": "a-lineage", "outputs": {"o": output}}
        | {"resources": []}
    ).encode()
    options = StateVersionCreateOptions(
        serial=3, md5=hashlib.md5(state, usedforsecurity=False).hexdigest(), lineage="a-lineage"
    )
    json_state = b'{"format_version": "1.0"}'
    tfe.workspaces.lock(workspace.id, WorkspaceLockOptions())
    made = tfe.state_versions.upload(workspace.id, raw_state=state, raw_json_state=json_state, options=options)
    tfe.workspaces.unlock(workspace.id)
    assert (made.serial, made.status.value if made.status else None) == (3, "finalized")
    assert tfe.state_versions.read_current(workspace.id).id == made.id
    assert tfe.state_versions.download(made.id) == state
    assert [item.value for item in tfe.state_version_outputs.read_current(workspace.id)] == ["a value"]
    [listed] = tfe.state_versions.list_outputs(made.id)
    assert tfe.state_version_outputs.read(listed.id).value == "a value"
    found = tfe.state_versions.list(StateVersionListOptions(organization=ORGANIZATION, workspace=workspace.name))
    assert [version.id for version in found] == [made.id]


def test_missing_resources_are_not_found(tfe: TFEClient) -> None:
    for read in (tfe.runs.read, tfe.plans.read, tfe.applies.read, tfe.configuration_versions.read):
        with pytest.raises(NotFound):
            read("xx-0123456789abcdef")
