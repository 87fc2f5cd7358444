"""The installed command responds to a ping while a tool masks a large log."""

import time

import httpx2

from tests.e2e.conftest import Start
from tests.support import samples
from tests.support.api import answer
from tests.support.http_api import HttpApi, Received
from tests.unit.review.plans import plan, resource

SECRET = "a" * 60_000
LINE = "a" * 240_000
LOG = f"{LINE}\n".encode() * 12  # about 3 MB, which take seconds to mask
LONGEST_S = 3.0  # for a ping on a busy machine; masking on the event loop would take three times as long


def part_of_log(request: Received) -> httpx2.Response:
    offset, limit = int(request.query["offset"]), int(request.query["limit"])
    return httpx2.Response(200, content=LOG[offset : offset + limit])


def test_ping_gets_a_response_while_a_large_log_is_masked(start: Start, api: HttpApi) -> None:
    source = plan(resource("a.b", ["update"], before={"p": ""}, after={"p": SECRET}, after_sensitive={"p": True}))
    attributes = {"status": "finished", "log-read-url": f"{api.address}/api/v2/the-log"}
    api.on("GET", f"/runs/{samples.RUN_ID}", answer({"data": samples.run(status="planned")}))
    api.on("GET", f"/plans/{samples.PLAN_ID}/json-output", answer(source))
    document = {"id": samples.PLAN_ID, "type": "plans", "attributes": attributes}
    api.on("GET", f"/plans/{samples.PLAN_ID}", answer({"data": document}))
    api.on("GET", "/the-log", part_of_log)
    server = start()
    server.result("ping")
    call = server.next_id()
    arguments = {"run_id": samples.RUN_ID, "search": "a"}
    server.send("tools/call", {"name": "get_run_logs", "arguments": arguments}, id_=call)
    waits = []
    while not any(message.get("id") == call for message in server.messages):
        began = time.monotonic()
        server.result("ping")
        waits.append(time.monotonic() - began)
    (answered,) = [message for message in server.messages if message.get("id") == call]
    view = answered["result"]["structuredContent"]
    assert "(sensitive value)" in view["log"]
    assert "aaaaaa" not in view["log"]
    assert len(waits) > 10, "the log was masked too fast for this test"
    assert max(waits) < LONGEST_S
