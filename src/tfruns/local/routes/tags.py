"""The tags of workspaces, with a value and without. Source: HCP Terraform API, "Workspaces", "Get tags" and following.

A tag without a value is a tag binding whose value is empty, so that both kinds of clients see all tags.
"""

from collections.abc import Callable, Sequence
from typing import Annotated

from pydantic import Field

from tfruns.errors import BadRequest, UnprocessableEntity
from tfruns.jsonapi import JSON
from tfruns.local.documents.tags import effective_tag_bindings, tag_bindings, tag_id, tags
from tfruns.local.routes.call import Attributes, Call, Reply, list_reply, validated
from tfruns.local.service.find import find_workspace, lock_workspace
from tfruns.local.store.schema import WorkspaceRow
from tfruns.wire.base import Resource


class _Tag(Attributes):
    name: Annotated[str, Field(max_length=255)] | None = None
    key: Annotated[str, Field(max_length=128)] | None = None
    value: Annotated[str, Field(max_length=256)] | None = None


def related_tags(call: Call) -> dict[str, str] | None:
    """The tags that a workspace is to have, `tags` by name or `tag-bindings`; None if a request says nothing of them.

    Raises:
        UnprocessableEntity: 422, a tag has no name, or a too long one.
    """
    relationships = call.data().get("relationships")
    found: dict[str, str] | None = None
    for name in ("tags", "tag-bindings"):
        related = relationships.get(name) if isinstance(relationships, dict) else None
        items = related.get("data") if isinstance(related, dict) else None
        if isinstance(items, list):
            found = (found or {}) | _tags(items)
    return found


def _tags(items: Sequence[JSON]) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in items:
        attributes = validated(_Tag, item.get("attributes") or {}) if isinstance(item, dict) else _Tag()
        key = attributes.key or attributes.name
        if not key:
            raise UnprocessableEntity("A tag has no name.")
        found[key] = attributes.value or ""
    return found


def list_bindings(call: Call) -> Reply:
    """GET /workspaces/:workspace_id/tag-bindings -> 200, all of them."""
    return _list(call, tag_bindings)


def list_effective_bindings(call: Call) -> Reply:
    """GET /workspaces/:workspace_id/effective-tag-bindings -> 200, all of them."""
    return _list(call, effective_tag_bindings)


def list_tags(call: Call) -> Reply:
    """GET /workspaces/:workspace_id/relationships/tags -> 200."""
    page = call.page()
    with call.backend.database.read() as session:
        found = tags(find_workspace(session, call.path["workspace_id"]))
    return list_reply(found[page.offset : page.offset + page.size], page, total=len(found))


def _list(call: Call, resources_of: Callable[[WorkspaceRow], Sequence[Resource]]) -> Reply:
    with call.backend.database.read() as session:
        return _whole_list(call, resources_of(find_workspace(session, call.path["workspace_id"])))


def _whole_list(call: Call, found: Sequence[Resource]) -> Reply:
    return list_reply(found, call.whole_page(len(found)), total=len(found))


def add_bindings(call: Call) -> Reply:
    """PATCH /workspaces/:workspace_id/tag-bindings -> 200; the others stay."""
    return _whole_list(call, tag_bindings(_change(call, lambda row: row.tags | _tags(_items(call)))))


def add_tags(call: Call) -> Reply:
    """POST /workspaces/:workspace_id/relationships/tags -> 204; the others stay, with their values."""
    _change(call, lambda row: _tags(_items(call)) | row.tags)
    return Reply(204)


def remove_tags(call: Call) -> Reply:
    """DELETE /workspaces/:workspace_id/relationships/tags -> 204; by id or by name, also what is not there."""
    items = [item for item in _items(call) if isinstance(item, dict)]
    ids = {id_ for item in items if isinstance(id_ := item.get("id"), str)}
    names = set(_tags([item for item in items if not item.get("id")]))

    def remaining(row: WorkspaceRow) -> dict[str, str]:
        return {
            key: value
            for key, value in row.tags.items()
            if key not in names and tag_id(row.organization, key) not in ids
        }

    _change(call, remaining)
    return Reply(204)


def _items(call: Call) -> Sequence[JSON]:
    items = call.document().get("data")
    if not isinstance(items, list):
        raise BadRequest("The body has no list of resource objects in data.")
    return items


def _change(call: Call, changed: Callable[[WorkspaceRow], dict[str, str]]) -> WorkspaceRow:
    with call.backend.database.write() as write:
        row = lock_workspace(write.session, find_workspace(write.session, call.path["workspace_id"]).id)
        row.tags = changed(row)
        return row
