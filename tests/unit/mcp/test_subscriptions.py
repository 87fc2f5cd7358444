"""The pollers of subscriptions: one per run, limited in number, and stopped when they are not needed."""

from types import SimpleNamespace
from typing import Any

import anyio
import mcp_types as types
import pytest
from mcp.server.connection import Connection
from mcp.shared.exceptions import MCPError

from tests.support.requests import a_request
from tfruns.mcp.resources import RunResource, parse_uri
from tfruns.mcp.subscriptions import MAX_RUNS, Subscriptions

pytestmark = pytest.mark.anyio


class PlayedRuns:
    """Runs that show one status after another."""

    def __init__(self, *views: Any) -> None:
        self.views = list(views)
        self.reads = 0

    def find(self, ctx: Any, uri: str) -> RunResource:
        found = parse_uri(uri)
        assert found is not None
        return found

    async def run(self, ctx: Any, run_id: str) -> Any:
        self.reads += 1
        view = self.views.pop(0) if len(self.views) > 1 else self.views[0]
        if isinstance(view, Exception):
            raise view
        return view


class Session:
    """A client that receives updates until its connection is lost."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.is_lost = False
        self._connection = Connection.for_loop(None)  # type: ignore[arg-type]

    async def send_resource_updated(self, uri: str) -> None:
        if self.is_lost:
            raise anyio.BrokenResourceError
        self.told.append(uri)

    async def disconnect(self) -> None:
        await self._connection.exit_stack.aclose()


def status(name: str, *, group: str = "non_final", phase: str = "plan") -> dict[str, str]:
    return {"status": name, "status_group": group, "phase": phase}


class SubscriptionHarness:
    """Subscriptions to fake runs. Waiting takes no time and is counted."""

    def __init__(self, *views: Any, most_waits: int = 30) -> None:
        self.runs = PlayedRuns(*views)
        self.waits: list[float] = []
        self.is_quiet = anyio.Event()
        self._most = most_waits
        self.session = Session()
        self.subscriptions = Subscriptions(self.runs, self._sleep)  # type: ignore[arg-type]

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        if len(self.waits) >= self._most:
            self.is_quiet.set()
            await anyio.sleep_forever()
        await anyio.lowlevel.checkpoint()

    def ctx_of(self, session: Session) -> Any:
        return SimpleNamespace(**(vars(a_request()) | {"session": session}))

    async def subscribe(self, uri: str, session: Session | None = None) -> None:
        ctx = self.ctx_of(session or self.session)
        await self.subscriptions.subscribe(ctx, types.SubscribeRequestParams(uri=uri))

    async def unsubscribe(self, uri: str) -> None:
        ctx = self.ctx_of(self.session)
        await self.subscriptions.unsubscribe(ctx, types.UnsubscribeRequestParams(uri=uri))

    async def until_nothing_is_watched(self) -> None:
        with anyio.fail_after(10):
            while self.subscriptions.polled_runs:
                await anyio.lowlevel.checkpoint()


async def test_run_is_polled_until_it_is_final() -> None:
    final = status("applied", group="final", phase="completed")
    harness = SubscriptionHarness(status("planning"), status("planning"), status("planned"), final)
    async with harness.subscriptions.running():
        await harness.subscribe("run://run-1")
        await harness.until_nothing_is_watched()
    assert harness.session.told == ["run://run-1"] * 2
    assert harness.runs.reads == 4


async def test_unchanged_run_is_polled_less_often() -> None:
    harness = SubscriptionHarness(status("planned"))
    async with harness.subscriptions.running():
        await harness.subscribe("run://run-1")
        with anyio.fail_after(10):
            await harness.is_quiet.wait()
    assert harness.waits == sorted(harness.waits)
    assert harness.waits[0] == 1.0
    assert harness.waits[-1] == 15.0
    assert harness.session.told == []


async def test_log_is_updated_while_its_phase_runs() -> None:
    final = status("planned_and_finished", group="final", phase="completed")
    harness = SubscriptionHarness(status("planning"), status("planning"), status("planning"), final)
    async with harness.subscriptions.running():
        await harness.subscribe("run://run-1/log/plan")
        await harness.subscribe("run://run-1/log/apply")
        await harness.until_nothing_is_watched()
    assert harness.session.told.count("run://run-1/log/plan") >= 2
    assert harness.session.told.count("run://run-1/log/apply") == 1


async def test_one_poller_serves_all_uris_of_a_run() -> None:
    harness = SubscriptionHarness(status("planned"))
    async with harness.subscriptions.running():
        for uri in ("run://run-1", "run://run-1/plan", "run://run-1"):
            await harness.subscribe(uri)
        assert harness.subscriptions.polled_runs == {"run-1"}
        await harness.unsubscribe("run://run-1")
        assert harness.subscriptions.polled_runs == {"run-1"}
        await harness.unsubscribe("run://run-1/plan")
        assert harness.subscriptions.polled_runs == set()
        await harness.unsubscribe("run://run-1/plan")


async def test_number_of_watched_runs_is_limited() -> None:
    harness = SubscriptionHarness(status("planned"))
    async with harness.subscriptions.running():
        for number in range(MAX_RUNS):
            await harness.subscribe(f"run://run-{number}")
        with pytest.raises(MCPError, match="At most"):
            await harness.subscribe("run://run-more")
        await harness.unsubscribe("run://run-0")
        await harness.subscribe("run://run-more")


@pytest.mark.parametrize("trouble", [MCPError(-32603, "not now"), ValueError("a defect")])
async def test_failure_of_one_run_stops_only_its_poller(trouble: Exception, caplog: pytest.LogCaptureFixture) -> None:
    harness = SubscriptionHarness(status("planning"), trouble)
    async with harness.subscriptions.running():
        await harness.subscribe("run://run-1")
        await harness.until_nothing_is_watched()
    assert harness.session.told == []
    assert ("stopped after an unexpected error" in caplog.text) is isinstance(trouble, ValueError)


async def test_repeated_subscription_resumes_a_stopped_poller() -> None:
    final = status("applied", group="final", phase="completed")
    harness = SubscriptionHarness(status("planning"), *[MCPError(-32603, "not now")] * 8, status("planning"), final)
    async with harness.subscriptions.running():
        for _ in range(2):
            await harness.subscribe("run://run-1")
            await harness.until_nothing_is_watched()
        await harness.unsubscribe("run://run-1")
    assert harness.session.told == ["run://run-1"]
    assert harness.subscriptions.subscribers == {}


async def test_disconnected_client_leaves_no_subscription() -> None:
    harness = SubscriptionHarness(status("planned"))
    other = Session()
    async with harness.subscriptions.running():
        for uri in ("run://run-1", "run://run-1/plan", "run://run-2"):
            await harness.subscribe(uri)
        await harness.subscribe("run://run-1", other)
        await harness.session.disconnect()
        assert harness.subscriptions.polled_runs == {"run-1"}
        assert harness.subscriptions.subscribers == {"run://run-1": 1}
        await other.disconnect()
        assert harness.subscriptions.polled_runs == set()
        assert harness.subscriptions.client_count == 0


async def test_several_clients_receive_updates_of_one_run() -> None:
    final = status("applied", group="final", phase="completed")
    harness = SubscriptionHarness(status("planning"), status("planning"), status("planned"), status("applying"), final)
    lost = Session()
    lost.is_lost = True
    async with harness.subscriptions.running():
        await harness.subscribe("run://run-1", lost)
        await harness.subscribe("run://run-1")
        await harness.until_nothing_is_watched()
        assert harness.subscriptions.client_count == 1
    assert harness.session.told == ["run://run-1"] * 3


async def test_restarted_server_watches_again() -> None:
    harness = SubscriptionHarness(status("planned"))
    async with harness.subscriptions.running():
        await harness.subscribe("run://run-1")
    assert harness.subscriptions.subscribers == {}
    async with harness.subscriptions.running():
        await harness.subscribe("run://run-1", Session())
        assert harness.subscriptions.polled_runs == {"run-1"}
