"""Which route serves a path. Starlette tries one after the other, which for the last of a hundred takes 0.1 ms."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

Serve = Callable[[Request], Awaitable[Response]]

_CHOSEN = "tfruns.route"
_CONSTANT_PARTS = 4  # "", "api", "v2" and the kind of resource


class RoutesByShape(BaseRoute):
    """Routes by the constant beginning of their paths and the number of parts: few are left to be tried, in order.

    Args:
        routes: their paths begin with `/api/v2/` and a constant part.
    """

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes: dict[tuple[str, int], list[Route]] = defaultdict(list)
        for route in merge_methods(routes):
            self._routes[_shape(route.path)].append(route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Choose the route of a path, whatever the method: `Route.handle` refuses a wrong one with 405."""
        for route in self._routes.get(_shape(scope["path"]), ()) if scope["type"] == "http" else ():
            match, found = route.matches(scope)
            if match is not Match.NONE:
                return match, {**found, _CHOSEN: route}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request by the route that was chosen for it."""
        route: Route = scope[_CHOSEN]
        await route.handle(scope, receive, send)


def _shape(path: str) -> tuple[str, int]:
    parts = path.split("/")
    return "/".join(parts[:_CONSTANT_PARTS]), len(parts)


def merge_methods(routes: Sequence[Route]) -> list[Route]:
    """One route for each path: Starlette answers 405 at the first route whose path fits."""
    by_path: dict[str, dict[str, Serve]] = {}
    for route in routes:
        for method in route.methods or ():
            by_path.setdefault(route.path, {})[method] = route.endpoint
    return [Route(path, _by_method(methods), methods=list(methods)) for path, methods in by_path.items()]


def _by_method(methods: dict[str, Serve]) -> Serve:
    async def serve(request: Request) -> Response:
        return await methods["GET" if request.method == "HEAD" else request.method](request)

    return serve
