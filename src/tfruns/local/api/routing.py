"""Routing by the shape of a path. Starlette tries one route after another: 0.1 ms for the last of a hundred."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

Serve = Callable[[Request], Awaitable[Response]]

_MATCHED_ROUTE = "tfruns.route"
_CONSTANT_PARTS = 4  # "", "api", "v2" and the type of resource


class RoutesByShape(BaseRoute):
    """Routes indexed by the constant beginning and the number of parts of their paths.

    Only the few routes with the shape of a request's path are tried, in order.

    Args:
        methods: a method, a path that begins with `/api/v2/` and a constant part, and the function that serves both.
    """

    def __init__(self, methods: Iterable[tuple[str, str, Serve]]) -> None:
        self._routes: dict[tuple[str, int], list[Route]] = defaultdict(list)
        for route in _merge_methods(methods):
            self._routes[_shape(route.path)].append(route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Find the route of a path, for any method: `Route.handle` rejects a wrong method with 405."""
        for route in self._routes.get(_shape(scope["path"]), ()) if scope["type"] == "http" else ():
            match, found = route.matches(scope)
            if match is not Match.NONE:
                return match, {**found, _MATCHED_ROUTE: route}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request with the route that `matches` found."""
        route: Route = scope[_MATCHED_ROUTE]
        await route.handle(scope, receive, send)


def _shape(path: str) -> tuple[str, int]:
    parts = path.split("/")
    return "/".join(parts[:_CONSTANT_PARTS]), len(parts)


def _merge_methods(methods: Iterable[tuple[str, str, Serve]]) -> list[Route]:
    """One route per path: Starlette responds with 405 at the first route whose path matches."""
    by_path: dict[str, dict[str, Serve]] = {}
    for method, path, serve in methods:
        by_path.setdefault(path, {})[method] = serve
    return [Route(path, _by_method(found), methods=list(found)) for path, found in by_path.items()]


def _by_method(methods: dict[str, Serve]) -> Serve:
    async def serve(request: Request) -> Response:
        return await methods["GET" if request.method == "HEAD" else request.method](request)

    return serve
