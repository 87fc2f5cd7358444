"""Rules for all tools: documented names, parameters and defaults; strict and small schemas."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any, Literal

import anyio
import pytest

from tests.support.tables import rows
from tests.tools.listing import list_tools, listed_tools
from tfruns.gate.registry import all_tools
from tfruns.policy import Mode, Policy
from tfruns.tool import Tool

REQUIRED = object()

_FILTERS: dict[str, Any] = {
    "page_number": 1,
    "page_size": 20,
    "filter_operation": None,
    "filter_status": None,
    "filter_source": None,
    "filter_status_group": None,
    "filter_timeframe": None,
    "filter_agent_pool_names": None,
}
_SEARCHES: dict[str, Any] = {"search_user": None, "search_commit": None, "search_basic": None}

# The documented tools in order, with their parameters and defaults.
PROMISED: dict[str, dict[str, Any]] = {
    "create_run": {"workspace_id": REQUIRED, "params": None},
    "list_runs_in_workspace": {"workspace_id": REQUIRED, **_FILTERS, **_SEARCHES},
    "list_runs_in_organization": {
        "organization": None,
        **_FILTERS,
        "filter_workspace_names": None,
        **_SEARCHES,
    },
    "get_run_details": {"run_id": REQUIRED},
    "apply_run": {"run_id": REQUIRED, "comment": ""},
    "discard_run": {"run_id": REQUIRED, "comment": ""},
    "cancel_run": {"run_id": REQUIRED, "comment": ""},
    "force_cancel_run": {"run_id": REQUIRED, "comment": ""},
    "force_execute_run": {"run_id": REQUIRED},
}
# Additional tools and parameters, which are not part of the documented nine.
ADDED: dict[str, dict[str, Any]] = {
    "wait_for_run": {"run_id": REQUIRED, "until": "attention", "timeout_s": 50},
    "review_run": {
        "run_id": REQUIRED,
        "filter": "",
        "page_number": 1,
        "page_size": 50,
        "address": "",
        "applied": False,
    },
    "get_run_logs": {"run_id": REQUIRED, "phase": "auto", "tail_lines": 100, "search": "", "offset": None},
    "get_run_history": {"run_id": REQUIRED, "page_number": 1, "page_size": 30},
    "diagnose_run": {"run_id": REQUIRED},
    "comment_on_run": {"run_id": REQUIRED, "body": REQUIRED},
    "explain_runs": {"which": "open", "organization": None, "filter_workspace_names": None, "since": None},
    "list_workspaces": {"organization": None, "search": "", "page_number": 1, "page_size": 20},
    "get_workspace_details": {
        "workspace_id": REQUIRED,
        "part": "settings",
        "search": "",
        "page_number": 1,
        "page_size": 20,
    },
    "set_workspace_lock": {"workspace_id": REQUIRED, "action": REQUIRED, "reason": ""},
    "rerun": {"run_id": REQUIRED, "message": "", "auto_apply": False},
    "set_variable": {
        "workspace_id": REQUIRED,
        "key": REQUIRED,
        "value": None,
        "category": "terraform",
        "sensitive": None,
        "hcl": None,
        "description": None,
        "delete": False,
    },
    "save_workspace": {
        "workspace_id": REQUIRED,
        "create": False,
        "name": "",
        "description": None,
        "auto_apply": None,
        "terraform_version": None,
        "working_directory": None,
        "tags": None,
    },
    "delete_workspace": {"workspace_id": REQUIRED},
    "roll_back_state": {"workspace_id": REQUIRED, "state_version_id": REQUIRED},
    "upload_configuration": {"workspace_id": REQUIRED, "directory": REQUIRED, "speculative": False},
    "override_policy_check": {"run_id": REQUIRED, "comment": REQUIRED},
}
ALL = PROMISED | ADDED

PROMISED_PARAMS = {
    "message": "string",
    "is_destroy": "boolean",
    "auto_apply": "boolean",
    "refresh": "boolean",
    "refresh_only": "boolean",
    "plan_only": "boolean",
    "target_addrs": "array",
    "replace_addrs": "array",
    "variables": "array",
}
# HCP Terraform API, "Create a Run", and the OpenAPI document: the other options.
FURTHER_PARAMS = {
    "configuration_version_id": "string",
    "save_plan": "boolean",
    "allow_empty_apply": "boolean",
    "allow_config_generation": "boolean",
    "debugging_mode": "boolean",
    "terraform_version": "string",
    "policy_paths": "array",
    "invoke_action_addrs": "array",
}
TYPES = {
    "page_number": "integer",
    "page_size": "integer",
    "params": "object",
    "speculative": "boolean",
    **dict.fromkeys(("applied", "sensitive", "hcl", "delete", "create", "auto_apply"), "boolean"),
    "tags": "array",
    "timeout_s": "integer",
    "tail_lines": "integer",
    "offset": "integer",
}  # all other parameters are strings

MAX_LIST_BYTES = 27_000

READERS = {
    "list_runs_in_workspace",
    "list_runs_in_organization",
    "get_run_details",
    "list_workspaces",
    "explain_runs",
    "get_workspace_details",
    "wait_for_run",
    "review_run",
    "get_run_logs",
    "get_run_history",
    "diagnose_run",
}
ADDERS = {"comment_on_run", "upload_configuration"}  # they only add something
# A repeated call of these creates a second object; a repeated action is refused or has no further effect.
MAKERS = {"rerun", "create_run", "comment_on_run", "upload_configuration", "roll_back_state"}


def nodes(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A schema and every schema within it."""
    yield schema
    for child in schema.get("properties", {}).values():
        yield from nodes(child)
    if isinstance(schema.get("items"), dict):
        yield from nodes(schema["items"])


def test_nine_documented_tools_come_first_in_their_order() -> None:
    names = [tool.name for tool in all_tools()]
    assert names[: len(PROMISED)] == list(PROMISED)
    assert set(names) == set(ALL)
    assert list(listed_tools()) == names


@rows("name", ALL)
def test_documented_parameters_come_first_and_others_are_optional(name: str) -> None:
    schema = listed_tools()[name]["inputSchema"]
    promised = ALL[name]
    names = list(schema["properties"])
    assert names[: len(promised)] == list(promised)
    assert schema.get("required", []) == [key for key, default in promised.items() if default is REQUIRED]


@rows("name", ALL)
def test_parameter_has_the_documented_type_and_default(name: str) -> None:
    properties = listed_tools()[name]["inputSchema"]["properties"]
    for key, default in ALL[name].items():
        assert properties[key]["type"] == TYPES.get(key, "string")
        # A default of None is not declared, because an optional argument implies it.
        assert properties[key].get("default") == (None if default is REQUIRED else default)


def test_options_of_a_new_run_are_those_of_the_api() -> None:
    params = listed_tools()["create_run"]["inputSchema"]["properties"]["params"]
    types = {key: node["type"] for key, node in params["properties"].items()}
    assert list(types)[: len(PROMISED_PARAMS)] == list(PROMISED_PARAMS)
    assert types == PROMISED_PARAMS | FURTHER_PARAMS
    assert "required" not in params


def test_variable_is_a_key_and_a_literal() -> None:
    params = listed_tools()["create_run"]["inputSchema"]["properties"]["params"]
    variable = params["properties"]["variables"]["items"]
    assert variable["required"] == ["key", "value"]
    assert {key: node["type"] for key, node in variable["properties"].items()} == {"key": "string", "value": "string"}


@rows("name", ALL)
def test_every_object_of_a_schema_refuses_unknown_properties(name: str) -> None:
    for node in nodes(listed_tools()[name]["inputSchema"]):
        if "properties" in node:
            assert node["type"] == "object"
            assert node["additionalProperties"] is False


@rows("name", ALL)
def test_schema_has_no_references_titles_or_nulls(name: str) -> None:
    for node in nodes(listed_tools()[name]["inputSchema"]):
        assert not set(node) & {"$ref", "$defs", "title"}
        assert node.get("type") != "null"
        assert "default" not in node or node["default"] is not None


@rows("name", ALL)
def test_every_tool_and_argument_has_a_description(name: str) -> None:
    tool = listed_tools()[name]
    assert tool["title"]
    assert tool["description"].endswith(".")
    assert "  " not in tool["description"]
    for key, node in tool["inputSchema"]["properties"].items():
        assert node.get("description") or "properties" in node, f"{key} has no description"


@rows("tool", all_tools(), ids=lambda tool: tool.name)
def test_hints_match_the_effect_of_a_tool(tool: Tool) -> None:
    assert tool.is_read_only is (tool.name in READERS)
    assert tool.is_destructive is (tool.name not in READERS | ADDERS)
    assert tool.is_idempotent is (tool.name not in MAKERS)
    shown = listed_tools()[tool.name]["annotations"]
    assert shown["readOnlyHint"] is tool.is_read_only
    assert shown["destructiveHint"] is tool.is_destructive
    assert shown["idempotentHint"] is tool.is_idempotent


@rows("mode", Mode)
@rows("era", ["auto", "legacy"])
def test_list_of_tools_stays_within_the_limit(mode: Mode, era: Literal["auto", "legacy"]) -> None:
    result = anyio.run(list_tools, Policy(mode), era)
    assert len(result.model_dump_json(by_alias=True, exclude_none=True).encode()) <= MAX_LIST_BYTES


def test_no_tool_declares_an_output_schema() -> None:
    for tool in listed_tools().values():
        assert "outputSchema" not in tool


@pytest.mark.processes
def test_order_of_tools_does_not_depend_on_imports() -> None:
    code = "import tfruns.tools.wait_for_run; from tfruns.gate.registry import all_tools; print(all_tools()[0].name)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert printed.stdout.strip() == next(iter(PROMISED))
