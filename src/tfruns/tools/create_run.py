"""Create a run. Source: HCP Terraform API, "Create a Run"."""

from collections.abc import Mapping
from typing import Annotated, Any

from tfruns.arguments import WorkspaceRef
from tfruns.client.client import Client
from tfruns.impact import Impact
from tfruns.policy import Mode, Policy, Toolset
from tfruns.runs.new_run import created_run, impact_of_new_run, refuse_auto_apply
from tfruns.tool import Context, Proof, Result, Role, tool
from tfruns.views.runs import RunView
from tfruns.wire.run_params import RunParams

Options = Annotated[RunParams | None, Role.RUN_OPTIONS]


def _without_implicit_auto_apply(policy: Policy, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The options with auto_apply set explicitly, so that the workspace's own setting never applies a run.

    Raises:
        RefusedByMode: auto_apply is set, and the mode forbids applies.
    """
    params = values["params"] or RunParams()
    refuse_auto_apply(policy, auto_apply=params.auto_apply)
    if params.auto_apply is None:
        params = params.model_copy(update={"auto_apply": False})
    return {**values, "params": params}


async def impact_of_create(client: Client, values: Mapping[str, Any]) -> Impact:
    """The impact of a new run. With auto_apply it applies a plan that nobody has seen."""
    return await impact_of_new_run(client, values["workspace_id"], values["params"])


@tool(
    title="Create a run",
    toolset=Toolset.RUNS,
    order=10,
    mode=Mode.PLAN,
    is_destructive=True,
    impact=impact_of_create,
    proofs=(Proof.CODE,),
    apply_policy=_without_implicit_auto_apply,
    command="run create",
    instruction="create_run queues a run (plan_only: true for a preview that cannot be applied).",
)
async def create_run(context: Context, workspace_id: WorkspaceRef, params: Options = None) -> Result[RunView]:
    """Create and queue a run in a workspace, with its latest configuration unless another is given.

    The run plans, then waits for apply_run; with auto_apply: true it applies without confirmation. While other runs or
    a lock block the workspace, it is pending. A plan_only run is a preview and can never be applied.
    """
    return await created_run(context, workspace_id, params)
