"""Force-execute a run. Source: HCP Terraform API, "Forcefully execute a run"."""

from collections.abc import Mapping
from typing import Any

from tfruns.arguments import RunId
from tfruns.client.client import Client
from tfruns.impact import NO_IMPACT, Impact, ImpactKind
from tfruns.lifecycle import is_final
from tfruns.policy import Toolset
from tfruns.runs.impact_parts import LET_A_PERSON, facts, listed, named_run, read_run, text_lines, unseen
from tfruns.runs.results import act
from tfruns.runs.workspace_queue import runs_before, with_displaced
from tfruns.tool import Context, Proof, Result, tool
from tfruns.views.runs import ActionView
from tfruns.vocabulary import RunAction


async def impact_of_force_execute(client: Client, values: Mapping[str, Any]) -> Impact:
    """Other runs are discarded or canceled, and the run itself may apply without confirmation."""
    run = await read_run(client, values)
    if is_final(run.status):
        return NO_IMPACT
    before = await runs_before(client, run.id)
    displaced = before[1] if before else None
    none = ["The runs before it could not be read."] if displaced is None else ["No other run is before it."]
    lines = listed([f"- {id_}" for id_ in displaced or ()], "These runs would be discarded or canceled:")
    itself = [run.id] if run.auto_apply is not False else []
    by_itself = ("The run then applies its plan without another confirmation.",) if itself else ()
    return Impact(
        kinds=frozenset({ImpactKind.DISPLACE, *unseen(itself)}),
        question=f"Let {named_run(run)} run next, ahead of all other runs of its workspace?",
        at_stake=(*(lines or none), *by_itself, *await text_lines(client, run, values)),
        state=[run.id, str(run.status), displaced, run.auto_apply],
        instead=LET_A_PERSON,
        facts=facts(run, itself),
    )


@tool(
    title="Force-execute a run",
    toolset=Toolset.RUNS,
    order=90,
    is_destructive=True,
    is_idempotent=True,
    impact=impact_of_force_execute,
    proofs=(Proof.CODE,),
    command="run force-execute",
    instruction="force_execute_run only if a person asks for it.",
)
async def force_execute_run(context: Context, run_id: RunId) -> Result[ActionView] | ActionView:
    """Start a pending run next: the current run of the workspace is discarded, all earlier pending runs are canceled.

    The result lists the displaced runs. For emergencies only.
    """
    before = await runs_before(context.client, run_id)
    result = await act(context, run_id, RunAction.FORCE_EXECUTE)
    if not isinstance(result, Result):
        return await with_displaced(context.client, before, result)

    async def view() -> ActionView:
        return await with_displaced(context.client, before, await result.view())

    return Result(view, result.document)
