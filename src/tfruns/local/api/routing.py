"""Routing by the shape of a path. Starlette tries one route after another: 0.1 ms for the last of a hundred."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tfruns.local.api.endpoints import Endpoint

_CONSTANT_PARTS = 4  # "", "api", "v2" and the type of resource


@dataclass(frozen=True, slots=True)
class _Route:
    """A path, and the endpoints that serve its methods.

    Attributes:
        parts: the parts of the path; a variable part is its name in braces.
        endpoints: the endpoints by method.
    """

    parts: tuple[str, ...]
    endpoints: dict[str, Endpoint]

    def match(self, parts: list[str]) -> dict[str, str] | None:
        """The values of the variable parts in a path of the same length; None if the path does not match."""
        values = {}
        for expected, part in zip(self.parts, parts, strict=True):
            if expected.startswith("{") and part:
                values[expected[1:-1]] = part
            elif expected != part:
                return None
        return values


class Routes:
    """Routes indexed by the constant beginning and the number of parts of their paths.

    Only the few routes with the shape of a request's path are tried, in order.

    Args:
        prefix: the beginning of all paths.
        endpoints: the endpoints; each of their paths begins with a constant part.
    """

    def __init__(self, prefix: str, endpoints: Iterable[Endpoint]) -> None:
        by_path: dict[str, dict[str, Endpoint]] = defaultdict(dict)
        for endpoint in endpoints:
            by_path[endpoint.path][endpoint.method] = endpoint
        self._routes: dict[tuple[str, int], list[_Route]] = defaultdict(list)
        for path, methods in by_path.items():
            if "GET" in methods:
                methods["HEAD"] = methods["GET"]
            parts = (prefix + path).split("/")
            self._routes[_shape(parts)].append(_Route(tuple(parts), methods))

    def find(self, path: str) -> tuple[Mapping[str, Endpoint], dict[str, str]] | None:
        """The endpoints of a path by method, and the values of its variable parts; None if no route matches."""
        parts = path.split("/")
        for route in self._routes.get(_shape(parts), ()):
            values = route.match(parts)
            if values is not None:
                return route.endpoints, values
        return None


def _shape(parts: list[str]) -> tuple[str, int]:
    return "/".join(parts[:_CONSTANT_PARTS]), len(parts)
