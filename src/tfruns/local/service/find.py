"""Reads that raise NotFound. The API also responds with 404 for resources that a token may not read."""

from typing import Any, TypeVar

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, select
from sqlalchemy.orm import Session

from tfruns.errors import NotFound
from tfruns.local.store.schema import Base, OrganizationRow, RunRow, WorkspaceRow
from tfruns.masking.text import one_line

RowT = TypeVar("RowT", bound=Base)

# Built once, because building a statement takes longer than executing it.
_KEY: BindParameter[str] = bindparam("key")
_RUN = select(RunRow).where(RunRow.id == _KEY)
_WORKSPACE = select(WorkspaceRow).where(WorkspaceRow.id == _KEY)
_ORGANIZATION = select(OrganizationRow).where(OrganizationRow.name == _KEY)


def find(session: Session, kind: type[RowT], *conditions: ColumnElement[bool] | Any) -> RowT:
    """The row that matches the conditions.

    Raises:
        NotFound: 404, no row matches.
    """
    return _first(session, select(kind).where(*conditions))


def find_named(session: Session, kind: type[RowT], id_: str) -> RowT:
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


def _first(session: Session, statement: Select[RowT], **values: str) -> RowT:
    row = session.scalars(statement, values).first()
    if row is None:
        raise NotFound("not found")
    return row


def find_run(session: Session, run_id: str, *, is_for_update: bool = False) -> RunRow:
    """A run by its id.

    Args:
        session: the transaction.
        run_id: the run.
        is_for_update: lock the run and its workspace for the rest of the transaction.

    Raises:
        NotFound: 404, the run does not exist.
    """
    run = _first(session, _RUN, key=run_id)
    if is_for_update:
        workspace_for_update(session, run.workspace_id)
        session.refresh(run, with_for_update=True)
    return run


def workspace_for_update(session: Session, workspace_id: str) -> WorkspaceRow:
    """Lock a workspace for the rest of the transaction, and return its current values.

    Raises:
        NotFound: 404, the workspace does not exist, or was deleted.
    """
    # Another transaction may have changed it after this one first read it, or while this one waited for the lock.
    statement = select(WorkspaceRow).where(WorkspaceRow.id == workspace_id).with_for_update()
    return _first(session, statement.execution_options(populate_existing=True))


def find_workspace(session: Session, workspace_id: str) -> WorkspaceRow:
    """A workspace by its id.

    Raises:
        NotFound: 404, the workspace does not exist.
    """
    return _first(session, _WORKSPACE, key=workspace_id)


def find_organization(session: Session, name: str) -> OrganizationRow:
    """An organization by its name.

    Raises:
        NotFound: 404, the organization does not exist.
    """
    return _first(session, _ORGANIZATION, key=name)
