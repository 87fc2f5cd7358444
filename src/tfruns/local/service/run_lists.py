"""Lists of runs, with every filter and search of the API, fast in a database of a million runs.

Source: HCP Terraform API, "List Runs in a Workspace", "List Runs in an Organization".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, Self

from sqlalchemy import ColumnElement, false, func, or_, select
from sqlalchemy.orm import Session

from tfruns.errors import BadRequest
from tfruns.lifecycle import statuses_in
from tfruns.local.backend import Backend
from tfruns.local.store.schema import RunCountRow, RunRow, WorkspaceRow
from tfruns.vocabulary import RunOperation, StatusGroup

_YEAR = timedelta(days=365)


class _Query(Protocol):
    @property
    def query(self) -> Mapping[str, str]: ...

    def words(self, name: str) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Which runs are wanted: those of a workspace or of an organization, narrowed by filters that are not empty."""

    workspace_id: str | None = None
    organization: str | None = None
    operations: Sequence[str] = ()
    statuses: Sequence[str] = ()
    sources: Sequence[str] = ()
    status_group: str = ""
    timeframe: str = ""
    workspace_names: Sequence[str] = ()
    is_by_agent_pool: bool = False
    user: str = ""
    commit: str = ""
    basic: str = ""

    @classmethod
    def from_call(cls, call: _Query, *, workspace_id: str | None = None, organization: str | None = None) -> Self:
        """What a request asks for."""
        query = call.query
        return cls(
            workspace_id=workspace_id,
            organization=organization,
            operations=call.words("filter[operation]"),
            statuses=call.words("filter[status]"),
            sources=call.words("filter[source]"),
            status_group=query.get("filter[status_group]", ""),
            timeframe=query.get("filter[timeframe]", ""),
            workspace_names=call.words("filter[workspace_names]"),
            is_by_agent_pool=bool(call.words("filter[agent_pool_names]")),
            user=query.get("search[user]", ""),
            commit=query.get("search[commit]", ""),
            basic=query.get("search[basic]", ""),
        )


@dataclass(frozen=True, slots=True)
class FoundRuns:
    """A page of runs. The total is None for an organization, whose lists have none."""

    runs: Sequence[RunRow]
    has_more: bool
    total: int | None


def list_runs(backend: Backend, session: Session, query: RunQuery, offset: int, size: int) -> FoundRuns:
    """The runs that are wanted, the newest first.

    Raises:
        BadRequest: 400, an unknown status group or a timeframe that cannot be.
    """
    conditions = [*_scope(query), *_filters(backend, session, query)]
    statement = select(RunRow).where(*conditions).order_by(RunRow.sequence.desc()).offset(offset).limit(size + 1)
    found = session.scalars(statement).all()
    total = _total(session, query, conditions) if query.workspace_id is not None else None
    return FoundRuns(found[:size], len(found) > size, total)


def _scope(query: RunQuery) -> list[ColumnElement[bool]]:
    if query.workspace_id is not None:
        return [RunRow.workspace_id == query.workspace_id]
    return [RunRow.organization == query.organization]


def _filters(backend: Backend, session: Session, query: RunQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    operations = _operations(query)
    if operations is not None:
        conditions.append(RunRow.operation.in_(operations))
    statuses = _statuses(query)
    if statuses is not None:
        conditions.append(RunRow.status.in_(statuses))
    if query.sources:
        conditions.append(RunRow.source.in_(query.sources))
    if query.workspace_names:
        conditions.append(RunRow.workspace_id.in_(_workspaces(session, query)))
    if query.is_by_agent_pool:
        conditions.append(false())  # there are no agents here
    conditions += _timeframe(query, backend.now())
    conditions += _search(query)
    return conditions


def _operations(query: RunQuery) -> Sequence[str] | None:
    """Run API: plan-only runs are left out unless they are asked for. An organization's list has them."""
    if query.operations:
        return query.operations
    if query.workspace_id is None:
        return None
    return [operation for operation in RunOperation if operation is not RunOperation.PLAN_ONLY]


def _statuses(query: RunQuery) -> Sequence[str] | None:
    if not query.status_group:
        return query.statuses or None
    try:
        in_group = statuses_in(StatusGroup(query.status_group))
    except ValueError:
        raise BadRequest(f"filter[status_group] has to be one of {', '.join(StatusGroup)}.") from None
    return [status for status in in_group if not query.statuses or status in query.statuses]


def _workspaces(session: Session, query: RunQuery) -> Sequence[str]:
    return session.scalars(
        select(WorkspaceRow.id).where(
            WorkspaceRow.organization == query.organization, WorkspaceRow.name.in_(query.workspace_names)
        )
    ).all()


def _timeframe(query: RunQuery, now: datetime) -> list[ColumnElement[bool]]:
    """A year, or the last one; an organization's list is of the last year where nothing is said."""
    text = query.timeframe or ("year" if query.organization is not None else "")
    if not text:
        return []
    if text == "year":
        return [RunRow.created_at >= now - _YEAR]
    if len(text) != 4 or not text.isascii() or not text.isdigit() or text == "0000":
        raise BadRequest("filter[timeframe] has to be a year or 'year'.")
    start = now.replace(year=int(text), month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    end = start.replace(year=start.year + 1) if start.year < 9999 else now
    return [RunRow.created_at >= start, RunRow.created_at < end]


def _search(query: RunQuery) -> list[ColumnElement[bool]]:
    """There are no users and commits of version control: a search for them finds nothing, and overrides `basic`."""
    if query.user or query.commit:
        return [false()]
    if not query.basic:
        return []
    return [or_(RunRow.id == query.basic, RunRow.message.icontains(query.basic, autoescape=True))]


def _total(session: Session, query: RunQuery, conditions: Sequence[ColumnElement[bool]]) -> int:
    """How many there are in all: kept where only operation and status narrow the list, counted otherwise."""
    is_searched = query.user or query.commit or query.basic
    is_kept = not (query.sources or query.is_by_agent_pool or query.timeframe or is_searched)
    if not is_kept:
        return session.scalar(select(func.count()).select_from(RunRow).where(*conditions)) or 0
    statement = select(func.sum(RunCountRow.runs)).where(RunCountRow.workspace_id == query.workspace_id)
    operations, statuses = _operations(query), _statuses(query)
    if operations is not None:
        statement = statement.where(RunCountRow.operation.in_(operations))
    if statuses is not None:
        statement = statement.where(RunCountRow.status.in_(statuses))
    return session.scalar(statement) or 0
