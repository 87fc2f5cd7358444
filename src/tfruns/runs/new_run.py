"""A new run: its impact according to its options, and its creation."""

from collections.abc import Iterator
from contextlib import suppress

from tfruns.client.client import Client
from tfruns.errors import RefusedByMode, TfrunsError, UnprocessableEntity
from tfruns.impact import NO_IMPACT, Impact, ImpactKind
from tfruns.masking.text import one_line
from tfruns.policy import Mode, Policy
from tfruns.runs.impact_parts import named_workspace
from tfruns.runs.results import run_result
from tfruns.tool import Context, Result
from tfruns.views.runs import INCLUDE, RunView, created_view
from tfruns.wire.run_params import RunParams, RunVariableParam
from tfruns.wording import counted

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


def refuse_auto_apply(policy: Policy, *, auto_apply: bool | None) -> None:
    """Refuse a run that would be applied without confirmation if the mode forbids applies.

    Raises:
        RefusedByMode: auto_apply is set, and the mode forbids applies.
    """
    if auto_apply and not policy.mode.includes(Mode.APPLY):
        raise RefusedByMode("auto_apply is forbidden in the mode of this server, in which nothing is applied.")


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


async def impact_of_new_run(client: Client, workspace: str, params: RunParams, *, hides_values: bool = False) -> Impact:
    """The impact of a new run. With auto_apply it applies a plan that nobody has seen.

    Args:
        client: the API.
        workspace: a reference to the workspace.
        params: the options.
        hides_values: whether the values of variables are omitted, because the caller has not given them.
    """
    kinds = kinds_of_new_run(params)
    if not kinds:
        return NO_IMPACT
    found = await client.workspaces.read(workspace)
    name = f"{named_workspace(found)} ({found.id})" if found.name else found.id
    count = found.resource_count
    resources = "an unknown number of resources" if count is None else counted(count, "resource")
    is_unseen = ImpactKind.UNSEEN_APPLY in kinds
    by_itself = ", without another confirmation" if is_unseen else " (it then waits for its apply)"
    does = "destroys all resources" if params.is_destroy else "applies its plan"
    return Impact(
        kinds=kinds,
        question=f"Create a run in {name} that {does}{by_itself}?",
        at_stake=(f"The workspace has {resources}.", *_options(params, hides_values=hides_values)),
        state=[found.id, count],
        instead=_INSTEAD if is_unseen else "",
    )


def _options(params: RunParams, *, hides_values: bool) -> Iterator[str]:
    """The given options, except those that the question already contains."""
    for name, value in params:
        if value in (None, [], "") or name in {"is_destroy", "auto_apply"}:
            continue
        number = f" ({len(value)})" if isinstance(value, list) and len(value) > 1 else ""
        shown = ", ".join(item.key for item in value) if hides_values and name == "variables" else _shown(value)
        yield f"{_LABELS.get(name, name)}{number}: «{one_line(shown, _VALUE)}»"


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    if isinstance(value, RunVariableParam):
        return f"{value.key} = {value.value}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _without_configuration(error: UnprocessableEntity) -> UnprocessableEntity | None:
    """The refusal of a run in a workspace without a configuration, with what to do; None for another refusal."""
    if "configuration version is missing" not in error.message.lower():
        return None
    return UnprocessableEntity(
        error.message,
        status=error.status,
        cause="The workspace has no configuration that can be planned.",
        solution="Upload a configuration to the workspace, and create the run again.",
        request_id=error.request_id,
        facts=error.facts,
    )


async def created_run(context: Context, workspace: str, params: RunParams | None) -> Result[RunView]:
    """Create a run, and return its result."""
    try:
        run = await context.client.runs.create(workspace, params)
    except UnprocessableEntity as error:
        raise _without_configuration(error) or error from None
    with suppress(TfrunsError):  # the run exists anyway, and the first response is correct
        run = await context.client.runs.read(run.id, include=INCLUDE)
    return run_result(context, run, created_view)
