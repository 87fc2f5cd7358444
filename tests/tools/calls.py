"""Calling one tool against a scripted API."""

import json
from collections.abc import Mapping
from typing import Any

from tests.support import samples
from tests.support.api import FakeApi, accepted, answer, client_for
from tfruns.errors import TfrunsError
from tfruns.tools.policy import Policy
from tfruns.tools.registry import Context, Tool, all_tools

RUN_ID = samples.RUN_ID
WORKSPACE_ID = samples.WORKSPACE_ID
ORGANIZATION = "acme"

TOOLS: dict[str, Tool] = {tool.name: tool for tool in all_tools()}
ACTIONS = ("apply_run", "discard_run", "cancel_run", "force_cancel_run", "force_execute_run")
PATHS = {name: name.removesuffix("_run").replace("_", "-") for name in ACTIONS}

# The least that each tool can be called with.
REQUIRED: dict[str, dict[str, Any]] = {
    "create_run": {"workspace_id": WORKSPACE_ID},
    "list_runs_in_workspace": {"workspace_id": WORKSPACE_ID},
    "list_runs_in_organization": {"organization": ORGANIZATION},
    "get_run_details": {"run_id": RUN_ID},
    **{name: {"run_id": RUN_ID} for name in ACTIONS},
}

ASSISTANT = Policy(is_auto_apply_opt_in=True)
"""What the server over MCP is started with by default."""


async def call(
    name: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    api: FakeApi,
    policy: Policy = ASSISTANT,
    is_raw: bool = False,
) -> Any:
    """What a tool answers."""
    async with client_for(api) as client:
        return await TOOLS[name].call(
            Context(client, policy, is_raw=is_raw), REQUIRED[name] if arguments is None else arguments
        )


async def failure_of(
    name: str, arguments: Mapping[str, Any] | None = None, *, api: FakeApi, policy: Policy = ASSISTANT
) -> TfrunsError:
    """The error of a call that has to fail."""
    try:
        view = await call(name, arguments, api=api, policy=policy)
    except TfrunsError as error:
        return error
    raise AssertionError(f"{name} did not fail but answered {view}")


def willing_api(run: dict[str, Any] | None = None) -> FakeApi:
    """An API that says yes to everything, about one run."""
    run = run or samples.run()
    api = FakeApi()
    api.on("POST", "/runs", answer({"data": run}, 201))
    api.on("GET", f"/runs/{run['id']}", answer({"data": run}))
    for path in PATHS.values():
        api.on("POST", f"/runs/{run['id']}/actions/{path}", accepted())
    api.on("GET", f"/workspaces/{WORKSPACE_ID}/runs", answer(samples.page(run, total=1)))
    return api.on("GET", f"/organizations/{ORGANIZATION}/runs", answer(samples.page(run)))


def with_names(document: dict[str, Any]) -> dict[str, Any]:
    """A document with the workspace and the user that its runs refer to."""
    return {**document, "included": [samples.workspace(), samples.user()]}


def compact(view: Any) -> bytes:
    """A view as it goes over the wire: JSON without white space."""
    return json.dumps(view, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
