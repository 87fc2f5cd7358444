"""HashiCorp's OpenAPI document, and what of an answer does not agree with it.

Its path comes from the environment variable `HCP_OPENAPI`. The document is a beta with errors of its own, and covers
part of the API. Where an answer is right by the written reference and the document is not, `KNOWN_FAULTS` says so.
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
    """Where the document is wrong: in which answers, in what of them (both are patterns), and why we are right."""

    where: str
    what: str
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
        'HCP Terraform API, "Comments": the type of every sample is `comments`, as it is in what the document says of '
        "comments themselves.",
    ),
    KnownFault(
        "GET .*/download 302$",
        "status$",
        'HCP Terraform API, "Download Configuration Files": 302, to a temporary address of the files.',
    ),
    KnownFault(
        "POST .*/actions/(apply|archive) 202$",
        ": None ",
        "The document means null, and says a string of which the only value is `null`.",
    ),
    KnownFault(
        "POST .*/actions/apply 404$",
        "status$",
        'HCP Terraform API, "Apply a Run": 404, "Run not found or user not authorized".',
    ),
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """An answer, and what was asked."""

    endpoint: Endpoint
    answer: httpx2.Response

    @property
    def is_error(self) -> bool:
        return self.answer.status_code >= _ERROR


def endpoint_of(method: str, path: str) -> Endpoint | None:
    """The endpoint that serves a path below the API's root: one with a fixed text before one with a name in it."""
    fitting = [
        entry
        for entry in ENDPOINTS
        if entry.method == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", entry.path), path)
    ]
    return min(fitting, key=lambda entry: entry.path.count("{")) if fitting else None


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
        """The document that `HCP_OPENAPI` names."""
        path = os.environ.get("HCP_OPENAPI")
        return cls(Path(path)) if path else None

    def covers(self, endpoint: Endpoint) -> bool:
        """Whether the document knows this method of this path."""
        return (endpoint.method, _anonymous(endpoint.path)) in self._operations

    def deviations(self, exchange: Exchange) -> Iterator[str]:
        """What of an answer is not as the document says, without the exceptions."""
        answer, endpoint = exchange.answer, exchange.endpoint
        responses = self._operations[endpoint.method, _anonymous(endpoint.path)]["responses"]
        code = str(answer.status_code)
        where = f"{endpoint.method} {endpoint.path} {code}"
        found = [text for text in self._found(responses, code, answer) if not _is_known(where, text)]
        yield from (f"{where}: {text}" for text in found)

    def _found(self, responses: Mapping[str, Any], code: str, answer: httpx2.Response) -> Iterator[str]:
        if code not in responses and (answer.status_code < _ERROR or "default" not in responses):
            yield "status"
            return
        response = responses.get(code) or responses["default"]
        media: dict[str, Any] = next(iter(response.get("content", {}).values()), {})
        if "schema" not in media:
            return
        kind = answer.headers.get("content-type", "")
        if kind not in response["content"]:
            yield f"content type {kind}"
        validator = OAS30Validator(
            _rooted(media["schema"]), registry=self._registry, format_checker=OAS30Validator.FORMAT_CHECKER
        )
        for error in validator.iter_errors(answer.json()):
            place = "/".join("*" if isinstance(part, int) else str(part) for part in error.absolute_path)
            yield f"{place}: {error.message[:160]}"


def _anonymous(template: str) -> str:
    """A path whose parameters have no names: these differ."""
    return re.sub(r"\{\w+\}", "{}", template)


def _rooted(schema: Any) -> Any:
    """A schema whose references begin at the document."""
    if isinstance(schema, dict):
        return {
            key: f"{_ROOT}{value}" if key == "$ref" and isinstance(value, str) else _rooted(value)
            for key, value in schema.items()
        }
    return [_rooted(item) for item in schema] if isinstance(schema, list) else schema


def _is_known(where: str, text: str) -> bool:
    return any(re.match(fault.where, where) and re.match(fault.what, text) for fault in KNOWN_FAULTS)
