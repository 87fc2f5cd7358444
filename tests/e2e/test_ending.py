"""The end of calls and of the process: by a cancelled notification, end of input, or signal."""

import signal
import sys
import threading

import pytest

from tests.e2e.calls import RUN, script
from tests.e2e.conftest import Start
from tests.support.http_api import HttpApi
from tests.support.stdio import StdioServer

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@pytest.fixture
def held(api: HttpApi) -> "HeldRun":
    """A run for which the API does not respond."""
    released = threading.Event()
    api.on("GET", "/runs/run-held", released)
    script(api)
    return HeldRun(api, released)


class HeldRun:
    """A request that hangs in the API until it is released."""

    def __init__(self, api: HttpApi, released: threading.Event) -> None:
        self._api = api
        self._released = released

    def read_by(self, server: StdioServer, id_: str) -> None:
        """Request the run, and return when the API has received the request."""
        server.send("tools/call", {"name": "get_run_details", "arguments": {"run_id": "run-held"}}, id_=id_)
        self._api.wait_for("GET", "/runs/run-held")

    def release(self) -> None:
        self._released.set()


def test_call_can_be_cancelled_while_the_api_hangs(fresh: StdioServer, held: HeldRun) -> None:
    held.read_by(fresh, "slow")
    fresh.send("notifications/cancelled", {"requestId": "slow", "reason": "the person gave up"})
    assert fresh.call("get_run_details", {"run_id": RUN})["structuredContent"]["id"] == RUN
    held.release()
    assert fresh.call("get_run_details", {"run_id": RUN})["structuredContent"]["id"] == RUN
    # MCP, "Cancellation": no response to a cancelled request; the SDK answers with an error before 2026-07-28.
    assert all("error" in message for message in fresh.messages if message.get("id") == "slow")
    assert fresh.close_input() == 0


def test_other_calls_finish_while_one_hangs(fresh: StdioServer, held: HeldRun) -> None:
    held.read_by(fresh, "slow")
    assert fresh.call("get_run_details", {"run_id": RUN})["structuredContent"]["id"] == RUN
    held.release()


def test_end_of_input_exits_with_0(fresh: StdioServer) -> None:
    fresh.result("tools/list")
    assert fresh.close_input() == 0
    assert fresh.stderr == ""


def test_immediate_end_of_input_exits_with_0(start: Start) -> None:
    assert start(era="2026-07-28").close_input() == 0


def test_end_of_input_stops_the_process_while_a_call_hangs(fresh: StdioServer, held: HeldRun) -> None:
    held.read_by(fresh, "slow")
    assert fresh.close_input() == 0
    assert "Traceback" not in fresh.stderr
    held.release()


def test_last_line_without_a_line_feed_is_accepted(fresh: StdioServer) -> None:
    fresh.result("tools/list")
    assert fresh.process.stdin is not None
    fresh.process.stdin.write(b'{"jsonrpc":"2.0","id":1,"meth')
    assert fresh.close_input() == 0
    assert "Traceback" not in fresh.stderr


@posix_only
@pytest.mark.parametrize("signal_", [signal.SIGTERM, signal.SIGINT], ids=lambda s: s.name)
def test_signal_stops_an_idle_server_without_a_traceback(signal_: signal.Signals, fresh: StdioServer) -> None:
    fresh.result("tools/list")
    fresh.process.send_signal(signal_)
    assert fresh.wait(10) in {-signal_, 128 + signal_}
    assert "Traceback" not in fresh.stderr


@posix_only
@pytest.mark.parametrize("signal_", [signal.SIGTERM, signal.SIGINT], ids=lambda s: s.name)
def test_signal_stops_a_server_while_a_call_hangs(signal_: signal.Signals, fresh: StdioServer, held: HeldRun) -> None:
    held.read_by(fresh, "slow")
    fresh.process.send_signal(signal_)
    assert fresh.wait(10) in {-signal_, 128 + signal_}
    assert "Traceback" not in fresh.stderr
    held.release()
