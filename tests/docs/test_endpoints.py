"""Each documented endpoint is either served or listed as missing in docs/local-backend.md."""

import json
import os
import re
from pathlib import Path

import pytest

from endpoints import documented_endpoints, without_parameter_names
from tests.architecture.source import ROOT
from tfruns.local.api.endpoints import ENDPOINTS

_PAGE = (ROOT / "docs" / "local-backend.md").read_text(encoding="utf-8")
_MISSING = _PAGE[_PAGE.index("### Missing endpoints") :]
_SERVED = {(entry.method, without_parameter_names(entry.path)) for entry in ENDPOINTS}
# Undocumented endpoints that the Terraform CLI and go-tfe use, and one list that is always empty.
_UNDOCUMENTED = ("/ping", "/organizations/{}/capacity", "/organizations/{}/runs/queue", "/run-events/{}",
                 "/runs/{}/apply", "/runs/{}/run-events", "/state-versions/{}/download",
                 "/workspaces/{}/assessment-results")  # fmt: skip
_METHODS = {"get", "post", "patch", "put", "delete"}


def _listed_as_missing() -> set[tuple[str, str]]:
    """The endpoints that the page lists: single ones, and all endpoints of some pages of the reference."""
    single = {(method, without_parameter_names(path)) for method, path in re.findall(r"`([A-Z]+) (/[^`]+)`", _MISSING)}
    whole = re.search(r"\| all endpoints of \| (.*) \|", _MISSING)
    assert whole is not None
    families = documented_endpoints()
    return single | {
        (method, without_parameter_names(path)) for name in whole[1].split(", ") for method, path in families[name]
    }


def test_documented_endpoint_is_either_served_or_listed_as_missing() -> None:
    endpoints = {
        (method, without_parameter_names(path)) for rows in documented_endpoints().values() for method, path in rows
    }
    assert len(endpoints) > 400
    assert endpoints - _SERVED == _listed_as_missing()


def test_openapi_endpoint_is_served_or_listed_as_missing() -> None:
    source = os.environ.get("HCP_OPENAPI")
    if not source:
        pytest.skip("HCP_OPENAPI is not the path of HCP Terraform's OpenAPI document")
    paths = json.loads(Path(source).read_bytes())["paths"]
    endpoints = {
        (method.upper(), without_parameter_names(path.rstrip("/")))
        for path, methods in paths.items()
        for method in methods
        if method in _METHODS
    }
    assert endpoints - _SERVED - _listed_as_missing() == set()


def test_undocumented_endpoints_are_known() -> None:
    known = {
        (method, without_parameter_names(path)) for rows in documented_endpoints().values() for method, path in rows
    }
    assert _SERVED - known == {("GET", path) for path in _UNDOCUMENTED}
