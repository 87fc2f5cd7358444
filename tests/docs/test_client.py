"""docs/client.md lists every method of the client."""

import inspect
import re

from tests.architecture.source import ROOT
from tfruns import Client

_PAGE = (ROOT / "docs" / "client.md").read_text(encoding="utf-8")
_ROW = re.compile(r"^\| `(?P<resource>\w+)` \| (?P<methods>`.*`) \|$", re.MULTILINE)
_NOT_REQUESTS = {"clock", "derived", "settings"}
_INTERNAL = {"workspaces": {"location_of_new"}, "runs": {"id_of"}}


def test_methods_of_each_resource_are_listed() -> None:
    listed = {row["resource"]: set(re.findall(r"`(\w+)`", row["methods"])) for row in _ROW.finditer(_PAGE)}
    client = Client("https://tfe.example.com", "not-a-token")
    actual = {
        name: {method for method, _ in inspect.getmembers(type(value), callable) if not method.startswith("_")}
        - _INTERNAL.get(name, set())
        for name, value in vars(client).items()
        if not name.startswith("_") and name not in _NOT_REQUESTS
    }
    assert listed == actual
