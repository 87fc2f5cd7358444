"""Progress notifications to a client that requested them, in both eras of the protocol."""

from typing import Any

import httpx2
import pytest

from tests.support import samples
from tests.support.api import answer
from tests.support.http_api import HttpApi
from tests.support.stdio import StdioServer

RUN = samples.RUN_ID
WORKSPACE = samples.WORKSPACE_ID


def script(api: HttpApi) -> None:
    """A run that is pending, then planning, then final."""
    working = samples.actions("cancelable")
    runs = [samples.run(), samples.run(status="planning", actions=working), samples.run(status="planned_and_finished")]
    api.on("GET", f"/runs/{RUN}", *(answer({"data": run, "included": [samples.workspace()]}) for run in runs))
    api.on("GET", f"/workspaces/{WORKSPACE}/runs", answer(samples.page(samples.run())))
    plan = {"status": "running", "log-read-url": f"{api.address}/api/v2/a-log"}
    api.on(
        "GET",
        "/plans/plan-8F5JFydVYAmtTjET",
        answer({"data": {"id": "plan-8F5JFydVYAmtTjET", "type": "plans", "attributes": plan}}),
    )
    api.on("GET", "/a-log", httpx2.Response(200, content=b"\x02aws_vpc.main: Refreshing state...\n"))


def wait(server: StdioServer, meta: dict[str, Any] | None = None) -> dict[str, Any]:
    params = {"name": "wait_for_run", "arguments": {"run_id": RUN}} | ({"_meta": meta} if meta else {})
    return server.result("tools/call", params)


@pytest.mark.parametrize("token", ["a-token", 7])
def test_client_with_a_token_gets_progress_before_the_result(
    token: str | int, server: StdioServer, api: HttpApi
) -> None:
    script(api)
    result = wait(server, {"progressToken": token})
    assert result["structuredContent"]["outcome"] == "final"
    assert "result" in server.messages[-1]
    notified = [message for message in server.messages if message.get("method") == "notifications/progress"]
    assert [message["params"]["message"] for message in notified] == [
        "pending: next in the queue",
        "planning: aws_vpc.main: Refreshing state...",
    ]
    for message in notified:
        assert "id" not in message
        assert message["params"]["progressToken"] == token
        assert message["params"]["total"] == 50
    first, second = (message["params"]["progress"] for message in notified)
    assert first < second


def test_client_without_a_token_gets_no_progress(server: StdioServer, api: HttpApi) -> None:
    script(api)
    assert wait(server)["structuredContent"]["outcome"] == "final"
    assert [message for message in server.messages if "method" in message] == []


def test_canceled_call_stops_waiting_and_not_the_run(fresh: StdioServer, api: HttpApi) -> None:
    api.on("GET", f"/runs/{RUN}", answer({"data": samples.run()}))
    fresh.send("tools/call", {"name": "wait_for_run", "arguments": {"run_id": RUN, "timeout_s": 3600}}, id_=5)
    api.wait_for("GET", f"/runs/{RUN}")
    fresh.send("notifications/cancelled", {"requestId": 5})
    assert fresh.call("get_run_details", {"run_id": RUN})["structuredContent"]["status"] == "pending"
    assert {request.method for request in api.requests} == {"GET"}
    # The server has nothing left to wait for.
    assert fresh.close_input() == 0
