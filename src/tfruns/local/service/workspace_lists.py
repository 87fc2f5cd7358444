"""Lists of workspaces with the API's filters and searches. Source: HCP Terraform API, "List workspaces"."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Row, bindparam, false, select
from sqlalchemy.orm import InstrumentedAttribute

from tfruns.errors import BadRequest
from tfruns.local.store.database import AnySession
from tfruns.local.store.schema import OrganizationRow, RunRow, StateVersionRow, WorkspaceRow

_TAGGED = re.compile(r"filter\[tagged\]\[(\w+)\]\[(key|value)\]")


class _Query(Protocol):
    @property
    def query(self) -> Mapping[str, str]: ...

    def words(self, name: str) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class FoundWorkspaces:
    """A page of workspaces, and the total number of matching workspaces."""

    rows: Sequence[WorkspaceRow]
    total: int


def search_workspaces(
    session: AnySession, organization: OrganizationRow, request: _Query, offset: int, size: int
) -> FoundWorkspaces:
    """A page of the matching workspaces of an organization, in the requested order. Default: by name.

    The search reads only the columns that it needs; complete rows are loaded only for the page.

    Raises:
        BadRequest: 400, the requested order is unknown.
    """
    conditions = _conditions(organization, request)
    statement = _SEARCHED.where(*conditions) if conditions else _SEARCHED
    found = session.execute(statement, {"organization": organization.name}).all()
    is_wanted = _tag_filter(request)
    ordered = _sorted(session, [row for row in found if is_wanted(row.tags)], request.query.get("sort", ""))
    ids = [row.id for row in ordered[offset : offset + size]]
    rows = {row.id: row for row in session.scalars(_BY_ID, {"ids": ids})}
    return FoundWorkspaces([rows[id_] for id_ in ids], len(ordered))


# Built once, because building a statement takes longer than executing it.
_SEARCHED = select(WorkspaceRow.id, WorkspaceRow.name, WorkspaceRow.tags, WorkspaceRow.created_at).where(
    WorkspaceRow.organization == bindparam("organization")
)
_BY_ID = select(WorkspaceRow).where(WorkspaceRow.id.in_(bindparam("ids", expanding=True)))


def _conditions(organization: OrganizationRow, request: _Query) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    name, pattern = request.query.get("search[name]", ""), request.query.get("search[wildcard-name]", "")
    if name:
        conditions.append(WorkspaceRow.name.icontains(name, autoescape=True))
    if pattern:
        escaped = pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("*", "%")
        conditions.append(WorkspaceRow.name.ilike(escaped, escape="\\"))
    projects = request.words("filter[project][id]")
    if projects and organization.default_project_id not in projects:
        conditions.append(false())
    statuses = request.words("filter[current-run][status]")
    if statuses:
        current = select(RunRow.id).where(RunRow.id == WorkspaceRow.current_run_id, RunRow.status.in_(statuses))
        conditions.append(current.exists())
    return conditions


def _tag_filter(request: _Query) -> Callable[[Mapping[str, str]], bool]:
    """A function that checks tags against the filters: by key, by key and value, or by `key:value`."""
    wanted: dict[str, dict[str, str]] = {}
    for name, text in request.query.items():
        found = _TAGGED.fullmatch(name)
        if found and text:
            wanted.setdefault(found[1], {})[found[2]] = text
    required, excluded = request.words("search[tags]"), request.words("search[exclude-tags]")

    def is_wanted(tags: Mapping[str, str]) -> bool:
        names = set(tags) | {f"{key}:{value}" for key, value in tags.items() if value}
        return (
            names.issuperset(required)
            and names.isdisjoint(excluded)
            and all(_is_tagged(tags, tag) for tag in wanted.values())
        )

    return is_wanted


def _is_tagged(tags: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return any(wanted.get("key", key) == key and wanted.get("value", value) == value for key, value in tags.items())


def _sorted(session: AnySession, rows: Sequence[Row[Any]], order: str) -> Sequence[Row[Any]]:
    by = order.removeprefix("-")
    if by not in {"", "name", *_TIMES}:
        raise BadRequest(f"sort is invalid: use name, {' or '.join(_TIMES)}. A leading - reverses the order.")
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


def _times(session: AnySession, by: str) -> dict[str, datetime]:
    """The time by which each workspace is sorted.

    A workspace without a state is sorted by its creation; one without a run is not in a list that is sorted by runs.
    """
    if by not in _TIMES:
        return {}
    time, condition = _TIMES[by]
    return dict(session.execute(select(WorkspaceRow.id, time).where(condition)).all())
