"""The server never shows the token or signed URLs, whatever fails."""

import json
from pathlib import Path

import httpx2
import pytest

from tests.e2e.calls import RUN, WORKSPACE
from tests.e2e.conftest import Start
from tests.support.api import TOKEN, answer, error
from tests.support.http_api import HttpApi
from tests.support.stdio import StdioServer, environment

SIGNED = "https://archivist.example.com/v1/object/dmF1bHQ6djE6c2VjcmV0c2VjcmV0"


@pytest.mark.parametrize(
    ("status", "detail"),
    [
        (401, f"the token {TOKEN} is not valid"),
        (403, f"Bearer {TOKEN} may not do this"),
        (422, f"see {SIGNED}"),
        (500, f"upstream sent Authorization: Bearer {TOKEN}"),
    ],
)
def test_secret_in_an_error_of_the_api_is_masked(status: int, detail: str, server: StdioServer, api: HttpApi) -> None:
    api.on("GET", f"/runs/{RUN}", error(status, "refused", detail))
    result = server.call("get_run_details", {"run_id": RUN})
    assert result["isError"] is True
    for output in (json.dumps(server.messages), server.stderr):
        assert TOKEN not in output
        assert SIGNED not in output


def test_failures_log_no_token(server: StdioServer, api: HttpApi) -> None:
    api.on("GET", "/runs/run-html", httpx2.Response(200, html=f"<title>{TOKEN}</title>"))
    api.on("GET", "/runs/run-list", answer([TOKEN]))
    api.on("GET", "/runs/run-types", answer({"data": {"type": "runs", "id": 7, "attributes": TOKEN}}))
    api.on("POST", "/runs", error(422, "invalid", TOKEN))
    for run in ("run-html", "run-list", "run-types", "run-absent", f"run-{TOKEN}"):
        assert server.call("get_run_details", {"run_id": run})["isError"] is True
    assert server.call("create_run", {"workspace_id": WORKSPACE})["isError"] is True
    server.request("tools/call", {"name": TOKEN, "arguments": {TOKEN: TOKEN}})
    server.send_line(f'{{"jsonrpc": "2.0", "id": 1, "method": "{TOKEN}"'.encode())
    assert TOKEN not in server.stderr
    # The name of a tool from the caller may be repeated, but not the value of an argument.
    assert all(TOKEN not in json.dumps(message) for message in server.messages if "result" in message)


def test_unreachable_api_is_a_failed_result_without_traceback(start: Start, tmp_path: Path) -> None:
    with HttpApi() as gone:
        address = gone.address
    env = environment(tmp_path, TFE_ADDRESS=address, TFE_TOKEN=TOKEN)
    server = start(env=env)
    result = server.call("apply_run", {"run_id": RUN})
    assert result["structuredContent"]["error"] == "connection_failed"
    assert "Traceback" not in server.stderr
    assert TOKEN not in server.stderr
