"""The tags of workspaces, with a value and without. Source: HCP Terraform API, "Workspaces", "Get tags" and following.

A tag without a value is a tag binding whose value is empty, so that both kinds of clients see all tags.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from tfruns.errors import BadRequest, NotFound, UnprocessableEntity
from tfruns.jsonapi import JSON
from tfruns.local.api.request import Attributes, Call, validated
from tfruns.local.api.response import Reply, list_reply
from tfruns.local.service.find import find_organization, find_workspace, lock_workspace
from tfruns.local.store.schema import WorkspaceRow
from tfruns.wire.base import Related, Resource
from tfruns.wire.workspaces import EffectiveTagBinding, Tag, TagBinding

_MAX_BINDINGS = 10
_CHARACTERS = r"^[\w.=+\-@:]*$"


class _Tag(Attributes):
    """A tag by its name, or a binding by its key. Source: "Workspaces", "Tag bindings"; "Organization tags"."""

    name: Annotated[str, Field(max_length=255, pattern=_CHARACTERS)] | None = None
    key: Annotated[str, Field(max_length=128, pattern=_CHARACTERS)] | None = None
    value: Annotated[str, Field(max_length=256, pattern=_CHARACTERS)] | None = None


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
            _check_number(found if name == "tag-bindings" else {})
    return found


def _check_number(bindings: Mapping[str, str]) -> None:
    if len(bindings) > _MAX_BINDINGS:
        raise UnprocessableEntity(f"A workspace can have {_MAX_BINDINGS} tag bindings, and this would be the next.")


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
    added = _tags(_items(call))

    def changed(_: Session, row: WorkspaceRow) -> dict[str, str]:
        _check_number(row.tags | added)
        return row.tags | added

    return _whole_list(call, tag_bindings(_change(call, changed)))


def add_tags(call: Call) -> Reply:
    """POST /workspaces/:workspace_id/relationships/tags -> 204; by name or by id. The others keep their values."""
    ids, names = _ids_and_names(call)

    def changed(session: Session, row: WorkspaceRow) -> dict[str, str]:
        known = {tag.id: tag.name for tag in organization_tags(session, row.organization)}
        if not ids <= known.keys():
            raise NotFound("not found")
        return row.tags | {name: row.tags.get(name, "") for name in (*names, *(known[id_] for id_ in sorted(ids)))}

    _change(call, changed)
    return Reply(204)


def remove_tags(call: Call) -> Reply:
    """DELETE /workspaces/:workspace_id/relationships/tags -> 204; by id or by name, also what is not there."""
    ids, names = _ids_and_names(call)

    def remaining(_: Session, row: WorkspaceRow) -> dict[str, str]:
        return {
            key: value
            for key, value in row.tags.items()
            if key not in names and tag_id(row.organization, key) not in ids
        }

    _change(call, remaining)
    return Reply(204)


def list_organization_tags(call: Call) -> Reply:
    """GET /organizations/:organization/tags -> 200, with the number of workspaces that have each."""
    page = call.page()
    text, without = call.query.get("q", "").casefold(), call.query.get("filter[exclude][taggable][id]", "")
    with call.backend.database.read() as session:
        name = find_organization(session, call.path["organization"]).name
        excluded = session.get(WorkspaceRow, without)
        found = [
            tag
            for tag in organization_tags(session, name)
            if text in tag.name.casefold() and not (excluded and tag.name in excluded.tags)
        ]
    return list_reply(found[page.offset : page.offset + page.size], page, total=len(found))


def remove_organization_tags(call: Call) -> Reply:
    """DELETE /organizations/:organization/tags -> 204; they are removed from all workspaces."""
    ids, _ = _ids_and_names(call)
    with call.backend.database.write() as write:
        name = find_organization(write.session, call.path["organization"]).name
        for row in write.session.scalars(select(WorkspaceRow).where(WorkspaceRow.organization == name)):
            row.tags = {key: value for key, value in row.tags.items() if tag_id(name, key) not in ids}
    return Reply(204)


def add_workspaces_to_tag(call: Call) -> Reply:
    """POST /tags/:id/relationships/workspaces -> 204."""
    ids, _ = _ids_and_names(call)
    with call.backend.database.write() as write:
        for id_ in sorted(ids):
            row = lock_workspace(write.session, id_)
            known = {tag.id: tag.name for tag in organization_tags(write.session, row.organization)}
            if call.path["id"] not in known:
                raise NotFound("not found")
            row.tags = {known[call.path["id"]]: "", **row.tags}
    return Reply(204)


def _ids_and_names(call: Call) -> tuple[set[str], list[str]]:
    """What a list of tags or workspaces names by id, and the tags that it names otherwise."""
    items = _items(call)
    ids = {id_ for item in items if isinstance(id_ := item.get("id"), str) and id_}
    return ids, list(_tags([item for item in items if not item.get("id")]))


def _items(call: Call) -> Sequence[JSON]:
    items = call.document().get("data")
    if not isinstance(items, list):
        raise BadRequest('The body has no list of resource objects. Send {"data": [{"type": "tags", …}]}.')
    if not all(isinstance(item, dict) for item in items):
        raise UnprocessableEntity("data has to be a list of objects, each with a type and an id or attributes.")
    return items


def _change(call: Call, changed: Callable[[Session, WorkspaceRow], dict[str, str]]) -> WorkspaceRow:
    with call.backend.database.write() as write:
        row = lock_workspace(write.session, find_workspace(write.session, call.path["workspace_id"]).id)
        row.tags = changed(write.session, row)
        return row


def tag_bindings(row: WorkspaceRow) -> list[TagBinding]:
    """The tags with their values."""
    return [
        TagBinding(id=_id("tb", row.id, key), key=key, value=value, created_at=row.created_at)
        for key, value in row.tags.items()
    ]


def effective_tag_bindings(row: WorkspaceRow) -> list[EffectiveTagBinding]:
    """The same: the one project has no tags to be inherited."""
    return [EffectiveTagBinding(id=_id("tb", row.id, key), key=key, value=value) for key, value in row.tags.items()]


def tags(row: WorkspaceRow) -> list[Tag]:
    """The tags without a value."""
    organization = Related(type="organizations", id=row.organization)
    return [
        Tag(id=tag_id(row.organization, key), name=key, organization=organization)
        for key, value in row.tags.items()
        if not value
    ]


def organization_tags(session: Session, organization: str) -> list[Tag]:
    """The tags of an organization's workspaces, by name, with the number of workspaces that have each."""
    rows = session.scalars(select(WorkspaceRow.tags).where(WorkspaceRow.organization == organization))
    counts = Counter(key for row in rows for key in row)
    related = Related(type="organizations", id=organization)
    return [
        Tag(id=tag_id(organization, name), name=name, instance_count=number, organization=related)
        for name, number in sorted(counts.items())
    ]


def tag_id(organization: str, name: str) -> str:
    """The id of a tag, which is the same in all workspaces of an organization."""
    return _id("tag", organization, name)


def _id(prefix: str, owner: str, key: str) -> str:
    return f"{prefix}-{hashlib.sha256(f'{owner}/{key}'.encode()).hexdigest()[:16]}"
