"""Lists of runs, with every filter and search of the API, fast in a database of a million runs.

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
from sqlalchemy.orm import Session

from tfruns.errors import BadRequest
from tfruns.lifecycle import statuses_in
from tfruns.local.backend import Backend
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
    """Which runs are wanted: those of a workspace or of an organization, narrowed by filters.

    A filter that was not given is None. Of one that was given, the known words count, each once; a filter of unknown
    words alone finds nothing.
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
    basic: str = ""

    @classmethod
    def from_call(cls, call: _Query, *, workspace_id: str | None = None, organization: str | None = None) -> Self:
        """What a request asks for."""
        query = call.query
        return cls(
            workspace_id=workspace_id,
            organization=organization,
            operations=_known(call, "filter[operation]", RunOperation),
            statuses=_known(call, "filter[status]", RunStatus),
            sources=_known(call, "filter[source]", RunSource),
            status_group=query.get("filter[status_group]", ""),
            timeframe=query.get("filter[timeframe]", ""),
            workspace_names=list(dict.fromkeys(call.words("filter[workspace_names]"))) or None,
            is_by_agent_pool=bool(call.words("filter[agent_pool_names]")),
            user=query.get("search[user]", ""),
            commit=query.get("search[commit]", ""),
            basic=query.get("search[basic]", ""),
        )


def _known(call: _Query, name: str, vocabulary: Iterable[str]) -> list[str] | None:
    """The words of a filter that are in the vocabulary, each once; None for a filter without words."""
    asked = set(call.words(name))
    return [word for word in vocabulary if word in asked] if asked else None


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
    kinds = _kinds(session, query)
    values = _values(backend, session, query)
    page = {"offset": offset, "limit": size + 1}
    sequences = session.scalars(_page(kinds, tuple(values)), {**values, **page}).all() if kinds else []
    return FoundRuns(
        session.scalars(_BY_SEQUENCE, {"sequences": sequences[:size]}).all(),
        has_more=len(sequences) > size,
        total=_total(session, query, kinds, values) if query.workspace_id is not None else None,
    )


_BY_SEQUENCE = (
    select(RunRow)
    .where(RunRow.sequence.in_(bindparam("sequences", expanding=True)))
    .order_by(RunRow.created_at.desc(), RunRow.sequence.desc())
)

_Kind = tuple[str | None, str | None]
"""An operation and a status; None is any."""

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
"""What a list can be narrowed by, beside the kinds of its runs; the values are in `_values`."""


@lru_cache(maxsize=256)
def _page(kinds: Sequence[_Kind], conditions: Sequence[str]) -> CompoundSelect[Any]:
    """A page of the runs of these kinds, by their sequence. Kept, since to build it takes longer than to execute it.

    An index gives the runs of one kind in the order of the list, but not those of several (`IN`): they would all be
    read and sorted, a million for a page of twenty. So each kind is a query of its own, and the database merges them
    and stops where the page ends.
    """
    found = _of_kinds(kinds, conditions)
    columns = found.selected_columns
    # The order has to be that of the union itself: SQLite sorts a subquery as a whole.
    newest = found.order_by(columns.created_at.desc(), columns.sequence.desc())
    return newest.offset(bindparam("offset")).limit(bindparam("limit"))


@lru_cache(maxsize=256)
def _number(kinds: Sequence[_Kind], conditions: Sequence[str]) -> Select[int]:
    return select(func.count()).select_from(_of_kinds(kinds, conditions).subquery())


def _of_kinds(kinds: Sequence[_Kind], conditions: Sequence[str]) -> CompoundSelect[Any]:
    queries = []
    for operation, status in kinds:
        statement = select(RunRow.sequence, RunRow.created_at).where(*(_CONDITIONS[name] for name in conditions))
        if operation is not None:
            statement = statement.where(RunRow.operation == operation)
        if status is not None:
            statement = statement.where(RunRow.status == status)
        queries.append(statement)
    return union_all(*queries)


def _kinds(session: Session, query: RunQuery) -> tuple[_Kind, ...]:
    """The kinds of runs that are wanted; of a workspace those alone that it has, since that is known."""
    operations, statuses = _operations(query), _statuses(query)
    if query.basic and _RUN_ID.fullmatch(query.basic):
        return ((None, None),)  # it is found by itself, see `_search`
    if query.workspace_id is not None and statuses is not None:
        counts = _counts(query, RunCountRow.operation, RunCountRow.status).where(RunCountRow.runs > 0)
        return tuple((operation, status) for operation, status in session.execute(counts))
    any_one: Sequence[str | None] = [None]
    return tuple(product(any_one if operations is None else operations, any_one if statuses is None else statuses))


def _counts(query: RunQuery, *columns: Any) -> Select[Any]:
    """What is kept of the numbers of a workspace's runs, of the wanted operations and statuses."""
    statement = select(*columns).where(RunCountRow.workspace_id == query.workspace_id)
    operations, statuses = _operations(query), _statuses(query)
    if operations is not None:
        statement = statement.where(RunCountRow.operation.in_(operations))
    return statement if statuses is None else statement.where(RunCountRow.status.in_(statuses))


def _values(backend: Backend, session: Session, query: RunQuery) -> dict[str, Any]:
    """What the runs have to be, beside their operation and status: the values of `_CONDITIONS`."""
    values: dict[str, Any] = (
        {"organization": query.organization} if query.workspace_id is None else {"workspace": query.workspace_id}
    )
    if query.sources is not None:
        values["sources"] = query.sources
    if query.workspace_names is not None:
        values["workspaces"] = _workspaces(session, query)
    if query.is_by_agent_pool:
        values["nothing"] = True  # there are no agents here
    return values | _timeframe(query, backend.now()) | _search(query)


def _operations(query: RunQuery) -> Sequence[str] | None:
    """Run API: plan-only runs are left out unless they are asked for. An organization's list has them."""
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
        raise BadRequest(f"filter[status_group] has to be one of {', '.join(StatusGroup)}.") from None
    return [status for status in in_group if query.statuses is None or status in query.statuses]


def _workspaces(session: Session, query: RunQuery) -> Sequence[str]:
    names = set(query.workspace_names or ())
    rows = session.execute(
        select(WorkspaceRow.id, WorkspaceRow.name).where(WorkspaceRow.organization == query.organization)
    )
    return [id_ for id_, name in rows if name in names]  # in SQL, thousands of names would be too many parameters


def _timeframe(query: RunQuery, now: datetime) -> dict[str, datetime]:
    """A year, or the last one, which is the default of an organization's list."""
    text = query.timeframe or ("year" if query.organization is not None else "")
    if not text:
        return {}
    if text == "year":
        return {"since": now - _YEAR}
    if len(text) != 4 or not text.isascii() or not text.isdigit() or text == "0000":
        raise BadRequest("filter[timeframe] has to be a year or 'year'.")
    start = now.replace(year=int(text), month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    return {"since": start, "until": start.replace(year=start.year + 1) if start.year < 9999 else now}


def _search(query: RunQuery) -> dict[str, Any]:
    """There are no users and commits of version control: a search for them finds nothing, and overrides `basic`.

    A whole id means that run. Any other text is looked for in the messages, which are all read for it.
    """
    if query.user or query.commit:
        return {"nothing": True}
    if not query.basic:
        return {}
    if _RUN_ID.fullmatch(query.basic):
        wanted = {"id": query.basic, "operations": _operations(query), "statuses": _statuses(query)}
        return {name: value for name, value in wanted.items() if value is not None}
    return {"text": query.basic.replace("/", "//").replace("%", "/%").replace("_", "/_")}


def _total(session: Session, query: RunQuery, kinds: Sequence[_Kind], values: Mapping[str, Any]) -> int:
    """How many there are in all: kept where only operation and status narrow the list, counted otherwise."""
    if values.keys() == {"workspace"}:
        return session.scalar(_counts(query, func.sum(RunCountRow.runs))) or 0
    return session.scalar(_number(tuple(kinds), tuple(values)), dict(values)) or 0 if kinds else 0
