"""Routing by the shape of a path. Starlette tries one route after another: 0.1 ms for the last of a hundred."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

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
        routes: routes whose paths begin with `/api/v2/` and a constant part.
    """

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes: dict[tuple[str, int], list[Route]] = defaultdict(list)
        for route in merge_methods(routes):
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


def merge_methods(routes: Sequence[Route]) -> list[Route]:
    """One route per path: Starlette responds with 405 at the first route whose path matches."""
    by_path: dict[str, dict[str, Serve]] = {}
    for route in routes:
        for method in route.methods or ():
            by_path.setdefault(route.path, {})[method] = route.endpoint
    return [Route(path, _by_method(methods), methods=list(methods)) for path, methods in by_path.items()]


def _by_method(methods: dict[str, Serve]) -> Serve:
    async def serve(request: Request) -> Response:
        return await methods["GET" if request.method == "HEAD" else request.method](request)

    return serve
