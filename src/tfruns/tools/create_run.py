"""Create a run. Source: HCP Terraform API, "Create a Run"."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Annotated, Any

from tfruns.arguments import WorkspaceRef
from tfruns.client.client import Client
from tfruns.errors import RefusedByMode, TfrunsError
from tfruns.impact import NO_IMPACT, Impact, ImpactKind
from tfruns.masking.text import one_line
from tfruns.policy import Mode, Policy, Toolset
from tfruns.runs.impact_parts import named_workspace
from tfruns.runs.results import run_result
from tfruns.tool import Context, Proof, Result, Role, tool
from tfruns.views.runs import INCLUDE, RunView, created_view
from tfruns.wire.run_params import RunParams, RunVariableParam
from tfruns.wording import counted

Options = Annotated[RunParams | None, Role.RUN_OPTIONS]

_VALUE = 1_000  # characters of one option's value
_INSTEAD = (
    "Create the run without auto_apply, review its plan, and apply it with the fingerprint of the review; or let a "
    "person create it in the browser or with `tfruns run create`."
)
_LABELS = {
    "target_addrs": "Only these",
    "replace_addrs": "Replaced (destroyed and created again)",
    "invoke_action_addrs": "Actions to invoke",
}


def _without_implicit_auto_apply(policy: Policy, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The options with auto_apply set explicitly, so that the workspace's own setting never applies a run.

    Raises:
        RefusedByMode: auto_apply is set, and the mode forbids applies.
    """
    params = values["params"] or RunParams()
    if params.auto_apply and not policy.mode.includes(Mode.APPLY):
        raise RefusedByMode("auto_apply is forbidden in the mode of this server, in which nothing is applied.")
    if params.auto_apply is None:
        params = params.model_copy(update={"auto_apply": False})
    return {**values, "params": params}


def kinds_of_new_run(params: RunParams) -> frozenset[ImpactKind]:
    """The effects of a new run that follow without another confirmation, according to its options."""
    if params.plan_only:
        return frozenset()
    kinds = set()
    if params.auto_apply is not False:  # the workspace decides about omitted options
        kinds.add(ImpactKind.UNSEEN_APPLY)
    if params.is_destroy:
        kinds.add(ImpactKind.DESTROY_PLAN)
    return frozenset(kinds)


async def impact_of_create(client: Client, values: Mapping[str, Any]) -> Impact:
    """The impact of a new run. With auto_apply it applies a plan that nobody has seen."""
    params: RunParams = values["params"]
    kinds = kinds_of_new_run(params)
    if not kinds:
        return NO_IMPACT
    workspace = await client.workspaces.read(values["workspace_id"])
    name = f"{named_workspace(workspace)} ({workspace.id})" if workspace.name else workspace.id
    count = workspace.resource_count
    resources = "an unknown number of resources" if count is None else counted(count, "resource")
    is_unseen = ImpactKind.UNSEEN_APPLY in kinds
    by_itself = ", without another confirmation" if is_unseen else " (it then waits for its apply)"
    does = "destroys all resources" if params.is_destroy else "applies its plan"
    return Impact(
        kinds=kinds,
        question=f"Create a run in {name} that {does}{by_itself}?",
        at_stake=(f"The workspace has {resources}.", *_options(params)),
        state=[workspace.id, count],
        instead=_INSTEAD if is_unseen else "",
    )


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
    run = await context.client.runs.create(workspace_id, params)
    with suppress(TfrunsError):  # the run exists anyway, and the first response is correct
        run = await context.client.runs.read(run.id, include=INCLUDE)
    return run_result(context, run, created_view)


# -- the question ------------------------------------------------------------------------------------------------------


def _options(params: RunParams) -> Iterator[str]:
    """The given options, except those that the question already contains."""
    for name, value in params:
        if value in (None, [], "") or name in {"is_destroy", "auto_apply"}:
            continue
        number = f" ({len(value)})" if isinstance(value, list) and len(value) > 1 else ""
        yield f"{_LABELS.get(name, name)}{number}: «{one_line(_shown(value), _VALUE)}»"


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    if isinstance(value, RunVariableParam):
        return f"{value.key} = {value.value}"
    return str(value).lower() if isinstance(value, bool) else str(value)
