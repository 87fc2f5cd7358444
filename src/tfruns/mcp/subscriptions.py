"""Telling a client when a run has moved that it subscribed to: one poller for each run, however many ask for it.

Up to 2025-11-25 a client subscribes to an address, from 2026-07-28 on it listens to a stream for some. A poller reads
the run often while it moves and less while it does not, and ends with the run, with the last subscription, or with the
server.
"""

import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
import mcp_types as types
from mcp.server import ServerRequestContext
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ResourceUpdated
from mcp.shared.exceptions import MCPError

from tfruns.mcp.resources import RunResources, parse_uri
from tfruns.vocabulary import StatusGroup

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

_log = logging.getLogger(__name__)

MOST_RUNS = 20  # watched at a time
_MOST_FAILURES = 8  # in a row, after which a run is no longer watched
_SHORTEST_S, _LONGEST_S, _GROWTH = 1.0, 15.0, 1.5

_Ctx = ServerRequestContext[Any]


class Subscriptions:
    """Which clients want to know of which runs.

    Args:
        resources: the source of the runs.
        sleep: waits for so many seconds.
    """

    def __init__(self, resources: RunResources, sleep: Callable[[float], Awaitable[None]] = anyio.sleep) -> None:
        self._resources = resources
        self._sleep = sleep
        self._bus = InMemorySubscriptionBus()
        self._listening = ListenHandler(self._bus, max_subscriptions=MOST_RUNS)
        self._wanted: Counter[str] = Counter()  # addresses, by how many want them
        self._clients: dict[object, _Client] = {}  # that subscribed in the older way, by their connection
        self._pollers: dict[str, anyio.CancelScope] = {}
        self._tasks: TaskGroup | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch for as long as the server runs."""
        try:
            async with anyio.create_task_group() as self._tasks:
                yield
                self._tasks.cancel_scope.cancel()
        finally:
            self._tasks = None
            for connection in list(self._clients):
                self._drop(connection)

    # -- the older way ------------------------------------------------------------------------------------------------

    async def subscribe(self, ctx: _Ctx, params: types.SubscribeRequestParams) -> types.EmptyResult:
        """Watch an address; one that cannot be read cannot be watched. A second call watches a run again whose watching
        was given up.
        """
        await self._watch(ctx, params.uri)
        client = self._client(ctx)
        if params.uri not in client.uris:
            self._wanted[params.uri] += 1
            client.uris.add(params.uri)
        return types.EmptyResult()

    async def unsubscribe(self, ctx: _Ctx, params: types.UnsubscribeRequestParams) -> types.EmptyResult:
        """Stop watching an address for this client."""
        client = self._clients.get(_connection_of(ctx))
        if client is not None and params.uri in client.uris:
            client.uris.remove(params.uri)
            self._unwatch(params.uri)
        return types.EmptyResult()

    def _client(self, ctx: _Ctx) -> "_Client":
        """The client of a request. Its subscriptions end with its connection."""
        connection = _connection_of(ctx)
        client = self._clients.get(connection)
        if client is None:
            client = self._clients[connection] = _Client(ctx.session)
            connection.exit_stack.callback(self._drop, connection)
        return client

    def _drop(self, connection: object) -> None:
        """Forget a client that has gone."""
        client = self._clients.pop(connection, None)
        for uri in client.uris if client else ():
            self._unwatch(uri)

    # -- the newer way ------------------------------------------------------------------------------------------------

    async def listen(
        self, ctx: _Ctx, params: types.SubscriptionsListenRequestParams
    ) -> types.SubscriptionsListenResult:
        """Serve a stream for as long as the client keeps it; only what can be read is acknowledged."""
        watched: list[str] = []
        try:
            for uri in dict.fromkeys(params.notifications.resource_subscriptions or ()):
                try:
                    await self._watch(ctx, uri)
                except MCPError as error:
                    _log.info("A client cannot listen to %.120s: %s", uri, error)
                else:
                    self._wanted[uri] += 1
                    watched.append(uri)
            honored = types.SubscriptionFilter(resource_subscriptions=watched)  # our lists never change
            return await self._listening(ctx, params.model_copy(update={"notifications": honored}))
        finally:
            for uri in watched:
                self._unwatch(uri)

    # -- both ---------------------------------------------------------------------------------------------------------

    async def _watch(self, ctx: _Ctx, uri: str) -> None:
        """See to it that the run of an address has a poller; whoever calls counts the address then."""
        resource = self._resources.find(ctx, uri)
        seen = await self._resources.run(ctx, resource.run_id)
        if resource.run_id not in self._pollers and self._tasks is not None:
            if len(self._pollers) >= MOST_RUNS:
                raise MCPError(types.INVALID_PARAMS, f"At most {MOST_RUNS} runs are watched at a time.", {"uri": uri})
            scope = self._pollers[resource.run_id] = anyio.CancelScope()
            self._tasks.start_soon(self._poll, ctx, resource.run_id, seen, scope)

    def _unwatch(self, uri: str) -> None:
        self._wanted -= Counter([uri])
        resource = parse_uri(uri)
        if resource is not None and not self._wanted_of(resource.run_id) and resource.run_id in self._pollers:
            self._pollers.pop(resource.run_id).cancel()

    def _wanted_of(self, run_id: str) -> list[str]:
        return [uri for uri in self._wanted if (found := parse_uri(uri)) is not None and found.run_id == run_id]

    async def _poll(self, ctx: _Ctx, run_id: str, seen: dict[str, Any], scope: anyio.CancelScope) -> None:
        try:
            with scope:
                await self._follow(ctx, run_id, seen)
        except Exception:  # noqa: BLE001  # the edge: whatever is wrong with one run, the server continues
            _log.exception("The run %s is no longer watched.", run_id)
        finally:
            if self._pollers.get(run_id) is scope:
                del self._pollers[run_id]

    async def _follow(self, ctx: _Ctx, run_id: str, seen: dict[str, Any]) -> None:
        """Read the run until it is final, and tell of every change."""
        wait_s, failures = _SHORTEST_S, 0
        while not _is_final(seen) and failures < _MOST_FAILURES:
            await self._sleep(wait_s)
            wait_s = min(wait_s * _GROWTH, _LONGEST_S)
            try:
                found = await self._resources.run(ctx, run_id)
            except MCPError:
                failures += 1
                continue
            has_moved, failures = found != seen, 0
            if has_moved:
                wait_s = _SHORTEST_S
            seen = found
            for uri in self._wanted_of(run_id):
                resource = parse_uri(uri)
                if has_moved or (resource is not None and resource.phase and resource.phase == found.get("phase")):
                    await self._tell(uri)

    async def _tell(self, uri: str) -> None:
        await self._bus.publish(ResourceUpdated(uri))
        for connection, client in list(self._clients.items()):
            if uri in client.uris:
                try:
                    await client.session.send_resource_updated(uri)
                except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                    self._drop(connection)


@dataclass(frozen=True, slots=True)
class _Client:
    """A client that subscribed in the older way, and its addresses."""

    session: Any
    uris: set[str] = field(default_factory=set)


def _connection_of(ctx: _Ctx) -> Any:
    """The connection of a request. The SDK makes a session for each request, and offers no public way to this."""
    return getattr(ctx.session, "_connection")  # noqa: B009


def _is_final(view: dict[str, Any]) -> bool:
    return bool(view.get("status_group") == StatusGroup.FINAL)
