"""Every documented endpoint is served, or named as missing; and nothing that is served is called missing."""

import json
import os
import re
from pathlib import Path

import pytest

from endpoints import documented, without_names
from tests.architecture.source import ROOT
from tfruns.local.api.endpoints import ENDPOINTS

_PAGE = (ROOT / "docs" / "local-backend.md").read_text(encoding="utf-8")
_MISSING = _PAGE[_PAGE.index("### Missing endpoints") :]
_SERVED = {(entry.method, without_names(entry.path)) for entry in ENDPOINTS}
# What the Terraform CLI and go-tfe use beside the documented endpoints, and one list that is empty here.
_UNDOCUMENTED = ("/ping", "/organizations/{}/capacity", "/organizations/{}/runs/queue", "/run-events/{}",
                 "/runs/{}/apply", "/runs/{}/run-events", "/state-versions/{}/download",
                 "/workspaces/{}/assessment-results")  # fmt: skip
_METHODS = {"get", "post", "patch", "put", "delete"}


def _named() -> set[tuple[str, str]]:
    """What the page calls missing: single endpoints, and all endpoints of some pages of the reference."""
    single = {(method, without_names(path)) for method, path in re.findall(r"`([A-Z]+) (/[^`]+)`", _MISSING)}
    whole = re.search(r"\| all endpoints of \| (.*) \|", _MISSING)
    assert whole is not None
    families = documented()
    return single | {(method, without_names(path)) for name in whole[1].split(", ") for method, path in families[name]}


def test_each_documented_endpoint_is_either_served_or_named_as_missing() -> None:
    endpoints = {(method, without_names(path)) for rows in documented().values() for method, path in rows}
    assert len(endpoints) > 400
    assert endpoints - _SERVED == _named()


def test_the_openapi_document_has_no_endpoint_that_is_neither_served_nor_named() -> None:
    source = os.environ.get("HCP_OPENAPI")
    if not source:
        pytest.skip("HCP_OPENAPI does not name a copy of HCP Terraform's OpenAPI document")
    paths = json.loads(Path(source).read_bytes())["paths"]
    endpoints = {
        (method.upper(), without_names(path.rstrip("/")))
        for path, methods in paths.items()
        for method in methods
        if method in _METHODS
    }
    assert endpoints - _SERVED - _named() == set()


def test_what_is_served_beyond_the_documents_is_known() -> None:
    known = {(method, without_names(path)) for rows in documented().values() for method, path in rows}
    assert _SERVED - known == {("GET", path) for path in _UNDOCUMENTED}
