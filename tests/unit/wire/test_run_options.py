"""The options of a run."""

from typing import Any

import pytest

from tests.support.tables import rows
from tfruns.errors import InvalidInput
from tfruns.next_actions import joined
from tfruns.vocabulary import RunOperation
from tfruns.wire.run_options import RunOptions, option_conflict
from tfruns.wire.run_params import RunParams
from tfruns.wire.runs import Run


def test_request_options_match_the_runs_options() -> None:
    more = {"message", "auto_apply", "variables", "configuration_version_id"}
    assert set(RunParams.model_fields) == set(RunOptions.model_fields) | more
    assert {name: RunParams.model_fields[name].annotation for name in RunOptions.model_fields} == {
        name: field.annotation for name, field in RunOptions.model_fields.items()
    }
    assert issubclass(Run, RunOptions)


@rows(
    ("chosen", "operation"),
    [
        ((), RunOperation.PLAN_AND_APPLY),
        (("allow_empty_apply",), RunOperation.EMPTY_APPLY),
        (("is_destroy", "allow_empty_apply"), RunOperation.DESTROY),
        (("refresh_only", "allow_empty_apply"), RunOperation.REFRESH_ONLY),
        (("save_plan", "is_destroy"), RunOperation.SAVE_PLAN),
        (("plan_only", "is_destroy", "refresh_only"), RunOperation.PLAN_ONLY),
    ],
)
def test_queuing_options_take_precedence_as_operation(chosen: tuple[str, ...], operation: RunOperation) -> None:
    assert RunOptions.model_validate(dict.fromkeys(chosen, True)).operation is operation


def test_only_refresh_is_on_by_default() -> None:
    options = RunOptions(save_plan=True, refresh=None, target_addrs=["a.b"]).with_defaults()
    assert options.model_dump(exclude_none=True) == {
        "is_destroy": False, "refresh": True, "refresh_only": False, "plan_only": False, "save_plan": True,
        "allow_empty_apply": False, "allow_config_generation": False, "debugging_mode": False, "target_addrs": ["a.b"],
    }  # fmt: skip
    assert RunOptions(refresh=False).with_defaults().refresh is False


_NEVER_APPLIED = "a plan-only run is never applied."


@rows(
    ("options", "message", "solution"),
    [
        (
            {"is_destroy": True, "refresh_only": True},
            "is_destroy and refresh_only cannot be used together.",
            "Set only one of them.",
        ),
        (
            {"terraform_version": "1.11.4"},
            "terraform_version requires plan_only.",
            "Set plan_only, or omit terraform_version.",
        ),
        (
            {"plan_only": True, "allow_empty_apply": True},
            f"allow_empty_apply and plan_only cannot be used together: {_NEVER_APPLIED}",
            "Set only one of them.",
        ),
        (
            {"plan_only": True, "save_plan": True},
            f"save_plan and plan_only cannot be used together: {_NEVER_APPLIED}",
            "Set only one of them.",
        ),
    ],
)
def test_client_and_backend_refuse_the_same_options(options: dict[str, Any], message: str, solution: str) -> None:
    conflict = option_conflict(RunOptions(**options))
    assert conflict is not None
    assert (joined(conflict.message), joined(conflict.solution)) == (message, solution)
    with pytest.raises(InvalidInput) as failure:
        RunParams(**options)
    assert (failure.value.message, failure.value.solution) == (message, solution)


@rows("options", [{"plan_only": True, "terraform_version": "1.11.4"}, {"save_plan": True, "is_destroy": True}, {}])
def test_valid_options_have_no_conflict(options: dict[str, Any]) -> None:
    assert option_conflict(RunOptions(**options)) is None
    RunParams(**options)
