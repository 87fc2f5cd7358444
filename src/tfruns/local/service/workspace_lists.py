"""Lists of workspaces, with the filters and searches of the API. Source: HCP Terraform API, "List workspaces"."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy import ColumnElement, false, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from tfruns.errors import BadRequest
from tfruns.local.store.schema import OrganizationRow, RunRow, StateVersionRow, WorkspaceRow

_TAGGED = re.compile(r"filter\[tagged\]\[(\w+)\]\[(key|value)\]")


class _Query(Protocol):
    @property
    def query(self) -> Mapping[str, str]: ...

    def words(self, name: str) -> list[str]: ...


def search_workspaces(session: Session, organization: OrganizationRow, call: _Query) -> Sequence[WorkspaceRow]:
    """The workspaces of an organization that a request asks for, in its order; by name if it names none.

    Raises:
        BadRequest: 400, an order that there is not.
    """
    conditions = [WorkspaceRow.organization == organization.name, *_conditions(organization, call)]
    rows = session.scalars(select(WorkspaceRow).where(*conditions).order_by(WorkspaceRow.name)).all()
    return _sorted(session, [row for row in rows if _has_tags(row, call)], call.query.get("sort", ""))


def _conditions(organization: OrganizationRow, call: _Query) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    name, pattern = call.query.get("search[name]", ""), call.query.get("search[wildcard-name]", "")
    if name:
        conditions.append(WorkspaceRow.name.icontains(name, autoescape=True))
    if pattern:
        escaped = pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("*", "%")
        conditions.append(WorkspaceRow.name.ilike(escaped, escape="\\"))
    projects = call.words("filter[project][id]")
    if projects and organization.default_project_id not in projects:
        conditions.append(false())
    statuses = call.words("filter[current-run][status]")
    if statuses:
        current = select(RunRow.id).where(RunRow.id == WorkspaceRow.current_run_id, RunRow.status.in_(statuses))
        conditions.append(current.exists())
    return conditions


def _has_tags(row: WorkspaceRow, call: _Query) -> bool:
    """Tags are asked for by key, by key and value, or with both in one word."""
    names = set(row.tags) | {f"{key}:{value}" for key, value in row.tags.items() if value}
    wanted: dict[str, dict[str, str]] = {}
    for name, text in call.query.items():
        found = _TAGGED.fullmatch(name)
        if found and text:
            wanted.setdefault(found[1], {})[found[2]] = text
    return (
        names.issuperset(call.words("search[tags]"))
        and names.isdisjoint(call.words("search[exclude-tags]"))
        and all(_is_tagged(row.tags, tag) for tag in wanted.values())
    )


def _is_tagged(tags: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return any(wanted.get("key", key) == key and wanted.get("value", value) == value for key, value in tags.items())


def _sorted(session: Session, rows: Sequence[WorkspaceRow], order: str) -> Sequence[WorkspaceRow]:
    by = order.removeprefix("-")
    if by not in {"", "name", *_TIMES}:
        raise BadRequest(f"sort has to be name, {' or '.join(_TIMES)}, perhaps with a - before it.")
    times = _times(session, by)
    return sorted(
        [row for row in rows if row.id in times] if by == "current-run.created-at" else rows,
        key=lambda row: (times.get(row.id, row.created_at), row.name) if by in _TIMES else row.name,
        reverse=order.startswith("-"),
    )


_TIMES: Mapping[str, tuple[InstrumentedAttribute[datetime], ColumnElement[bool]]] = {
    "current-run.created-at": (RunRow.created_at, RunRow.id == WorkspaceRow.current_run_id),
    "latest-change-at": (StateVersionRow.created_at, StateVersionRow.id == WorkspaceRow.current_state_version_id),
}


def _times(session: Session, by: str) -> dict[str, datetime]:
    """The time by which each workspace is sorted. One without a state is sorted by its own; one without a run is not
    in a list that is sorted by runs.
    """
    if by not in _TIMES:
        return {}
    time, condition = _TIMES[by]
    return dict(session.execute(select(WorkspaceRow.id, time).where(condition)).all())
