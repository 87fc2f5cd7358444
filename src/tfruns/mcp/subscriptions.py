"""Notifications about changes of runs, with one poller per run for all subscribers.

Up to revision 2025-11-25 of the protocol, a client subscribes to a URI. From 2026-07-28 on, it listens to a stream for
several URIs. A poller reads a run more often while the run changes. It stops when the run is final, when the last
subscription ends, or with the server.
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

MAX_RUNS = 20  # watched at the same time
_MAX_FAILURES = 8  # consecutive failures until a run is no longer watched
_MIN_INTERVAL_S, _MAX_INTERVAL_S, _GROWTH = 1.0, 15.0, 1.5

_Ctx = ServerRequestContext[Any]


class Subscriptions:
    """The subscriptions of all clients, and the pollers of their runs.

    Args:
        resources: reads the runs.
        sleep: waits for a number of seconds.
    """

    def __init__(self, resources: RunResources, sleep: Callable[[float], Awaitable[None]] = anyio.sleep) -> None:
        self._resources = resources
        self._sleep = sleep
        self._bus = InMemorySubscriptionBus()
        self._listening = ListenHandler(self._bus, max_subscriptions=MAX_RUNS)
        self._wanted: Counter[str] = Counter()  # the number of subscriptions by URI
        self._clients: dict[object, _Client] = {}  # subscribers by connection
        self._pollers: dict[str, anyio.CancelScope] = {}
        self._tasks: TaskGroup | None = None

    @property
    def polled_runs(self) -> set[str]:
        """The ids of the runs that are polled now."""
        return set(self._pollers)

    @property
    def subscribers(self) -> dict[str, int]:
        """The number of subscriptions by URI."""
        return dict(self._wanted)

    @property
    def client_count(self) -> int:
        """The number of clients that subscribed and are still connected."""
        return len(self._clients)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the pollers while the server runs."""
        try:
            async with anyio.create_task_group() as self._tasks:
                yield
                self._tasks.cancel_scope.cancel()
        finally:
            self._tasks = None
            for connection in list(self._clients):
                self._drop(connection)

    # -- up to 2025-11-25: subscribe ----------------------------------------------------------------------------------

    async def subscribe(self, ctx: _Ctx, params: types.SubscribeRequestParams) -> types.EmptyResult:
        """Watch a URI, which must be readable. A repeated call resumes a watch that was given up after failures."""
        await self._watch(ctx, params.uri)
        client = self._client(ctx)
        if params.uri not in client.uris:
            self._wanted[params.uri] += 1
            client.uris.add(params.uri)
        return types.EmptyResult()

    async def unsubscribe(self, ctx: _Ctx, params: types.UnsubscribeRequestParams) -> types.EmptyResult:
        """Stop watching a URI for this client."""
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
        """Remove a client that has disconnected."""
        client = self._clients.pop(connection, None)
        for uri in client.uris if client else ():
            self._unwatch(uri)

    # -- from 2026-07-28 on: listen -----------------------------------------------------------------------------------

    async def listen(
        self, ctx: _Ctx, params: types.SubscriptionsListenRequestParams
    ) -> types.SubscriptionsListenResult:
        """Serve a stream until the client closes it. Only URIs that can be read are acknowledged."""
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
            honored = types.SubscriptionFilter(resource_subscriptions=watched)  # the lists of this server never change
            return await self._listening(ctx, params.model_copy(update={"notifications": honored}))
        finally:
            for uri in watched:
                self._unwatch(uri)

    # -- both ---------------------------------------------------------------------------------------------------------

    async def _watch(self, ctx: _Ctx, uri: str) -> None:
        """Start a poller for the run of a URI if it has none. The caller counts the subscription."""
        resource = self._resources.find(ctx, uri)
        seen = await self._resources.run(ctx, resource.run_id)
        if resource.run_id not in self._pollers and self._tasks is not None:
            if len(self._pollers) >= MAX_RUNS:
                raise MCPError(types.INVALID_PARAMS, f"At most {MAX_RUNS} runs are watched at a time.", {"uri": uri})
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
        except Exception:  # noqa: BLE001  # a failure of one poller must not stop the server
            _log.exception("Watching %s stopped after an unexpected error.", run_id)
        finally:
            if self._pollers.get(run_id) is scope:
                del self._pollers[run_id]

    async def _follow(self, ctx: _Ctx, run_id: str, seen: dict[str, Any]) -> None:
        """Poll the run until it is final, and notify of every change."""
        wait_s, failures = _MIN_INTERVAL_S, 0
        while not _is_final(seen) and failures < _MAX_FAILURES:
            await self._sleep(wait_s)
            wait_s = min(wait_s * _GROWTH, _MAX_INTERVAL_S)
            try:
                found = await self._resources.run(ctx, run_id)
            except MCPError:
                failures += 1
                continue
            has_changed, failures = found != seen, 0
            if has_changed:
                wait_s = _MIN_INTERVAL_S
            seen = found
            for uri in self._wanted_of(run_id):
                resource = parse_uri(uri)
                if has_changed or (resource is not None and resource.phase and resource.phase == found.get("phase")):
                    await self._notify(uri)

    async def _notify(self, uri: str) -> None:
        await self._bus.publish(ResourceUpdated(uri))
        for connection, client in list(self._clients.items()):
            if uri in client.uris:
                try:
                    await client.session.send_resource_updated(uri)
                except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                    self._drop(connection)


@dataclass(frozen=True, slots=True)
class _Client:
    """A client with subscriptions, and their URIs."""

    session: Any
    uris: set[str] = field(default_factory=set)


def _connection_of(ctx: _Ctx) -> Any:
    """The connection of a request. The SDK creates a session per request, and has no public attribute for this."""
    return getattr(ctx.session, "_connection")  # noqa: B009


def _is_final(view: dict[str, Any]) -> bool:
    return bool(view.get("status_group") == StatusGroup.FINAL)
