"""Lists of runs, with every filter and search of the API, fast in a database of a million runs.

Source: HCP Terraform API, "List Runs in a Workspace", "List Runs in an Organization".
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from typing import Any, Protocol, Self

from sqlalchemy import ColumnElement, CompoundSelect, Select, false, func, or_, select, union_all
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
    conditions = _conditions(backend, session, query)
    sequences = session.scalars(_newest(kinds, conditions, offset, size + 1)).all() if kinds else []
    rows = select(RunRow).where(RunRow.sequence.in_(sequences[:size])).order_by(*_NEWEST_FIRST)
    return FoundRuns(
        session.scalars(rows).all(),
        has_more=len(sequences) > size,
        total=_total(session, query, kinds, conditions) if query.workspace_id is not None else None,
    )


_NEWEST_FIRST = (RunRow.created_at.desc(), RunRow.sequence.desc())

_Kind = tuple[str | None, str | None]
"""An operation and a status; None is any."""


def _newest(
    kinds: Sequence[_Kind], conditions: Sequence[ColumnElement[bool]], offset: int, number: int
) -> CompoundSelect[Any]:
    """A page of the runs of these kinds, by their sequence.

    An index gives the runs of one kind in the order of the list, but not those of several (`IN`): they would all be
    read and sorted, a million for a page of twenty. So each kind is a query of its own, and the database merges them
    and stops where the page ends.
    """
    found = _of_kinds(kinds, conditions)
    columns = found.selected_columns
    # The order has to be that of the union itself: SQLite sorts a subquery as a whole.
    return found.order_by(columns.created_at.desc(), columns.sequence.desc()).offset(offset).limit(number)


def _of_kinds(kinds: Sequence[_Kind], conditions: Sequence[ColumnElement[bool]]) -> CompoundSelect[Any]:
    queries = []
    for operation, status in kinds:
        statement = select(RunRow.sequence, RunRow.created_at).where(*conditions)
        if operation is not None:
            statement = statement.where(RunRow.operation == operation)
        if status is not None:
            statement = statement.where(RunRow.status == status)
        queries.append(statement)
    return union_all(*queries)


def _kinds(session: Session, query: RunQuery) -> list[_Kind]:
    """The kinds of runs that are wanted; of a workspace those alone that it has, since that is known."""
    operations, statuses = _operations(query), _statuses(query)
    if query.basic and _RUN_ID.fullmatch(query.basic):
        return [(None, None)]  # it is found by itself, see `_search`
    if query.workspace_id is not None and statuses is not None:
        counts = _counts(query, RunCountRow.operation, RunCountRow.status).where(RunCountRow.runs > 0)
        return [(operation, status) for operation, status in session.execute(counts)]
    any_one: Sequence[str | None] = [None]
    return list(product(any_one if operations is None else operations, any_one if statuses is None else statuses))


def _counts(query: RunQuery, *columns: Any) -> Select[Any]:
    """What is kept of the numbers of a workspace's runs, of the wanted operations and statuses."""
    statement = select(*columns).where(RunCountRow.workspace_id == query.workspace_id)
    operations, statuses = _operations(query), _statuses(query)
    if operations is not None:
        statement = statement.where(RunCountRow.operation.in_(operations))
    return statement if statuses is None else statement.where(RunCountRow.status.in_(statuses))


def _conditions(backend: Backend, session: Session, query: RunQuery) -> list[ColumnElement[bool]]:
    """What the runs have to be, beside their operation and status."""
    if query.workspace_id is not None:
        conditions = [RunRow.workspace_id == query.workspace_id]
    else:
        conditions = [RunRow.organization == query.organization]
    if query.sources is not None:
        conditions.append(RunRow.source.in_(query.sources))
    if query.workspace_names is not None:
        conditions.append(RunRow.workspace_id.in_(_workspaces(session, query)))
    if query.is_by_agent_pool:
        conditions.append(false())  # there are no agents here
    return [*conditions, *_timeframe(query, backend.now()), *_search(query)]


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
    """There are no users and commits of version control: a search for them finds nothing, and overrides `basic`.

    A whole id means that run. Any other text is looked for in the messages, which are all read for it.
    """
    if query.user or query.commit:
        return [false()]
    if not query.basic:
        return []
    if _RUN_ID.fullmatch(query.basic):
        operations, statuses = _operations(query), _statuses(query)
        found = [RunRow.id == query.basic]
        found += [RunRow.operation.in_(operations)] if operations is not None else []
        return found + ([RunRow.status.in_(statuses)] if statuses is not None else [])
    return [or_(RunRow.id == query.basic, RunRow.message.icontains(query.basic, autoescape=True))]


def _total(session: Session, query: RunQuery, kinds: Sequence[_Kind], conditions: Sequence[ColumnElement[bool]]) -> int:
    """How many there are in all: kept where only operation and status narrow the list, counted otherwise."""
    is_searched = query.user or query.commit or query.basic
    if not (query.sources is not None or query.is_by_agent_pool or query.timeframe or is_searched):
        return session.scalar(_counts(query, func.sum(RunCountRow.runs))) or 0
    if not kinds:
        return 0
    return session.scalar(select(func.count()).select_from(_of_kinds(kinds, conditions).subquery())) or 0
