"""The next steps of results and errors, as commands."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from tests.support.tables import rows
from tfruns import next_actions
from tfruns.cli.app import app
from tfruns.cli.next_commands import command_of, next_text, option_of
from tfruns.gate.registry import all_tools, tool_names
from tfruns.next_actions import NextAction

RUN = "run-CZcmD7eagjhyX0vN"
_WITHOUT_OPTION = {
    # Proofs that a person gives in another way, and arguments that the commands replace by more general ones.
    *("confirmation", "offset", "page_size", "filter_agent_pool_names", "search_user", "search_commit", "organization"),
    *("key", "value", "action", "applied"),
}


@rows(
    ("action", "command"),
    [
        (NextAction.for_run("review_run", RUN, ""), f"tfruns run review {RUN} --local"),
        (NextAction("explain_runs", {"which": "failed"}, ""), "tfruns run status --failed --local"),
        (NextAction("explain_runs", {"which": "open"}, ""), "tfruns run status --local"),
        (
            NextAction.for_run("apply_run", RUN, "", fingerprint="a b"),
            f"tfruns run apply {RUN} --fingerprint 'a b' --local",
        ),
        (NextAction.for_run("wait_for_run", RUN, "", until="final"), f"tfruns run wait {RUN} --until final --local"),
        (
            NextAction.for_run("get_run_logs", RUN, "", phase="plan", offset=0),
            f"tfruns run logs {RUN} --phase plan --local",
        ),
        (
            NextAction("create_run", {"workspace_id": "ws-1", "params": {"target_addrs": ["a", "b"]}}, ""),
            "tfruns run create --workspace ws-1 --target a --target b --local",
        ),
        (
            NextAction("create_run", {"workspace_id": "ws-1", "params": {"plan_only": True, "refresh": False}}, ""),
            "tfruns run create --workspace ws-1 --plan-only --no-refresh --local",
        ),
        (
            NextAction("create_run", {"workspace_id": "ws-1", "params": {"plan_only": False, "refresh": True}}, ""),
            "tfruns run create --workspace ws-1 --local",
        ),
        (
            NextAction("list_runs_in_organization", {"organization": "acme", "filter_operation": "plan_only"}, ""),
            "tfruns run list --all-workspaces --organization acme --operation plan_only --local",
        ),
        (
            NextAction("set_workspace_lock", {"workspace_id": "ws-1", "action": "unlock"}, ""),
            "tfruns workspace unlock --workspace ws-1 --local",
        ),
        (NextAction.for_run("override_policy_check", RUN, ""), None),
    ],
)
def test_next_action_is_the_command_of_its_tool(action: NextAction, command: str | None) -> None:
    assert command_of(action, ["--local"]) == command


def test_next_text_is_what_follows_and_the_commands() -> None:
    step = NextAction.for_run("review_run", RUN, "shows the plan")
    without_command = NextAction.for_run("override_policy_check", RUN, "overrides it")
    assert next_text("Waits.", [step, without_command]) == f"Waits. `tfruns run review {RUN}` shows the plan."
    assert next_text("", []) == ""


def test_constants_are_names_of_tools() -> None:
    names = {value for name, value in vars(next_actions).items() if name.isupper()}
    assert names <= tool_names()


def test_every_argument_of_a_tool_has_an_option_of_its_command() -> None:
    for tool in all_tools():
        if tool.command:
            offered = set(_offered(tool.command))
            for argument in _arguments(tool.input_schema):
                if argument not in _WITHOUT_OPTION:
                    assert option_of(argument) in offered, f"{tool.name}: {argument}"


def _arguments(schema: Mapping[str, Any]) -> Iterator[str]:
    for name, node in schema["properties"].items():
        if "properties" in node:
            yield from _arguments(node)
        else:
            yield name


def _offered(command: str) -> Iterator[str]:
    found: Any = app
    for name in command.replace("{action}", "lock").split():
        if not name.startswith("-"):
            found = found[name]
    for argument in found.assemble_argument_collection():
        yield from argument.names
    for parameter in inspect.signature(inspect.unwrap(found.default_command)).parameters.values():
        if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
            yield parameter.name.upper()
