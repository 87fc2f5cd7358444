"""What the creation of a run would do, and every option with which it would be created."""

from collections.abc import Iterator, Mapping
from typing import Any

from tfruns.client.client import Client
from tfruns.masking.text import one_line
from tfruns.tools.consent import NO_IMPACT, Impact, ImpactKind
from tfruns.tools.impact import named_workspace
from tfruns.wire.run_params import RunParams, RunVariableParam

_VALUE = 1_000  # characters of one option's value

_INSTEAD = (
    "Create the run without auto_apply, call review_run when it is planned, and apply_run with its fingerprint; or let "
    "a person do it in the browser or with `tfruns run create`."
)

_LABELS = {
    "target_addrs": "Only these",
    "replace_addrs": "Replaced (destroyed and created again)",
    "invoke_action_addrs": "Actions to invoke",
}


def kinds_of_new_run(params: RunParams) -> frozenset[ImpactKind]:
    """What a new run would do without another question, as far as its options tell."""
    if params.plan_only:
        return frozenset()
    kinds = set()
    if params.auto_apply is not False:  # what is not given is the workspace's choice
        kinds.add(ImpactKind.UNSEEN_APPLY)
    if params.is_destroy:
        kinds.add(ImpactKind.DESTROY_PLAN)
    return frozenset(kinds)


async def impact_of_create(client: Client, values: Mapping[str, Any]) -> Impact:
    """A run that applies by itself does something that nobody has seen: whatever its configuration says."""
    params: RunParams = values["params"]
    kinds = kinds_of_new_run(params)
    if not kinds:
        return NO_IMPACT
    workspace = await client.workspaces.read(values["workspace_id"])
    name = f"{named_workspace(workspace)} ({workspace.id})" if workspace.name else workspace.id
    count = "an unknown number of" if workspace.resource_count is None else workspace.resource_count
    is_unseen = ImpactKind.UNSEEN_APPLY in kinds
    by_itself = ", without another question" if is_unseen else " (it then waits for its apply)"
    does = "destroys all resources" if params.is_destroy else "applies whatever it plans"
    return Impact(
        kinds=kinds,
        question=f"Create a run in {name} that {does}{by_itself}?",
        at_stake=(f"The workspace has {count} resources.", *_options(params)),
        state=[workspace.id, workspace.resource_count],
        instead=_INSTEAD if is_unseen else "",
    )


def _options(params: RunParams) -> Iterator[str]:
    """Every option that is given, but those that the question itself says."""
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
