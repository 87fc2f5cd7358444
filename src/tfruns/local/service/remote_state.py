"""Remote state consumers: the workspaces whose runs may read the state of another workspace.

Source: HCP Terraform, "Terraform State", "Remote State Access Controls"; Workspaces API, "Get Remote State Consumers".
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, select

from tfruns.errors import UnprocessableEntity
from tfruns.local.store.database import AnySession, Write
from tfruns.local.store.schema import RemoteStateConsumerRow, WorkspaceRow


def may_read_state(session: AnySession, reader: WorkspaceRow, owner: WorkspaceRow) -> bool:
    """Whether runs of the workspace `reader` may read the state of the workspace `owner`."""
    if reader.organization != owner.organization:
        return False
    if reader.id == owner.id or _is_shared_with_all(owner):
        return True
    is_consumer = (RemoteStateConsumerRow.workspace_id == owner.id) & (RemoteStateConsumerRow.consumer_id == reader.id)
    return session.scalar(select(RemoteStateConsumerRow.consumer_id).where(is_consumer)) is not None


def consumers_of(owner: WorkspaceRow) -> ColumnElement[bool]:
    """The SQL condition for the workspaces that may read the state of `owner`, except `owner` itself."""
    if _is_shared_with_all(owner):
        return (WorkspaceRow.organization == owner.organization) & (WorkspaceRow.id != owner.id)
    chosen = select(RemoteStateConsumerRow.consumer_id).where(RemoteStateConsumerRow.workspace_id == owner.id)
    return WorkspaceRow.id.in_(chosen)


def add_consumers(write: Write, owner: WorkspaceRow, ids: Sequence[str]) -> None:
    """Allow the runs of these workspaces to read the state of `owner`.

    Raises:
        UnprocessableEntity: 422, `owner` shares its state with all workspaces, or an id does not belong to another
            workspace of the organization.
    """
    _check_is_not_shared_with_all(owner)
    for id_ in dict.fromkeys(ids):
        consumer = write.session.get(WorkspaceRow, id_)
        if consumer is None or consumer.organization != owner.organization or id_ == owner.id:
            raise UnprocessableEntity(
                f"The consumer cannot be added: {id_!r} is not the id of another workspace of the organization."
            )
        write.session.merge(RemoteStateConsumerRow(workspace_id=owner.id, consumer_id=id_))
    write.session.flush()


def remove_consumers(write: Write, owner: WorkspaceRow, ids: Sequence[str] | None = None) -> None:
    """Remove these workspaces from the consumers of `owner`; all of them if no ids are given.

    Raises:
        UnprocessableEntity: 422, `owner` shares its state with all workspaces.
    """
    _check_is_not_shared_with_all(owner)
    statement = delete(RemoteStateConsumerRow).where(RemoteStateConsumerRow.workspace_id == owner.id)
    if ids is not None:
        statement = statement.where(RemoteStateConsumerRow.consumer_id.in_(ids))
    write.session.execute(statement)


def _is_shared_with_all(owner: WorkspaceRow) -> bool:
    """Whether all workspaces may read the state. An organization has one project, which contains all workspaces."""
    return any(owner.settings.get(name) for name in ("global-remote-state", "project-remote-state"))


def _check_is_not_shared_with_all(owner: WorkspaceRow) -> None:
    if _is_shared_with_all(owner):
        raise UnprocessableEntity(
            "The consumers cannot be changed: the workspace shares its state with all workspaces. Set "
            "global-remote-state to false first."
        )
