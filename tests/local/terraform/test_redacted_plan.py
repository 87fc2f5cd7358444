"""The redacted plan."""

import json
from typing import Any

from tests.local.terraform.conftest import Bench
from tfruns.local.terraform.redacted_plan import providers_of, redacted_plan
from tfruns.local.terraform.variables import VariableValue

BUILT_IN = "terraform.io/builtin/terraform"
SCHEMAS = {"format_version": "1.0", "provider_schemas": {}}


def change(before: Any, after: Any, before_sensitive: Any, after_sensitive: Any) -> dict[str, Any]:
    return {
        "actions": ["update"],
        "before": before,
        "after": after,
        "before_sensitive": before_sensitive,
        "after_sensitive": after_sensitive,
    }


def resource(changed: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"address": "x.y", "mode": "managed", "type": "x", "provider_name": "p", "change": changed, **fields}


def redacted(changed: dict[str, Any]) -> dict[str, Any]:
    plan = {"format_version": "1.2", "resource_changes": [resource(changed)]}
    result: dict[str, Any] = redacted_plan(plan, SCHEMAS)["resource_changes"][0]["change"]
    return result


def test_marked_values_are_masked_and_others_kept() -> None:
    value = {"pw": "s3cret", "port": 5432, "list": [1, {"k": "s3cret", "n": 7}], "map": {"a": [1]}, "none": None}
    marks = {"pw": True, "port": True, "list": [False, {"k": True}], "map": True, "none": True}
    after = redacted(change(None, value, False, marks))["after"]
    assert "s3cret" not in json.dumps(after)
    assert all(isinstance(after[key], str) for key in ("pw", "port", "map"))
    assert after["list"][0] == 1
    assert after["list"][1]["n"] == 7
    assert after["none"] is None


def test_equal_sensitive_values_have_equal_masks() -> None:
    marks = {"a": True, "b": True}
    changed = redacted(change({"a": "old", "b": "same"}, {"a": "new", "b": "same"}, marks, marks))
    assert changed["before"]["a"] != changed["after"]["a"]
    assert changed["before"]["b"] == changed["after"]["b"]


def test_secret_has_different_masks_in_different_plans() -> None:
    changed = change(None, {"a": "x"}, False, {"a": True})
    assert redacted(changed) != redacted(changed)


def test_drift_outputs_actions_and_deferred_changes_are_redacted() -> None:
    changed = change({"a": "s3cret"}, {"a": "s3cret2"}, {"a": True}, {"a": True})
    plan = {
        "format_version": "1.2",
        "resource_drift": [resource(changed)],
        "deferred_changes": [{"reason": "unknown", "resource_change": resource(changed)}],
        "action_invocations": [
            {
                "address": "action.x.y",
                "type": "x",
                "provider_name": "p",
                "config_values": {"a": "s3cret"},
                "config_sensitive": {"a": True},
            }
        ],
        "output_changes": {"o": change("s3cret", "s3cret2", True, True)},
        "variables": {"v": {"value": "s3cret"}},
        "prior_state": {"values": {"outputs": {"o": {"value": "s3cret"}}}},
    }
    result = redacted_plan(plan, SCHEMAS)
    assert "s3cret" not in json.dumps(result)
    assert len(result["resource_drift"]) == len(result["deferred_changes"]) == len(result["action_invocations"]) == 1


def test_secret_without_a_mark_is_masked() -> None:
    values = {"copied": {"deep": ["s3cret-a", "with s3cret-b in it"]}, "other": "open"}
    plan = {
        "format_version": "1.2",
        "resource_changes": [resource(change(None, values, False, {}))],
        "variables": {"v": {"value": {"k": "s3cret-a"}}, "w": {"value": "open"}},
        "configuration": {"root_module": {"variables": {"v": {"sensitive": True}, "w": {}}}},
    }
    result = redacted_plan(plan, SCHEMAS, secret_texts=["s3cret-b", "x"])
    assert "s3cret" not in json.dumps(result)
    assert result["resource_changes"][0]["change"]["after"]["other"] == "open"


def test_only_the_schemas_of_planned_types_are_included() -> None:
    table = {"x": {"version": 1}, "other": {"version": 2}}
    schemas = {
        "format_version": "1.0",
        "provider_schemas": {
            "p": {"resource_schemas": table, "data_source_schemas": table, "action_schemas": table, "functions": {}},
            "q": {"resource_schemas": table},
        },
    }
    data = resource(change(None, {}, False, False), mode="data")
    plan = {"format_version": "1.2", "resource_changes": [resource(change(None, {}, False, False)), data]}
    assert redacted_plan(plan, schemas)["provider_schemas"] == {
        "p": {"resource_schemas": {"x": {"version": 1}}, "data_source_schemas": {"x": {"version": 1}}}
    }
    assert providers_of(plan) == {"p"}


def test_cli_renders_a_redacted_plan(bench: Bench) -> None:
    main = """
    variable "pw" { sensitive = true }
    resource "terraform_data" "a" { input = { pw = var.pw, open = "seen" } }
    output "pw" {
      value     = var.pw
      sensitive = true
    }
    """
    bench.given(main, variables=(VariableValue("pw", "hunter-1"),))
    bench.applied()
    bench.given(main, variables=(VariableValue("pw", "hunter-2"),))
    outcome = bench.planned()
    assert outcome.redacted_json is not None
    assert outcome.plan_json is not None
    text = outcome.redacted_json.read_text()
    plan = json.loads(text)
    assert "hunter" not in text
    assert "hunter-2" in outcome.plan_json.read_text()
    assert {"plan_format_version", "provider_format_version", "resource_drift", "relevant_attributes"} <= plan.keys()
    (changed,) = plan["resource_changes"]
    assert changed["change"]["after"]["input"]["open"] == "seen"
    assert changed["change"]["before"]["input"]["pw"] != changed["change"]["after"]["input"]["pw"]
    assert plan["output_changes"]["pw"]["actions"] == ["update"]
    assert set(plan["provider_schemas"][BUILT_IN]["resource_schemas"]) == {"terraform_data"}


def test_numbers_come_out_as_terraform_wrote_them(bench: Bench) -> None:
    main = """
    variable "pin" { sensitive = true }
    resource "terraform_data" "a" {
      input = [
        12345678901234567890123, 0.1234567890123456789, 9007199254740993.5, -1.5, 1e-30, tonumber("1e5000"), var.pin
      ]
    }
    """
    bench.given(main, variables=(VariableValue("pin", "98765432109876543210.5", is_hcl=True),))
    outcome = bench.planned()
    assert outcome.redacted_json is not None
    assert outcome.plan_json is not None

    def numbers(text: str) -> list[str]:
        plan = json.loads(text, parse_int=str, parse_float=str)
        found: list[str] = plan["resource_changes"][0]["change"]["after"]["input"]
        return found

    shown, written = (numbers(path.read_text()) for path in (outcome.redacted_json, outcome.plan_json))
    assert shown[:6] == written[:6]
    assert written[:3] == ["12345678901234567890123", "0.1234567890123456789", "9007199254740993.5"]
    assert written[6] == "98765432109876543210.5"
    assert shown[6].startswith("sensitive-")
