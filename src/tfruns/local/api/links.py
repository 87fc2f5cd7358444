"""The links of resources and their relationships. Every link leads to an endpoint of this server.

Source: HCP Terraform API, "JSON API Documents", and the sample responses of each page.
"""

from collections.abc import Mapping
from datetime import datetime

from tfruns.jsonapi import JSON, ResourceObject
from tfruns.wire.base import Resource, wire_time

WireResource = Resource | ResourceObject
"""A resource that a document can contain."""

_API = "/api/v2"

_SELF: Mapping[str, Mapping[str, str]] = {
    "workspaces": {
        "self": _API + "/organizations/{organization}/workspaces/{name}",
        "self-html": "/app/{organization}/workspaces/{name}",
    },
    "vars": {"self": _API + "/workspaces/{workspace}/vars/{id}"},
    "plans": {
        "self": _API + "/plans/{id}",
        "json-output": _API + "/plans/{id}/json-output",
        "json-output-redacted": _API + "/plans/{id}/json-output-redacted",
    },
    "configuration-versions": {
        "self": _API + "/configuration-versions/{id}",
        "download": _API + "/configuration-versions/{id}/download",
    },
    "entitlement-sets": {"self": _API + "/organizations/{id}/entitlement-set"},
}
"""The links of a resource, by type. Other types have one link, to themselves, or none."""

_WITHOUT_LINKS = frozenset({"tag-bindings", "effective-tag-bindings", "tags", "resources", "workspace-outputs"})

_RELATED: Mapping[str, Mapping[str, str]] = {
    "workspaces": {
        "organization": "/organizations/{organization}",
        "project": "/projects/{project}",
        "current-run": "/runs/{current-run}",
        "latest-run": "/runs/{latest-run}",
        "current-state-version": "/workspaces/{id}/current-state-version",
        "current-configuration-version": "/configuration-versions/{current-configuration-version}",
        "outputs": "/workspaces/{id}/current-state-version-outputs",
        "vars": "/workspaces/{id}/vars",
        "tag-bindings": "/workspaces/{id}/tag-bindings",
        "effective-tag-bindings": "/workspaces/{id}/effective-tag-bindings",
        "remote-state-consumers": "/workspaces/{id}/relationships/remote-state-consumers",
    },
    "organizations": {
        "entitlement-set": "/organizations/{id}/entitlement-set",
        "default-project": "/projects/{default-project}",
    },
    "projects": {"organization": "/organizations/{organization}"},
    "runs": {
        "workspace": "/workspaces/{workspace}",
        "plan": "/runs/{id}/plan",
        "apply": "/runs/{id}/apply",
        "configuration-version": "/runs/{id}/configuration-version",
        "created-by": "/users/{created-by}",
        "confirmed-by": "/users/{confirmed-by}",
        "canceled-by": "/users/{canceled-by}",
        "comments": "/runs/{id}/comments",
        "run-events": "/runs/{id}/run-events",
        "policy-checks": "/runs/{id}/policy-checks",
        "task-stages": "/runs/{id}/task-stages",
    },
    "vars": {
        "configurable": "/workspaces/{configurable}",
        "workspace": "/workspaces/{workspace}",
    },
    "state-versions": {
        "run": "/runs/{run}",
        "workspace": "/workspaces/{workspace}",
        "created-by": "/users/{created-by}",
        "outputs": "/state-versions/{id}/outputs",
    },
    "run-events": {"run": "/runs/{run}", "actor": "/users/{actor}", "comment": "/comments/{comment}"},
    "users": {"authenticated-resource": "/users/{authenticated-resource}"},
    "comments": {"run-event": "/run-events/{run-event}"},
}
"""The path of a related resource, by type and relationship. An empty relationship has no link.

Each template contains one name, so that filling it requires no parsing: a list has hundreds of links.
"""


def _parts(template: str) -> tuple[str, str, str]:
    before, _, rest = template.partition("{")
    name, _, after = rest.partition("}")
    return _API + before, name, after


_RELATED_PARTS = {
    type_: [(relationship, *_parts(template)) for relationship, template in templates.items()]
    for type_, templates in _RELATED.items()
}


def with_links(resource: WireResource) -> dict[str, JSON]:
    """A resource object with its links and the links of its relationships. All its times have the same format."""
    data = resource.to_wire()
    data["attributes"] = {name: _wire_value(value) for name, value in data["attributes"].items()}
    relationships: dict[str, JSON] = data["relationships"]
    names = _names(data)
    for relationship, before, name, after in _RELATED_PARTS.get(resource.wire_type, ()):
        if name in names and (relationship in relationships or name != relationship):
            links = {"related": before + names[name] + after}
            relationships[relationship] = {**relationships.get(relationship, {}), "links": links}
    if resource.wire_type in _WITHOUT_LINKS:
        return data
    templates = _SELF.get(resource.wire_type, {"self": f"{_API}/{resource.wire_type}/{{id}}"})
    data["links"] = {name: template.format_map(names) for name, template in templates.items()}
    return data


def _wire_value(value: JSON | datetime) -> JSON:
    return wire_time(value) if isinstance(value, datetime) else value


def _names(data: Mapping[str, JSON]) -> dict[str, str]:
    """The values for templates: the id and name of the resource, and the ids of its related resources."""
    related = {
        name: linkage["id"]
        for name, relationship in data["relationships"].items()
        if isinstance(linkage := relationship["data"], dict)
    }
    return {**related, "id": data["id"], "name": str(data["attributes"].get("name"))}
