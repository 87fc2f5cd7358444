"""The audit log of the installed server, also if the server is killed during a call."""

import json
import threading
from pathlib import Path
from typing import Any

from tests.e2e.calls import RUN, script
from tests.e2e.conftest import Start
from tests.support import samples
from tests.support.api import TOKEN, accepted, answer
from tests.support.http_api import HttpApi
from tests.support.samples import WORKSPACE_ID


def audit(home: Path) -> list[dict[str, Any]]:
    (path,) = home.rglob("audit.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_server_killed_before_the_response_leaves_the_first_line(start: Start, api: HttpApi, tmp_path: Path) -> None:
    is_dead = threading.Event()
    api.on("GET", f"/runs/{RUN}", answer({"data": samples.planned()}))
    api.on("GET", f"/workspaces/{WORKSPACE_ID}/runs", answer(samples.page()))
    api.on("POST", f"/runs/{RUN}/actions/discard", is_dead, accepted())
    server = start()
    server.send("tools/call", {"name": "discard_run", "arguments": {"run_id": RUN}}, id_=1)
    api.wait_for("POST", "/discard")
    server.stop()
    is_dead.set()
    server = start()
    server.call("discard_run", {"run_id": RUN})
    lost, begun, ended = audit(tmp_path)
    assert (lost["event"], begun["event"], ended["event"]) == ("begun", "begun", "ended")
    assert lost["id"] != begun["id"] == ended["id"]
    assert TOKEN not in json.dumps([lost, begun, ended])


def test_server_without_a_writable_log_changes_nothing(
    start: Start, api: HttpApi, child_environment: dict[str, str]
) -> None:
    script(api)
    server = start(env=child_environment | {"TFRUNS_AUDIT_FILE": "/dev/full"})
    result = server.call("discard_run", {"run_id": RUN})
    assert result["structuredContent"]["error"] == "audit_failed"
    assert api.sent("POST") == []
    assert server.call("get_run_details", {"run_id": RUN})["isError"] is False
