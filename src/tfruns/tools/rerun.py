"""Create a run like an earlier one. Source: HCP Terraform API, "Create a Run"."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field, ValidationError

from tfruns.arguments import RunId
from tfruns.client.client import Client
from tfruns.errors import InvalidInput
from tfruns.hcl.literals import is_literal
from tfruns.impact import Impact
from tfruns.masking.text import one_line
from tfruns.policy import Mode, Policy, Toolset
from tfruns.runs.new_run import created_run, impact_of_new_run, refuse_auto_apply
from tfruns.tool import Context, Proof, Result, tool
from tfruns.views.runs import RunView
from tfruns.wire.run_options import RunOptions
from tfruns.wire.run_params import MAX_MESSAGE, RunParams, RunVariableParam
from tfruns.wire.runs import Run, RunVariable
from tfruns.wording import truncated

Message = Annotated[str, Field(description='By default "Rerun of run-…" and its message')]
AutoApply = Annotated[bool, Field(description="Apply without confirmation after the plan")]


def _within_mode(policy: Policy, values: Mapping[str, Any]) -> Mapping[str, Any]:
    refuse_auto_apply(policy, auto_apply=values["auto_apply"])
    return values


async def impact_of_rerun(client: Client, values: Mapping[str, Any]) -> Impact:
    """The impact of a new run with the options of the earlier one."""
    run = await client.runs.read(values["run_id"])
    params = options_of(run, values["message"], auto_apply=values["auto_apply"])
    impact = await impact_of_new_run(client, _workspace_of(run), params, hides_values=True)
    return replace(impact, state=[run.id, impact.state]) if impact.kinds else impact


def _workspace_of(run: Run) -> str:
    if run.workspace is None:
        raise InvalidInput(
            "The API does not name the workspace of the run.", solution="Create a new run with the same options."
        )
    return run.workspace.id


def options_of(run: Run, message: str, *, auto_apply: bool) -> RunParams:
    """The options of a new run like this one.

    Whether it applies without confirmation is not copied: that was decided for another plan.

    Raises:
        InvalidInput: the API hides the value of a variable of the run, or its name is invalid.
    """
    copied = {name: value for name in RunOptions.model_fields if (value := getattr(run, name)) not in (None, [])}
    if not run.plan_only:
        copied.pop("terraform_version", None)  # the API tells that of the workspace
    configuration = run.configuration_version
    return RunParams(
        **copied,
        message=message.strip() or truncated(f"Rerun of {run.id}: {run.message or ''}".rstrip(": "), MAX_MESSAGE),
        auto_apply=auto_apply,
        variables=_variables(run) or None,
        configuration_version_id=configuration.id if configuration else None,
    )


def _variables(run: Run) -> list[RunVariableParam]:
    try:
        return [RunVariableParam(key=variable.key, value=_literal(variable)) for variable in run.variables or []]
    except ValidationError:
        raise InvalidInput(
            "A variable of the run cannot be repeated: its name is invalid.",
            solution="Create a new run with the same options.",
        ) from None


def _literal(variable: RunVariable) -> str:
    if variable.value is None or not is_literal(variable.value):
        raise InvalidInput(
            f"The API hides the value of the run's variable {one_line(variable.key, 100)}.",
            solution="Create a new run with the same options and the value.",
        )
    return variable.value


@tool(
    title="Run again",
    toolset=Toolset.RUNS,
    order=155,
    mode=Mode.PLAN,
    is_destructive=True,
    impact=impact_of_rerun,
    proofs=(Proof.CODE,),
    apply_policy=_within_mode,
    command="run rerun",
)
async def rerun(
    context: Context, run_id: RunId, message: Message = "", auto_apply: AutoApply = False
) -> Result[RunView]:
    """Create a run with the configuration version, options and variables of an earlier run of the same workspace."""
    run = await context.client.runs.read(run_id)
    return await created_run(context, _workspace_of(run), options_of(run, message, auto_apply=auto_apply))
