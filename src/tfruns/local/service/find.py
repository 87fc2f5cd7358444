"""Finding things, or saying that there are none: the API answers 404 for whatever a token may not see, too."""

from typing import Any, TypeVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from tfruns.errors import NotFound
from tfruns.local.store.schema import Base, OrganizationRow, RunRow, WorkspaceRow

RowT = TypeVar("RowT", bound=Base)


def find(session: Session, kind: type[RowT], *conditions: ColumnElement[bool] | Any) -> RowT:
    """The one row for which the conditions hold.

    Raises:
        NotFound: 404, there is none.
    """
    row = session.scalars(select(kind).where(*conditions)).first()
    if row is None:
        raise NotFound("not found")
    return row


def find_run(session: Session, run_id: str, *, is_for_update: bool = False) -> RunRow:
    """A run; to change it, with a lock on it and on its workspace.

    Raises:
        NotFound: 404.
    """
    run = find(session, RunRow, RunRow.id == run_id)
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
    row = session.scalars(statement.execution_options(populate_existing=True)).first()
    if row is None:
        raise NotFound("not found")
    return row


def find_workspace(session: Session, workspace_id: str) -> WorkspaceRow:
    """A workspace by its id.

    Raises:
        NotFound: 404.
    """
    return find(session, WorkspaceRow, WorkspaceRow.id == workspace_id)


def find_organization(session: Session, name: str) -> OrganizationRow:
    """An organization by its name.

    Raises:
        NotFound: 404.
    """
    return find(session, OrganizationRow, OrganizationRow.name == name)
