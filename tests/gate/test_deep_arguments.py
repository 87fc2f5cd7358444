"""Deeply nested arguments are refused as invalid."""

from typing import Any

import pytest

from tests.support.tables import rows
from tests.tools.calls import REQUIRED, failure_of, willing_api
from tfruns.errors import InvalidInput


def _nested(depth: int, kind: str) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value] if kind == "lists" else {"a": value}
    return value


@pytest.mark.anyio
@rows("kind", ["lists", "objects"])
@rows("depth", [101, 900, 5_000])
@rows("place", ["run_id", "unknown", "value of a variable"])
async def test_deeply_nested_argument_is_refused(place: str, depth: int, kind: str) -> None:
    api, value = willing_api(), _nested(depth, kind)
    name = "get_run_details"
    arguments: dict[str, Any] = {**REQUIRED[name], place: value}
    if place == "value of a variable":
        name = "create_run"
        arguments = {**REQUIRED[name], "params": {"variables": [{"key": "size", "value": value}]}}
    assert isinstance(await failure_of(name, arguments, api=api), InvalidInput)
    assert api.requests == []
