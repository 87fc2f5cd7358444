"""Finding things, or saying that there are none: the API answers 404 for whatever a token may not see, too."""

from typing import Any, TypeVar

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, select
from sqlalchemy.orm import Session

from tfruns.errors import NotFound
from tfruns.local.store.schema import Base, OrganizationRow, RunRow, WorkspaceRow

RowT = TypeVar("RowT", bound=Base)

# Built once: to build a statement takes longer than to execute it.
_KEY: BindParameter[str] = bindparam("key")
_RUN = select(RunRow).where(RunRow.id == _KEY)
_WORKSPACE = select(WorkspaceRow).where(WorkspaceRow.id == _KEY)
_ORGANIZATION = select(OrganizationRow).where(OrganizationRow.name == _KEY)


def find(session: Session, kind: type[RowT], *conditions: ColumnElement[bool] | Any) -> RowT:
    """The one row for which the conditions hold.

    Raises:
        NotFound: 404, there is none.
    """
    return _first(session, select(kind).where(*conditions))


def _first(session: Session, statement: Select[RowT], **values: str) -> RowT:
    row = session.scalars(statement, values).first()
    if row is None:
        raise NotFound("not found")
    return row


def find_run(session: Session, run_id: str, *, is_for_update: bool = False) -> RunRow:
    """A run; to change it, with a lock on it and on its workspace.

    Raises:
        NotFound: 404.
    """
    run = _first(session, _RUN, key=run_id)
    if is_for_update:
        lock_workspace(session, run.workspace_id)
        session.refresh(run, with_for_update=True)
    return run


def lock_workspace(session: Session, workspace_id: str) -> WorkspaceRow:
    """The workspace as it is now, with a lock on it for the rest of the transaction.

    Raises:
        NotFound: 404, there is none, or no more.
    """
    # Somebody else may have changed it since this transaction read it first, and while this one waited for the lock.
    statement = select(WorkspaceRow).where(WorkspaceRow.id == workspace_id).with_for_update()
    return _first(session, statement.execution_options(populate_existing=True))


def find_workspace(session: Session, workspace_id: str) -> WorkspaceRow:
    """A workspace by its id.

    Raises:
        NotFound: 404.
    """
    return _first(session, _WORKSPACE, key=workspace_id)


def find_organization(session: Session, name: str) -> OrganizationRow:
    """An organization by its name.

    Raises:
        NotFound: 404.
    """
    return _first(session, _ORGANIZATION, key=name)
