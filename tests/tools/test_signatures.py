"""The functions of the tools have the documented parameters, order and defaults, because programs may call them."""

import inspect

from tests.support.tables import rows
from tests.tools.calls import TOOLS
from tfruns.tool import Proof
from tfruns.wire.run_params import RunParams

_FILTERS = (
    "page_number=1, page_size=20, filter_operation=None, filter_status=None, filter_source=None, "
    "filter_status_group=None, filter_timeframe=None, filter_agent_pool_names=None"
)
_SEARCHES = "search_user=None, search_commit=None, search_basic=None, since=None"

# The tools reference, "Function": parameters and defaults, in its order.
PROMISED = {
    "create_run": "workspace_id, params=None",
    "list_runs_in_workspace": f"workspace_id, {_FILTERS}, {_SEARCHES}",
    "list_runs_in_organization": f"organization=None, {_FILTERS}, filter_workspace_names=None, {_SEARCHES}",
    "get_run_details": "run_id",
    "apply_run": "run_id, comment=''",
    "discard_run": "run_id, comment=''",
    "cancel_run": "run_id, comment=''",
    "force_cancel_run": "run_id, comment=''",
    "force_execute_run": "run_id",
    # additional tools
    "comment_on_run": "run_id, body",
    "explain_runs": "which='open', organization=None, filter_workspace_names=None, since=None",
    "list_workspaces": "organization=None, search='', page_number=1, page_size=20",
    "get_workspace_details": "workspace_id, part='settings', search='', page_number=1, page_size=20",
    "set_workspace_lock": "workspace_id, action, reason=''",
    "rerun": "run_id, message='', auto_apply=False",
    "set_variable": "workspace_id, key, value=None, category='terraform', sensitive=None, hcl=None, description=None, "
    "delete=False",
    "save_workspace": "workspace_id, create=False, name='', description=None, auto_apply=None, "
    "terraform_version=None, working_directory=None, tags=None",
    "delete_workspace": "workspace_id",
    "roll_back_state": "workspace_id, state_version_id",
    "upload_configuration": "workspace_id, directory, speculative=False, include=None",
    "override_policy_check": "run_id, comment",
}


def _spelled(parameter: inspect.Parameter) -> str:
    is_required = parameter.default is inspect.Parameter.empty
    return parameter.name if is_required else f"{parameter.name}={parameter.default!r}"


@rows("name", PROMISED)
def test_function_has_a_context_and_then_exactly_the_documented_parameters(name: str) -> None:
    first, *parameters = inspect.signature(TOOLS[name].function).parameters.values()
    assert first.name == "context"
    assert ", ".join(map(_spelled, parameters)) == PROMISED[name]
    assert {parameter.kind for parameter in parameters} == {inspect.Parameter.POSITIONAL_OR_KEYWORD}


_FINGERPRINTED = {"apply_run": ["fingerprint"]}


@rows("name", PROMISED)
def test_schema_has_the_parameters_of_its_function_and_then_the_proofs(
    name: str,
) -> None:
    promised = [part.partition("=")[0] for part in PROMISED[name].split(", ")]
    guarding = ["confirmation"] if Proof.CODE in TOOLS[name].proofs else []
    assert list(TOOLS[name].input_schema["properties"]) == [*promised, *guarding, *_FINGERPRINTED.get(name, [])]


def test_options_of_a_new_run_have_no_defaults() -> None:
    # An omitted option is not sent, so that the API's default applies.
    assert all(field.default is None for field in RunParams.model_fields.values())
    assert not any(field.is_required() for field in RunParams.model_fields.values())
