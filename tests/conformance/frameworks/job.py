"""A whole job that a framework does with its own tool objects: create a run, wait, review, apply, wait.

The programs beside this one run in an environment that has a framework and not tfruns. Each prints a report as JSON.
"""

import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Call = Callable[[str, dict[str, Any]], Awaitable[Any]]

TFRUNS, WORKSPACE = sys.argv[1:3]
ARGUMENTS = ["mcp", "--toolsets", "all"]


async def do(call: Call, *, asks_person: bool) -> dict[str, Any]:
    """Do the job with a function that calls a tool. Without a person, the fingerprint of the review is the consent."""
    created = content(await call("create_run", {"workspace_id": WORKSPACE, "params": {"message": "From a framework"}}))
    run = {"run_id": created["id"]}
    waited = content(await call("wait_for_run", {**run, "timeout_s": 60}))
    review = content(await call("review_run", run))
    consent = {} if asks_person else {"fingerprint": review["fingerprint"]}
    applied = content(await call("apply_run", {**run, **consent}))
    ended = content(await call("wait_for_run", {**run, "until": "final", "timeout_s": 60}))
    return {
        "statuses": [waited["status"], ended["status"]],
        "accepted": applied["accepted"],
        "plan": review["plan"],
    }


def content(result: Any) -> dict[str, Any]:
    """The view in the result of a framework: an object, its JSON, or a list with a text."""
    if isinstance(result, list):
        [result] = result
    if isinstance(result, Mapping) and isinstance(result.get("text"), str):
        result = result["text"]
    view = json.loads(result) if isinstance(result, str) else result
    if not isinstance(view, dict) or "error" in view:
        raise SystemExit(f"The call failed: {result}")
    return view


def report(tools: dict[str, Any], job: dict[str, Any], questions: list[str]) -> None:
    """Print the names of the tools with their converted schemas, the result of the job, and the questions."""
    print(json.dumps({"tools": tools, "questions": questions, **job}))
