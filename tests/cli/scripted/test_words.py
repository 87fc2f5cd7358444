"""The terminal speaks of commands: no tool names, no calls, and questions only where the answer can matter."""

import re
from typing import Any

import pytest

from tests.support.api import answer, error
from tests.support.command import Shell
from tests.support.http_api import HttpApi
from tests.support.samples import RUN_ID, actions, page, run, workspace
from tests.support.stdio import tfruns
from tests.support.tables import rows
from tests.support.terminal import Terminal
from tfruns.gate.registry import all_tools

pytestmark = pytest.mark.processes

_TOOLS = re.compile(rf"\b({'|'.join(tool.name for tool in all_tools() if '_' in tool.name)})\b")
_FOR_ASSISTANTS = re.compile(r"call again|the call\b|this tool|server was started with|restart tfruns", re.IGNORECASE)


def read(api: HttpApi, **attributes: Any) -> None:
    found = run(**attributes)
    api.on("GET", f"/runs/{RUN_ID}", answer({"data": found, "included": [workspace()]}))
    api.on("GET", f"/workspaces/{workspace()['id']}/runs", answer(page(found, total=1)))


@rows(
    ("command", "message", "keys"),
    [
        ("force-cancel", "Not canceled (type yes to confirm).", "no\n"),
        ("force-cancel", "Not canceled (type yes to confirm).", "\x04"),
        ("force-cancel", "Not canceled (type yes to confirm).", "\n"),
    ],
)
def test_answer_other_than_yes_is_explained(api: HttpApi, shell: Shell, command: str, message: str, keys: str) -> None:
    read(api, status="applying", actions=actions("force-cancelable"))
    with Terminal([tfruns(), "run", command, RUN_ID], cwd=shell.directory, env=shell.env) as terminal:
        terminal.expect("to confirm: ")
        terminal.press(keys)
        assert terminal.end() == 10
    assert terminal.text.rstrip().splitlines()[-1] == message
    assert api.sent("POST") == []


@rows(
    ("command", "status", "text"),
    [
        ("force-cancel", "planning", f"{RUN_ID} does not allow force-cancel now. Nothing was sent."),
        ("force-execute", "planning", "The run is planning, which does not allow force-execute. Nothing was sent."),
        ("force-cancel", "applied", "a 409"),
        ("force-execute", "applied", "a 409"),
        ("apply", "planning", "The run is planning and does not wait for confirmation. Nothing was sent."),
        ("apply", "applied", "a 409"),
    ],
)
def test_nothing_is_asked_before_a_known_conflict(
    api: HttpApi, shell: Shell, command: str, status: str, text: str
) -> None:
    api.reset()
    read(api, status=status, actions=actions("cancelable") if status == "planning" else actions())
    api.on("POST", f"/runs/{RUN_ID}/actions/{command}", error(409, "a 409"))
    with Terminal([tfruns(), "run", command, RUN_ID], cwd=shell.directory, env=shell.env) as terminal:
        assert terminal.end() == 1
    assert text in " ".join(terminal.text.split())
    assert "to confirm" not in terminal.text


@rows(
    ("canceled", "text"),
    [
        (
            {"canceled_at": "2026-01-02T03:04:00Z", "force_cancel_available_at": "2030-01-02T03:05:00+00:00"},
            "The run is applying; force-cancel becomes available at 2030-01-02T03:05:00Z.",
        ),
        ({"actions": actions("cancelable")}, "cancel it first: force-cancel becomes available after a cool-off."),
    ],
)
def test_early_force_cancel_is_refused_without_a_question(
    api: HttpApi, shell: Shell, canceled: dict[str, object], text: str
) -> None:
    api.reset()
    read(api, **{"status": "applying", "actions": actions(), **canceled})
    with Terminal([tfruns(), "run", "force-cancel", RUN_ID], cwd=shell.directory, env=shell.env) as terminal:
        assert terminal.end() == 1
    shown = " ".join(terminal.text.split())
    assert f"Error: {RUN_ID} does not allow force-cancel now. Nothing was sent." in shown
    assert text in shown
    assert "to confirm" not in shown
    assert api.sent("POST") == []


@rows(
    ("arguments", "attributes"),
    [
        (["show"], {"status": "planned", "actions": actions("confirmable", "discardable")}),
        (["show"], {"status": "errored"}),
        (["wait", "--timeout", "0"], {"status": "planning"}),
        (["wait"], {"status": "errored"}),
        (["diagnose"], {"status": "errored"}),
        (["logs", "--tail", "5"], {"status": "errored"}),
        (["history"], {"status": "errored"}),
        (["apply", "--yes"], {"status": "planning"}),
        (["apply"], {"status": "planned", "actions": actions("confirmable")}),
        (["discard"], {"status": "applied"}),
        (["force-cancel", "--yes"], {"status": "planning"}),
    ],
)
def test_output_for_a_person_names_no_tools(
    api: HttpApi, shell: Shell, arguments: list[str], attributes: dict[str, object]
) -> None:
    api.reset()
    read(api, **attributes)
    done = shell("run", arguments[0], RUN_ID, *arguments[1:], code=None)
    text = f"{done.out}\n{done.err}"
    assert _TOOLS.findall(text) == []
    assert _FOR_ASSISTANTS.findall(text) == []
