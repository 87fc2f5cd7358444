"""Lists of runs with the API's filters and searches, fast with a million runs.

Source: HCP Terraform API, "List Runs in a Workspace", "List Runs in an Organization".
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import product
from typing import Any, Protocol, Self

from sqlalchemy import ColumnElement, CompoundSelect, Select, bindparam, false, func, select, union_all

from tfruns.errors import BadRequest
from tfruns.lifecycle import statuses_in
from tfruns.local.backend import Backend
from tfruns.local.store.database import AnySession
from tfruns.local.store.schema import RunCountRow, RunRow, WorkspaceRow
from tfruns.vocabulary import RunOperation, RunSource, RunStatus, StatusGroup

_RUN_ID = re.compile(r"run-[A-Za-z0-9]{16}")
_YEAR = timedelta(days=365)


class _Query(Protocol):
    @property
    def query(self) -> Mapping[str, str]: ...

    def words(self, name: str) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class RunQuery:
    """A query for the runs of a workspace or an organization, with filters.

    An omitted filter is None. Unknown values in a filter are ignored; a filter with only unknown values matches no run.
    """

    workspace_id: str | None = None
    organization: str | None = None
    operations: Sequence[str] | None = None
    statuses: Sequence[str] | None = None
    sources: Sequence[str] | None = None
    status_group: str = ""
    timeframe: str = ""
    workspace_names: Sequence[str] | None = None
    is_by_agent_pool: bool = False
    user: str = ""
    commit: str = ""
    search: str = ""

    @classmethod
    def from_request(cls, request: _Query, *, workspace_id: str | None = None, organization: str | None = None) -> Self:
        """The query of a request."""
        query = request.query
        return cls(
            workspace_id=workspace_id,
            organization=organization,
            operations=_known(request, "filter[operation]", RunOperation),
            statuses=_known(request, "filter[status]", RunStatus),
            sources=_known(request, "filter[source]", RunSource),
            status_group=query.get("filter[status_group]", ""),
            timeframe=query.get("filter[timeframe]", ""),
            workspace_names=list(dict.fromkeys(request.words("filter[workspace_names]"))) or None,
            is_by_agent_pool=bool(request.words("filter[agent_pool_names]")),
            user=query.get("search[user]", ""),
            commit=query.get("search[commit]", ""),
            search=query.get("search[basic]", ""),
        )


def _known(request: _Query, name: str, vocabulary: Iterable[str]) -> list[str] | None:
    """The values of a filter that are in the vocabulary, without duplicates; None for an empty filter."""
    requested = set(request.words(name))
    return [word for word in vocabulary if word in requested] if requested else None


@dataclass(frozen=True, slots=True)
class FoundRuns:
    """A page of runs. `total` is None for an organization, whose lists have no total."""

    runs: Sequence[RunRow]
    has_more: bool
    total: int | None


def list_runs(backend: Backend, session: AnySession, query: RunQuery, offset: int, size: int) -> FoundRuns:
    """A page of the matching runs, newest first.

    Raises:
        BadRequest: 400, the status group is unknown, or the timeframe is invalid.
    """
    pairs = _pairs(session, query)
    values = _values(backend, session, query)
    page = {"offset": offset, "limit": size + 1}
    found = session.execute(_page(pairs, tuple(values)), {**values, **page}) if pairs else ()
    sequences = [row.sequence for row in found]
    return FoundRuns(
        session.scalars(_BY_SEQUENCE, {"sequences": sequences[:size]}).all(),
        has_more=len(sequences) > size,
        total=_total(session, query, pairs, values) if query.workspace_id is not None else None,
    )


_BY_SEQUENCE = (
    select(RunRow)
    .where(RunRow.sequence.in_(bindparam("sequences", expanding=True)))
    .order_by(RunRow.created_at.desc(), RunRow.sequence.desc())
)

_OperationStatus = tuple[str | None, str | None]
"""An operation and a status. None matches any."""

_CONDITIONS: Mapping[str, ColumnElement[bool]] = {
    "workspace": RunRow.workspace_id == bindparam("workspace"),
    "organization": RunRow.organization == bindparam("organization"),
    "sources": RunRow.source.in_(bindparam("sources", expanding=True)),
    "workspaces": RunRow.workspace_id.in_(bindparam("workspaces", expanding=True)),
    "since": RunRow.created_at >= bindparam("since"),
    "until": RunRow.created_at < bindparam("until"),
    "id": RunRow.id == bindparam("id"),
    "operations": RunRow.operation.in_(bindparam("operations", expanding=True)),
    "statuses": RunRow.status.in_(bindparam("statuses", expanding=True)),
    "text": RunRow.message.icontains(bindparam("text"), escape="/"),
    "nothing": false(),
}
"""The filters of a list besides operation and status. `_values` returns their values."""


@lru_cache(maxsize=256)
def _page(pairs: Sequence[_OperationStatus], conditions: Sequence[str]) -> CompoundSelect[Any]:
    """A page of the runs with these operations and statuses, by their sequence.

    An index returns the runs of one operation and status in the order of the list, but not those of several (`IN`): the
    database would read and sort all of them, a million for a page of twenty. Therefore each pair has its own query, and
    the database merges the queries and stops at the end of the page.

    Statements are cached, because building one takes longer than executing it.
    """
    found = _of_pairs(pairs, conditions)
    columns = found.selected_columns
    # Only the union itself is ordered: SQLite would sort a whole subquery.
    newest = found.order_by(columns.created_at.desc(), columns.sequence.desc())
    return newest.offset(bindparam("offset")).limit(bindparam("limit"))


@lru_cache(maxsize=256)
def _number(pairs: Sequence[_OperationStatus], conditions: Sequence[str]) -> Select[int]:
    return select(func.count()).select_from(_of_pairs(pairs, conditions).subquery())


def _of_pairs(pairs: Sequence[_OperationStatus], conditions: Sequence[str]) -> CompoundSelect[Any]:
    queries = []
    for operation, status in pairs:
        statement = select(RunRow.sequence, RunRow.created_at).where(*(_CONDITIONS[name] for name in conditions))
        if operation is not None:
            statement = statement.where(RunRow.operation == operation)
        if status is not None:
            statement = statement.where(RunRow.status == status)
        queries.append(statement)
    return union_all(*queries)


def _pairs(session: AnySession, query: RunQuery) -> tuple[_OperationStatus, ...]:
    """The operations and statuses to query. For a workspace, only those that its counts contain."""
    operations, statuses = _operations(query), _statuses(query)
    if query.search and _RUN_ID.fullmatch(query.search):
        return ((None, None),)  # the id suffices, see `_search`
    if query.workspace_id is not None and statuses is not None:
        counts = _counts(query, RunCountRow.operation, RunCountRow.status).where(RunCountRow.runs > 0)
        return tuple((operation, status) for operation, status in session.execute(counts))
    any_one: Sequence[str | None] = [None]
    return tuple(product(any_one if operations is None else operations, any_one if statuses is None else statuses))


def _counts(query: RunQuery, *columns: Any) -> Select[Any]:
    """The stored counts of a workspace's runs with the requested operations and statuses."""
    statement = select(*columns).where(RunCountRow.workspace_id == query.workspace_id)
    operations, statuses = _operations(query), _statuses(query)
    if operations is not None:
        statement = statement.where(RunCountRow.operation.in_(operations))
    return statement if statuses is None else statement.where(RunCountRow.status.in_(statuses))


def _values(backend: Backend, session: AnySession, query: RunQuery) -> dict[str, Any]:
    """The values for `_CONDITIONS`: the filters besides operation and status."""
    values: dict[str, Any] = (
        {"organization": query.organization} if query.workspace_id is None else {"workspace": query.workspace_id}
    )
    if query.sources is not None:
        values["sources"] = query.sources
    if query.workspace_names is not None:
        values["workspaces"] = _workspaces(session, query)
    if query.is_by_agent_pool:
        values["nothing"] = True  # this backend has no agents
    return values | _timeframe(query, backend.now()) | _search(query)


def _operations(query: RunQuery) -> Sequence[str] | None:
    """Run API: the list of a workspace excludes plan-only runs unless requested. An organization's does not."""
    if query.operations is not None:
        return query.operations
    if query.workspace_id is None:
        return None
    return [operation for operation in RunOperation if operation is not RunOperation.PLAN_ONLY]


def _statuses(query: RunQuery) -> Sequence[str] | None:
    if not query.status_group:
        return query.statuses
    try:
        in_group = statuses_in(StatusGroup(query.status_group))
    except ValueError:
        raise BadRequest(f"filter[status_group] is invalid: use one of {', '.join(StatusGroup)}.") from None
    return [status for status in in_group if query.statuses is None or status in query.statuses]


def _workspaces(session: AnySession, query: RunQuery) -> Sequence[str]:
    names = set(query.workspace_names or ())
    rows = session.execute(
        select(WorkspaceRow.id, WorkspaceRow.name).where(WorkspaceRow.organization == query.organization)
    )
    return [id_ for id_, name in rows if name in names]  # thousands of names would be too many SQL parameters


def _timeframe(query: RunQuery, now: datetime) -> dict[str, datetime]:
    """A calendar year, or the last 365 days, which is the default for the list of an organization."""
    text = query.timeframe or ("year" if query.organization is not None else "")
    if not text:
        return {}
    if text == "year":
        return {"since": now - _YEAR}
    if len(text) != 4 or not text.isascii() or not text.isdigit() or text == "0000":
        raise BadRequest("filter[timeframe] is invalid: use 'year' or a year with four digits, such as 2026.")
    start = now.replace(year=int(text), month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    return {"since": start, "until": start.replace(year=start.year + 1) if start.year < 9999 else now}


def _search(query: RunQuery) -> dict[str, Any]:
    """The condition of a search.

    This backend has no version control: a search for its users or commits matches no run, and overrides `search`. A
    complete run id matches that run. Any other text is searched for in all messages.
    """
    if query.user or query.commit:
        return {"nothing": True}
    if not query.search:
        return {}
    if _RUN_ID.fullmatch(query.search):
        found = {"id": query.search, "operations": _operations(query), "statuses": _statuses(query)}
        return {name: value for name, value in found.items() if value is not None}
    return {"text": query.search.replace("/", "//").replace("%", "/%").replace("_", "/_")}


def _total(session: AnySession, query: RunQuery, pairs: Sequence[_OperationStatus], values: Mapping[str, Any]) -> int:
    """The total number of matching runs: from the stored counts if only operation and status are filtered."""
    if values.keys() == {"workspace"}:
        return session.scalar(_counts(query, func.sum(RunCountRow.runs))) or 0
    return session.scalar(_number(tuple(pairs), tuple(values)), dict(values)) or 0 if pairs else 0
