"""Before a run's plan is known, the values of its own variables are masked in everything that is shown of it."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support import samples
from tests.support.api import FakeApi, answer, client_for
from tests.tools.calls import LOG_URL, RUN_ID, TOOLS
from tests.tools.test_no_secret_anywhere import texts_in
from tfruns.gate.audit import AuditLog
from tfruns.gate.pipeline import Gate
from tfruns.policy import Confirm, Policy
from tfruns.views.base import as_json

VALUES = ("Tr0ub4dor-and-3", "correct horse battery", "0123456789")
NOTE = "Values that only the plan marks as sensitive cannot be masked until it has finished."
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("get_run_logs", {"run_id": RUN_ID}),
    ("get_run_logs", {"run_id": RUN_ID, "offset": 0}),
    ("get_run_logs", {"run_id": RUN_ID, "search": "repeat"}),
    ("get_run_details", {"run_id": RUN_ID}),
    ("list_runs_in_workspace", {"workspace_id": samples.WORKSPACE_ID}),
    ("list_runs_in_organization", {"organization": "acme"}),
    ("get_run_history", {"run_id": RUN_ID}),
    ("diagnose_run", {"run_id": RUN_ID}),
    ("wait_for_run", {"run_id": RUN_ID, "timeout_s": 0}),
    ("comment_on_run", {"run_id": RUN_ID, "body": f"A comment with {VALUES}"}),
]


def api_with(status: str) -> FakeApi:
    """A run without a plan, whose texts repeat the values of its variables."""
    text = f"repeat {VALUES[0]}, {VALUES[1]} and {VALUES[2]}"
    written = ('"' + VALUES[0] + '"', f'{{ k = ["{VALUES[1]}"] }}', VALUES[2])
    variables = [{"key": f"v{number}", "value": value} for number, value in enumerate(written)]
    run = samples.run(status="planning" if status == "running" else status, message=text, variables=variables)
    plan = {"id": samples.PLAN_ID, "type": "plans", "attributes": {"status": status, "log-read-url": LOG_URL}}
    comment = samples.comment(body=text)
    api = FakeApi().on("GET", f"/runs/{RUN_ID}", answer({"data": run}))
    for path in (f"/workspaces/{samples.WORKSPACE_ID}/runs", "/organizations/acme/runs"):
        api.on("GET", path, answer(samples.page(run, total=1)))
    api.on("GET", f"/plans/{samples.PLAN_ID}", answer({"data": plan}))
    api.on("GET", f"/plans/{samples.PLAN_ID}/json-output", httpx2.Response(204))
    api.on("GET", f"/runs/{RUN_ID}/run-events", answer(samples.page()))
    api.on("GET", f"/runs/{RUN_ID}/comments", answer(samples.page(comment)))
    api.on("POST", f"/runs/{RUN_ID}/comments", answer({"data": comment}, 201))
    return api.on("GET", LOG_URL, lambda _: httpx2.Response(200, content=f"{text}\n{text}\n".encode()))


@pytest.mark.anyio
async def test_values_of_the_run_variables_are_masked(tmp_path: Path) -> None:
    audit = tmp_path / "audit.jsonl"
    for status in ("running", "errored"):
        async with client_for(api_with(status)) as client:
            gate = Gate(client, Policy(confirm=Confirm.NEVER), audit=AuditLog(audit))
            for tool, arguments in CALLS:
                view = as_json(await gate.call(TOOLS[tool], arguments))
                shown = " ".join(texts_in(view))
                assert not [value for value in VALUES if value in shown], (tool, status, view)
                is_of_running_plan = tool == "get_run_logs" and status == "running"
                assert (NOTE in str(view.get("note", ""))) is is_of_running_plan, (tool, status)
    lines = [json.loads(line) for line in audit.read_text().splitlines()]
    assert [line["tool"] for line in lines if "tool" in line] != []
    assert not [value for value in VALUES if value in " ".join(texts_in(lines))], lines
