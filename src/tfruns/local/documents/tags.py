"""The tags of a workspace. Their ids follow from what they are, since nothing else is kept of them."""

import hashlib
from collections import Counter

from sqlalchemy import select
from sqlalchemy.orm import Session

from tfruns.local.store.schema import WorkspaceRow
from tfruns.wire.base import Related
from tfruns.wire.workspaces import EffectiveTagBinding, Tag, TagBinding


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
