"""Reads that raise NotFound. The API also responds with 404 for resources that a token may not read."""

from functools import cache
from typing import TypeVar

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from tfruns.errors import NotFound
from tfruns.local.store.database import AnySession
from tfruns.local.store.schema import Base, OrganizationRow, RunRow, WorkspaceRow
from tfruns.masking.text import one_line

RowT = TypeVar("RowT", bound=Base)


@cache
def _statement(kind: type[RowT], *columns: str) -> Select[RowT]:
    """The rows with given values in these columns. Built once, because building it takes longer than executing it."""
    return select(kind).where(*(getattr(kind, column) == bindparam(column) for column in columns))


def find(session: AnySession, kind: type[RowT], /, **values: str | None) -> RowT:
    """The row with these values.

    Raises:
        NotFound: 404, no row has them.
    """
    statement: Select[RowT] = _statement(kind, *values)
    return _first(session, statement, **values)


def _first(session: AnySession, statement: Select[RowT], **values: str | None) -> RowT:
    row = session.scalars(statement, values).first()
    if row is None:
        raise NotFound("not found")
    return row


def find_named(session: AnySession, kind: type[RowT], id_: str) -> RowT:
    """The row whose id a request body names.

    Raises:
        NotFound: 404, it does not exist. The error names it, because a request can name several.
    """
    row = session.scalars(select(kind).where(kind.__table__.c.id == id_)).first()
    if row is None:
        raise not_found(kind, id_)
    return row


def not_found(kind: type[Base], id_: str) -> NotFound:
    """The error for an id in a request body that names nothing."""
    noun = kind.__tablename__.removesuffix("s").replace("_", " ")
    return NotFound(f"The {noun} {one_line(id_, 60)} does not exist.")


def find_run(session: AnySession, run_id: str) -> RunRow:
    """A run by its id.

    Raises:
        NotFound: 404, the run does not exist.
    """
    return find(session, RunRow, id=run_id)


def run_for_update(session: Session, run_id: str) -> RunRow:
    """Lock a run and its workspace for the rest of the transaction, and return the run's current values.

    Raises:
        NotFound: 404, the run does not exist, or its workspace was deleted.
    """
    run = find_run(session, run_id)
    workspace_for_update(session, run.workspace_id)
    session.refresh(run, with_for_update=True)
    return run


def workspace_for_update(session: Session, workspace_id: str) -> WorkspaceRow:
    """Lock a workspace for the rest of the transaction, and return its current values.

    Raises:
        NotFound: 404, the workspace does not exist, or was deleted.
    """
    # Another transaction may have changed it after this one first read it, or while this one waited for the lock.
    statement: Select[WorkspaceRow] = _statement(WorkspaceRow, "id")
    current = statement.with_for_update().execution_options(populate_existing=True)
    return _first(session, current, id=workspace_id)


def find_workspace(session: AnySession, workspace_id: str) -> WorkspaceRow:
    """A workspace by its id.

    Raises:
        NotFound: 404, the workspace does not exist.
    """
    return find(session, WorkspaceRow, id=workspace_id)


def find_organization(session: AnySession, name: str) -> OrganizationRow:
    """An organization by its name.

    Raises:
        NotFound: 404, the organization does not exist.
    """
    return find(session, OrganizationRow, name=name)
