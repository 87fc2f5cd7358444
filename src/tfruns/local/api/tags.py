"""Tags and tag bindings of workspaces. Source: HCP Terraform API, "Workspaces", "Get tags" and following.

A tag is a tag binding with an empty value, so clients that use tags and clients that use tag bindings see all of them.
The id of a tag is a hash of its name, because tags have no rows of their own.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

from pydantic import Field
from sqlalchemy import select

from tfruns.errors import BadRequest, NotFound, UnprocessableEntity
from tfruns.jsonapi import JSON
from tfruns.local.api.request import ApiRequest, RequestAttributes, validated
from tfruns.local.api.response import ApiResponse, list_response
from tfruns.local.service.find import find_named, find_organization, find_workspace, workspace_for_update
from tfruns.local.store.database import AnySession
from tfruns.local.store.schema import WorkspaceRow
from tfruns.wire.base import Related, Resource
from tfruns.wire.workspaces import EffectiveTagBinding, Tag, TagBinding

_MAX_BINDINGS = 10
_CHARACTERS = r"^[\w.=+\-@:]*$"


class _TagAttributes(RequestAttributes):
    """A tag with a name, or a tag binding with a key. Source: "Workspaces", "Tag bindings"; "Organization tags"."""

    name: Annotated[str, Field(max_length=255, pattern=_CHARACTERS)] | None = None
    key: Annotated[str, Field(max_length=128, pattern=_CHARACTERS)] | None = None
    value: Annotated[str, Field(max_length=256, pattern=_CHARACTERS)] | None = None


def related_tags(request: ApiRequest) -> dict[str, str] | None:
    """The tags of a workspace in a request, from the relationships `tags` and `tag-bindings`; None without both.

    Raises:
        UnprocessableEntity: 422, a tag has no name or an invalid one, or there are too many tag bindings.
    """
    relationships = request.data().get("relationships")
    found: dict[str, str] | None = None
    for name in ("tags", "tag-bindings"):
        related = relationships.get(name) if isinstance(relationships, dict) else None
        items = related.get("data") if isinstance(related, dict) else None
        if isinstance(items, list):
            found = (found or {}) | _tags(items)
            _check_number(found if name == "tag-bindings" else {})
    return found


def _check_number(bindings: Mapping[str, str]) -> None:
    if len(bindings) > _MAX_BINDINGS:
        raise UnprocessableEntity(f"Too many tag bindings: a workspace can have at most {_MAX_BINDINGS}.")


def _tags(items: Sequence[JSON]) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in items:
        given = item.get("attributes") if isinstance(item, dict) else None
        attributes = validated(_TagAttributes, given or {})
        key = attributes.key or attributes.name
        if not key:
            raise UnprocessableEntity("A tag has no name. Set the attribute name or key.")
        found[key] = attributes.value or ""
    return found


def list_tag_bindings(request: ApiRequest) -> ApiResponse:
    """GET /workspaces/:workspace_id/tag-bindings -> 200, without pages."""
    return _list(request, tag_bindings)


def list_effective_tag_bindings(request: ApiRequest) -> ApiResponse:
    """GET /workspaces/:workspace_id/effective-tag-bindings -> 200, without pages."""
    return _list(request, effective_tag_bindings)


def list_tags(request: ApiRequest) -> ApiResponse:
    """GET /workspaces/:workspace_id/relationships/tags -> 200."""
    page = request.page()
    with request.backend.database.read() as session:
        found = tags(find_workspace(session, request.path["workspace_id"]))
    return list_response(found[page.offset : page.offset + page.size], page, total=len(found))


def _list(request: ApiRequest, resources_of: Callable[[WorkspaceRow], Sequence[Resource]]) -> ApiResponse:
    with request.backend.database.read() as session:
        return _whole_list(request, resources_of(find_workspace(session, request.path["workspace_id"])))


def _whole_list(request: ApiRequest, found: Sequence[Resource]) -> ApiResponse:
    return list_response(found, request.whole_page(len(found)), total=len(found))


def add_tag_bindings(request: ApiRequest) -> ApiResponse:
    """PATCH /workspaces/:workspace_id/tag-bindings -> 200; other tag bindings are kept."""
    added = _tags(_items(request))

    def changed(_: AnySession, row: WorkspaceRow) -> dict[str, str]:
        _check_number(row.tags | added)
        return row.tags | added

    return _whole_list(request, tag_bindings(_change(request, changed)))


def add_tags(request: ApiRequest) -> ApiResponse:
    """POST /workspaces/:workspace_id/relationships/tags -> 204; by name or id. Other tags are kept."""
    ids, names = _ids_and_names(request)

    def changed(session: AnySession, row: WorkspaceRow) -> dict[str, str]:
        known = {tag.id: tag.name for tag in organization_tags(session, row.organization)}
        if not ids <= known.keys():
            raise NotFound("not found")
        return row.tags | {name: row.tags.get(name, "") for name in (*names, *(known[id_] for id_ in sorted(ids)))}

    _change(request, changed)
    return ApiResponse(204)


def remove_tags(request: ApiRequest) -> ApiResponse:
    """DELETE /workspaces/:workspace_id/relationships/tags -> 204; by id or name. Missing tags are ignored."""
    ids, names = _ids_and_names(request)

    def remaining(_: AnySession, row: WorkspaceRow) -> dict[str, str]:
        return {
            key: value
            for key, value in row.tags.items()
            if key not in names and tag_id(row.organization, key) not in ids
        }

    _change(request, remaining)
    return ApiResponse(204)


def list_organization_tags(request: ApiRequest) -> ApiResponse:
    """GET /organizations/:organization/tags -> 200, with the number of workspaces per tag."""
    page = request.page()
    text, without = request.query.get("q", "").casefold(), request.query.get("filter[exclude][taggable][id]", "")
    with request.backend.database.read() as session:
        name = find_organization(session, request.path["organization"]).name
        excluded = session.scalar(select(WorkspaceRow.tags).where(WorkspaceRow.id == without)) or {}
        found = [
            tag for tag in organization_tags(session, name) if text in tag.name.casefold() and tag.name not in excluded
        ]
    return list_response(found[page.offset : page.offset + page.size], page, total=len(found))


def remove_organization_tags(request: ApiRequest) -> ApiResponse:
    """DELETE /organizations/:organization/tags -> 204; removes tags from all workspaces."""
    ids, _ = _ids_and_names(request)
    with request.backend.database.write() as write:
        name = find_organization(write.session, request.path["organization"]).name
        for row in write.session.scalars(select(WorkspaceRow).where(WorkspaceRow.organization == name)):
            row.tags = {key: value for key, value in row.tags.items() if tag_id(name, key) not in ids}
    return ApiResponse(204)


def add_workspaces_to_tag(request: ApiRequest) -> ApiResponse:
    """POST /tags/:id/relationships/workspaces -> 204."""
    ids, _ = _ids_and_names(request)
    with request.backend.database.write() as write:
        for id_ in sorted(ids):
            row = workspace_for_update(write.session, find_named(write.session, WorkspaceRow, id_).id)
            known = {tag.id: tag.name for tag in organization_tags(write.session, row.organization)}
            if request.path["id"] not in known:
                raise NotFound("not found")
            row.tags = {known[request.path["id"]]: "", **row.tags}
    return ApiResponse(204)


def _ids_and_names(request: ApiRequest) -> tuple[set[str], list[str]]:
    """The ids in a list of tags or workspaces, and the names of the tags without an id."""
    items = _items(request)
    if any(not isinstance(item.get("id") or "", str) for item in items):
        raise UnprocessableEntity("The id of a tag or a workspace must be a string.")
    ids = {id_ for item in items if (id_ := item.get("id"))}
    return ids, list(_tags([item for item in items if not item.get("id")]))


def _items(request: ApiRequest) -> Sequence[JSON]:
    items = request.document().get("data")
    if not isinstance(items, list):
        raise BadRequest('The request body contains no list of resource objects. Send {"data": [{"type": "tags", …}]}.')
    if not all(isinstance(item, dict) for item in items):
        raise UnprocessableEntity("data must be a list of objects, each with a type and an id or attributes.")
    return items


def _change(request: ApiRequest, changed: Callable[[AnySession, WorkspaceRow], dict[str, str]]) -> WorkspaceRow:
    with request.backend.database.write() as write:
        row = workspace_for_update(write.session, find_workspace(write.session, request.path["workspace_id"]).id)
        row.tags = changed(write.session, row)
        return row


def tag_bindings(row: WorkspaceRow) -> list[TagBinding]:
    """The tag bindings of a workspace."""
    return [
        TagBinding(id=_id("tb", row.id, key), key=key, value=value, created_at=row.created_at)
        for key, value in row.tags.items()
    ]


def effective_tag_bindings(row: WorkspaceRow) -> list[EffectiveTagBinding]:
    """The tag bindings of a workspace; its project has no tag bindings to inherit."""
    return [EffectiveTagBinding(id=_id("tb", row.id, key), key=key, value=value) for key, value in row.tags.items()]


def tags(row: WorkspaceRow) -> list[Tag]:
    """The tags of a workspace: the tag bindings without a value."""
    organization = Related(type="organizations", id=row.organization)
    return [
        Tag(id=tag_id(row.organization, key), name=key, organization=organization)
        for key, value in row.tags.items()
        if not value
    ]


def organization_tags(session: AnySession, organization: str) -> list[Tag]:
    """The tags of an organization's workspaces, sorted by name, with the number of workspaces per tag."""
    rows = session.scalars(select(WorkspaceRow.tags).where(WorkspaceRow.organization == organization))
    counts = Counter(key for row in rows for key in row)
    related = Related(type="organizations", id=organization)
    return [
        Tag(id=tag_id(organization, name), name=name, instance_count=number, organization=related)
        for name, number in sorted(counts.items())
    ]


def tag_id(organization: str, name: str) -> str:
    """The id of a tag, the same in all workspaces of an organization."""
    return _id("tag", organization, name)


def _id(prefix: str, owner: str, key: str) -> str:
    return f"{prefix}-{hashlib.sha256(f'{owner}/{key}'.encode()).hexdigest()[:16]}"
