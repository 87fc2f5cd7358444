"""The JSON of a plan for a file: every marked value is masked by its position, however short it is."""

import json
from typing import Any

from tests.support.tables import rows
from tfruns.masking.secrets import MASKED, Secrets
from tfruns.review.masked_plan import masked_plan

CHANGE = {
    "actions": ["update"],
    "before": {"a": "b", "pin": "12", "list": [{"x": "1", "y": "2"}, {"x": "3"}], "none": None},
    "after": {"a": "c", "pin": "34", "list": [{"x": "1", "y": "2"}, {"x": "3"}], "none": None},
    "before_sensitive": {"pin": True, "list": [{"y": True}], "none": True},
    "after_sensitive": {"pin": True, "list": True, "none": True},
}
MASKED_CHANGE = CHANGE | {
    "before": {"a": "b", "pin": MASKED, "list": [{"x": "1", "y": MASKED}, {"x": "3"}], "none": None},
    "after": {"a": "c", "pin": MASKED, "list": MASKED, "none": None},
}
STATE = {
    "outputs": {"pin": {"sensitive": True, "value": "12"}, "open": {"sensitive": False, "value": "34"}},
    "root_module": {
        "resources": [{"address": "a.b", "values": {"pin": "12", "x": "1"}, "sensitive_values": {"pin": True}}],
        "child_modules": [{"resources": [{"values": "12", "sensitive_values": True}]}],
    },
}
MASKED_STATE = {
    "outputs": {"pin": {"sensitive": True, "value": MASKED}, "open": {"sensitive": False, "value": "34"}},
    "root_module": {
        "resources": [{"address": "a.b", "values": {"pin": MASKED, "x": "1"}, "sensitive_values": {"pin": True}}],
        "child_modules": [{"resources": [{"values": MASKED, "sensitive_values": True}]}],
    },
}


def masked(plan: dict[str, Any], names: set[str] | None = frozenset()) -> Any:  # type: ignore[assignment]
    return masked_plan(plan, Secrets.of_plan(plan), names)


@rows(
    ("plan", "shown"),
    [
        ({"resource_changes": [{"change": CHANGE}]}, {"resource_changes": [{"change": MASKED_CHANGE}]}),
        ({"resource_drift": [{"change": CHANGE}]}, {"resource_drift": [{"change": MASKED_CHANGE}]}),
        (
            {"deferred_changes": [{"reason": "x", "resource_change": {"change": CHANGE}}]},
            {"deferred_changes": [{"reason": "x", "resource_change": {"change": MASKED_CHANGE}}]},
        ),
        (
            {
                "output_changes": {
                    "o": {"after": "12", "after_sensitive": True, "before": "1", "before_sensitive": False}
                }
            },
            {
                "output_changes": {
                    "o": {"after": MASKED, "after_sensitive": True, "before": "1", "before_sensitive": False}
                }
            },
        ),
        (
            {"action_invocations": [{"config_values": {"k": "12"}, "config_sensitive": {"k": True}}]},
            {"action_invocations": [{"config_values": {"k": MASKED}, "config_sensitive": {"k": True}}]},
        ),
        ({"planned_values": STATE}, {"planned_values": MASKED_STATE}),
        ({"prior_state": {"values": STATE}}, {"prior_state": {"values": MASKED_STATE}}),
    ],
)
def test_marked_values_are_masked_in_every_section(plan: dict[str, Any], shown: dict[str, Any]) -> None:
    assert masked(plan) == shown


def test_variables_are_masked_by_the_configuration_the_workspace_and_their_names() -> None:
    values = {name: {"value": "12"} for name in ("declared", "of_workspace", "api_token")} | {"open": {"value": "34"}}
    declared = {"declared": {"sensitive": True, "default": "12"}, "open": {"default": "34"}}
    plan = {"variables": values, "configuration": {"root_module": {"variables": declared}}}
    shown = masked(plan, {"of_workspace"})
    hidden = {name for name, variable in shown["variables"].items() if variable["value"] == MASKED}
    assert hidden == {"declared", "of_workspace", "api_token"}
    assert shown["configuration"]["root_module"]["variables"]["declared"]["default"] == MASKED
    assert shown["configuration"]["root_module"]["variables"]["open"]["default"] == "34"
    unknown = masked(plan, None)
    assert {variable["value"] for variable in unknown["variables"].values()} == {MASKED}


def test_constants_of_the_configuration_are_masked_by_name() -> None:
    call = {
        "expressions": {"pin_of_child": {"constant_value": "12"}, "size": {"constant_value": 3}},
        "module": {
            "variables": {"pin_of_child": {"sensitive": True}},
            "outputs": {"o": {"sensitive": True, "expression": {"constant_value": "12"}}},
            "resources": [
                {"expressions": {"password": {"constant_value": "12"}, "x": [{"token": {"constant_value": 1}}]}}
            ],
        },
    }
    plan = {
        "configuration": {
            "provider_config": {"p": {"expressions": {"secret_key": {"constant_value": "12"}}}},
            "root_module": {"module_calls": {"m": call}},
        }
    }
    shown = masked(plan)["configuration"]
    module = shown["root_module"]["module_calls"]["m"]
    assert shown["provider_config"]["p"]["expressions"]["secret_key"]["constant_value"] == MASKED
    assert module["expressions"] == {"pin_of_child": {"constant_value": MASKED}, "size": {"constant_value": 3}}
    assert module["module"]["outputs"]["o"]["expression"]["constant_value"] == MASKED
    assert module["module"]["resources"][0]["expressions"] == {
        "password": {"constant_value": MASKED},
        "x": [{"token": {"constant_value": MASKED}}],
    }


def test_value_that_lost_its_mark_is_masked_wherever_it_occurs() -> None:
    secret = "l0st-its-mark"
    marked = {"change": {"after": {"x": secret}, "after_sensitive": {"x": True}}}
    copied = {"change": {"after": {"y": f"prefix {secret}", secret: 1}, "after_sensitive": {}}}
    plan = {"resource_changes": [marked, copied], "checks": [{"message": secret}]}
    assert secret not in json.dumps(masked(plan))


def test_malformed_sections_are_kept_without_an_error() -> None:
    for value in (None, 1, "x", [], [None, 1], {"a": None}, {"a": [1]}):
        sections = ("resource_changes", "output_changes", "planned_values", "prior_state", "variables", "configuration")
        assert set(masked(dict.fromkeys(sections, value))) == set(sections)
