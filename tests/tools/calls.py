"""Calls of a tool with a scripted API."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2

from tests.support import samples
from tests.support.api import FakeApi, accepted, answer, client_for
from tfruns.errors import TfrunsError
from tfruns.gate.pipeline import Gate
from tfruns.gate.registry import all_tools
from tfruns.policy import Confirm, Policy
from tfruns.tool import Tool
from tfruns.views.base import as_json

RUN_ID = samples.RUN_ID
WORKSPACE_ID = samples.WORKSPACE_ID
ORGANIZATION = "acme"
STATE_VERSION_ID = "sv-bWfq4Y1YpRKW4mx7"

TOOLS: dict[str, Tool] = {tool.name: tool for tool in all_tools()}
ACTIONS = ("apply_run", "discard_run", "cancel_run", "force_cancel_run", "force_execute_run")
PATHS = {name: name.removesuffix("_run").replace("_", "-") for name in ACTIONS}

CONFIGURATION = Path(__file__).resolve().parents[1] / "support" / "configuration"
"""A directory with a configuration."""

# The minimal arguments of each tool.
REQUIRED: dict[str, dict[str, Any]] = {
    "create_run": {"workspace_id": WORKSPACE_ID},
    "list_runs_in_workspace": {"workspace_id": WORKSPACE_ID},
    "list_runs_in_organization": {"organization": ORGANIZATION},
    "get_run_details": {"run_id": RUN_ID},
    **{name: {"run_id": RUN_ID} for name in ACTIONS},
    **{
        name: {"run_id": RUN_ID}
        for name in ("wait_for_run", "review_run", "get_run_logs", "get_run_history", "diagnose_run")
    },
    "comment_on_run": {"run_id": RUN_ID, "body": "looks good"},
    "list_workspaces": {"organization": ORGANIZATION},
    "explain_runs": {"organization": ORGANIZATION},
    "get_workspace_details": {"workspace_id": WORKSPACE_ID},
    "set_workspace_lock": {"workspace_id": WORKSPACE_ID, "action": "lock"},
    "rerun": {"run_id": RUN_ID},
    "set_variable": {"workspace_id": WORKSPACE_ID, "key": "region", "value": "eu-west-1"},
    "save_workspace": {"workspace_id": WORKSPACE_ID, "description": "The network"},
    "delete_workspace": {"workspace_id": WORKSPACE_ID},
    "roll_back_state": {"workspace_id": WORKSPACE_ID, "state_version_id": STATE_VERSION_ID},
    "upload_configuration": {"workspace_id": WORKSPACE_ID, "directory": str(CONFIGURATION)},
    "override_policy_check": {"run_id": RUN_ID, "comment": "agreed with the security team"},
}

LOG_URL = "https://archivist.terraform.io/v1/object/c2VjcmV0LWxvZw"
UPLOAD_URL = "https://archivist.terraform.io/v1/object/c2VjcmV0LXVwbG9hZA"

ASSISTANT = Policy(confirm=Confirm.NEVER)
"""The policy of an MCP server without confirmations, which have their own tests."""


async def call(
    name: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    api: FakeApi,
    policy: Policy = ASSISTANT,
    is_raw: bool = False,
    allowed_directories: tuple[Path, ...] = (CONFIGURATION,),
) -> Any:
    """Call a tool, and return its result."""
    async with client_for(api) as client:
        gate = Gate(client, policy, is_raw=is_raw, allowed_directories=allowed_directories)
        return as_json(await gate.call(TOOLS[name], REQUIRED[name] if arguments is None else arguments))


async def failure_of(
    name: str, arguments: Mapping[str, Any] | None = None, *, api: FakeApi, policy: Policy = ASSISTANT, **options: Any
) -> TfrunsError:
    """Call a tool that must fail, and return its error."""
    try:
        view = await call(name, arguments, api=api, policy=policy, **options)
    except TfrunsError as error:
        return error
    raise AssertionError(f"{name} did not fail, and returned {view}")


def willing_api(run: dict[str, Any] | None = None, *, has_workspace: bool = True) -> FakeApi:
    """An API with one run and its workspace, which accepts every request."""
    run = run or samples.run()
    api = FakeApi()
    api.on("POST", "/runs", answer({"data": run}, 201))
    api.on("GET", f"/runs/{run['id']}", answer({"data": run}))
    for path in PATHS.values():
        api.on("POST", f"/runs/{run['id']}/actions/{path}", accepted())
    api.on("GET", f"/workspaces/{WORKSPACE_ID}/runs", answer(samples.page(run, total=1)))
    api.on("GET", f"/organizations/{ORGANIZATION}/runs", answer(samples.page(run)))
    api.on("GET", f"/organizations/{ORGANIZATION}/workspaces", answer(samples.page(samples.workspace(), total=1)))
    if has_workspace:
        api.on("GET", f"/workspaces/{WORKSPACE_ID}", answer({"data": samples.workspace()}))
    willing_to_change_workspaces(api)
    for action in ("lock", "unlock", "force-unlock"):
        api.on("POST", f"/workspaces/{WORKSPACE_ID}/actions/{action}", answer({"data": samples.workspace()}))
    api.on("POST", f"/runs/{run['id']}/comments", answer({"data": samples.comment()}, 201))
    version = samples.configuration_version(upload_url=UPLOAD_URL)
    api.on("POST", f"/workspaces/{WORKSPACE_ID}/configuration-versions", answer({"data": version}, 201))
    api.on("PUT", UPLOAD_URL, httpx2.Response(200))
    uploaded = samples.configuration_version(status="uploaded")
    api.on("GET", f"/configuration-versions/{version['id']}", answer({"data": uploaded}))
    plan_id = run["relationships"]["plan"]["data"]["id"]
    api.on("GET", f"/plans/{plan_id}/json-output", httpx2.Response(200, json={"resource_changes": []}))
    plan = {"id": plan_id, "type": "plans", "attributes": {"status": "finished", "log-read-url": LOG_URL}}
    api.on("GET", f"/plans/{plan_id}", answer({"data": plan}))
    api.on("GET", LOG_URL, httpx2.Response(200, content=b"Plan: 1 to add\n"))
    for part in ("run-events", "comments"):
        api.on("GET", f"/runs/{run['id']}/{part}", answer(samples.page()))
    check = samples.policy_check()
    api.on("GET", f"/runs/{run['id']}/policy-checks", answer(samples.page(check)))
    api.on("POST", f"/policy-checks/{check['id']}/actions/override", answer({"data": check}))
    return api.on("GET", f"/runs/{run['id']}/task-stages", answer(samples.page()))


def willing_to_change_workspaces(api: FakeApi) -> None:
    """Make an API accept changes of the variables, the settings and the state of the workspace."""
    path = f"/workspaces/{WORKSPACE_ID}"
    variable = {"id": "var-1", "type": "vars", "attributes": {"key": "region", "category": "terraform"}}
    state = {"id": STATE_VERSION_ID, "type": "state-versions", "attributes": {"status": "finalized", "serial": 3}}
    api.on("GET", f"{path}/vars", answer({"data": []})).on("POST", f"{path}/vars", answer({"data": variable}, 201))
    api.on("PATCH", path, answer({"data": samples.workspace()}))
    api.on("POST", f"{path}/actions/safe-delete", httpx2.Response(204))
    api.on("GET", f"/state-versions/{STATE_VERSION_ID}", answer({"data": state}))
    api.on("PATCH", f"{path}/state-versions", answer({"data": state | {"id": "sv-New"}}, 201))


def with_names(document: dict[str, Any]) -> dict[str, Any]:
    """A document with the included workspace and user of its runs."""
    return {**document, "included": [samples.workspace(), samples.user()]}


def compact(view: Any) -> bytes:
    """A view as compact JSON, as it is sent."""
    return json.dumps(view, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
