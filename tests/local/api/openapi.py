"""HashiCorp's OpenAPI document, and how responses deviate from it.

The environment variable `HCP_OPENAPI` contains its path. The document is a beta, contains errors, and covers part of
the API. `KNOWN_FAULTS` lists where the document contradicts the written reference.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from openapi_schema_validator import OAS30Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

from tfruns.local.api.endpoints import ENDPOINTS, Endpoint

_ROOT = "urn:hcp"
_METHODS = {"GET", "POST", "PATCH", "PUT", "DELETE"}
_ERROR = 400


@dataclass(frozen=True, slots=True)
class KnownFault:
    """An error in the document: patterns for the responses and for the deviation, and the reference that is right."""

    where: str
    deviation: str
    reason: str


KNOWN_FAULTS = (
    KnownFault(
        ".* 20[01]$",
        r"data/(\*/)?relationships/(locked-by|current-run|latest-run|current-configuration-version|run|cost-estimate"
        r"|ingress-attributes|current-state-version|ssh-key|readme|current-assessment-result|agent-pool"
        r"|default-agent-pool|data-retention-policy)/data: None ",
        'JSON:API, "Resource Linkage": null for an empty to-one relationship. So do the samples of "Workspaces" and '
        '"Configuration Versions" in the written reference.',
    ),
    KnownFault(
        "GET .*/runs.* 200$",
        r"data/(\*/)?relationships/comments/data/\*/type: 'comments' is not one of",
        'HCP Terraform API, "Comments": every sample has the type `comments`, as does the document\'s own schema of '
        "comments.",
    ),
    KnownFault(
        "GET .*/download 302$",
        "status$",
        'HCP Terraform API, "Download Configuration Files": 302, to a temporary URL of the files.',
    ),
    KnownFault(
        "POST .*/actions/(apply|archive) 202$",
        ": None ",
        "The document means null, but declares a string whose only value is `null`.",
    ),
    KnownFault(
        "POST .*/actions/apply 404$",
        "status$",
        'HCP Terraform API, "Apply a Run": 404, "Run not found or user not authorized".',
    ),
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A response, and the endpoint that sent it."""

    endpoint: Endpoint
    response: httpx2.Response

    @property
    def is_error(self) -> bool:
        return self.response.status_code >= _ERROR


def endpoint_of(method: str, path: str) -> Endpoint | None:
    """The endpoint that serves a path below `/api/v2`; constant parts take precedence over variable parts."""
    matching = [
        entry
        for entry in ENDPOINTS
        if entry.method == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", entry.path), path)
    ]
    return min(matching, key=lambda entry: entry.path.count("{")) if matching else None


class Document:
    """The OpenAPI document."""

    def __init__(self, path: Path) -> None:
        self._content = json.loads(path.read_bytes())
        self._registry: Registry[Any] = Registry().with_resource(_ROOT, DRAFT4.create_resource(self._content))
        self._operations = {
            (method.upper(), _anonymous(template)): operation
            for template, methods in self._content["paths"].items()
            for method, operation in methods.items()
            if method.upper() in _METHODS
        }

    @classmethod
    def from_environment(cls) -> "Document | None":
        """The document at the path in `HCP_OPENAPI`; None if it is unset."""
        path = os.environ.get("HCP_OPENAPI")
        return cls(Path(path)) if path else None

    def covers(self, endpoint: Endpoint) -> bool:
        """Whether the document contains this endpoint."""
        return (endpoint.method, _anonymous(endpoint.path)) in self._operations

    def deviations(self, exchange: Exchange) -> Iterator[str]:
        """The deviations of a response from the document, without the known faults."""
        response, endpoint = exchange.response, exchange.endpoint
        responses = self._operations[endpoint.method, _anonymous(endpoint.path)]["responses"]
        code = str(response.status_code)
        where = f"{endpoint.method} {endpoint.path} {code}"
        found = [text for text in self._found(responses, code, response) if not _is_known(where, text)]
        yield from (f"{where}: {text}" for text in found)

    def _found(self, responses: Mapping[str, Any], code: str, response: httpx2.Response) -> Iterator[str]:
        if code not in responses and (response.status_code < _ERROR or "default" not in responses):
            yield "status"
            return
        documented = responses.get(code) or responses["default"]
        media: dict[str, Any] = next(iter(documented.get("content", {}).values()), {})
        if "schema" not in media:
            return
        kind = response.headers.get("content-type", "")
        if kind not in documented["content"]:
            yield f"content type {kind}"
        validator = OAS30Validator(
            _rooted(media["schema"]), registry=self._registry, format_checker=OAS30Validator.FORMAT_CHECKER
        )
        for error in validator.iter_errors(response.json()):
            location = "/".join("*" if isinstance(part, int) else str(part) for part in error.absolute_path)
            yield f"{location}: {error.message[:160]}"


def _anonymous(template: str) -> str:
    """A path without the names of its parameters, which differ between sources."""
    return re.sub(r"\{\w+\}", "{}", template)


def _rooted(schema: Any) -> Any:
    """A schema whose references are relative to the document."""
    if isinstance(schema, dict):
        return {
            key: f"{_ROOT}{value}" if key == "$ref" and isinstance(value, str) else _rooted(value)
            for key, value in schema.items()
        }
    return [_rooted(item) for item in schema] if isinstance(schema, list) else schema


def _is_known(where: str, text: str) -> bool:
    return any(re.match(fault.where, where) and re.match(fault.deviation, text) for fault in KNOWN_FAULTS)
