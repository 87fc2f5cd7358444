"""Configuration versions. Source: HCP Terraform API, "Configuration Versions"."""

from pathlib import Path

from sqlalchemy import select

from tfruns.errors import Conflict, UnprocessableEntity
from tfruns.lifecycle import statuses_in
from tfruns.local.backend import Backend
from tfruns.local.ids import new_id
from tfruns.local.service.execution_mode import executes_runs
from tfruns.local.service.find import find, lock_workspace
from tfruns.local.service.run_creation import NewRun, create_run
from tfruns.local.service.transitions import wire_time
from tfruns.local.store.database import Write
from tfruns.local.store.schema import ConfigurationVersionRow, RunRow
from tfruns.vocabulary import RunSource, StatusGroup


def create_configuration_version(
    backend: Backend, write: Write, workspace_id: str, *, speculative: bool, provisional: bool, auto_queue_runs: bool,
    source: str,
) -> ConfigurationVersionRow:  # fmt: skip
    """Create a configuration version that waits for its files."""
    row = ConfigurationVersionRow(
        id=new_id("cv"), workspace_id=workspace_id, status="pending", source=source, speculative=speculative,
        provisional=provisional, auto_queue_runs=auto_queue_runs, created_at=backend.now(), status_timestamps={},
    )  # fmt: skip
    write.session.add(row)
    write.session.flush()
    if not speculative and not provisional:
        lock_workspace(write.session, workspace_id).current_configuration_version_id = row.id
    write.session.flush()
    return row


def accept_upload(backend: Backend, write: Write, id_: str, archive: Path, *, user_id: str) -> None:
    """Take the files of a configuration version, which were checked, and queue a run if it wants that.

    Raises:
        Conflict: 409, it has its files already.
    """
    row = find(write.session, ConfigurationVersionRow, ConfigurationVersionRow.id == id_)
    workspace = lock_workspace(write.session, row.workspace_id)
    write.session.refresh(row)
    if row.status != "pending":
        raise Conflict("The configuration version has been uploaded already.")
    backend.objects.adopt("configuration", row.id, archive)
    row.status = "uploaded"
    row.status_timestamps = {**row.status_timestamps, "uploaded-at": wire_time(backend.now())}
    write.session.flush()
    if row.auto_queue_runs and executes_runs(write.session, workspace):
        new = NewRun(workspace.id, row.id, source=RunSource.TFE_CONFIGURATION_VERSION.value)
        create_run(backend, write, new, user_id=user_id)


def refuse_upload(backend: Backend, write: Write, id_: str, reason: str) -> None:
    """Write down why the files of a configuration version cannot be used."""
    row = find(write.session, ConfigurationVersionRow, ConfigurationVersionRow.id == id_)
    if row.status == "pending":
        row.status = "errored"
        row.error_message = reason
        row.status_timestamps = {**row.status_timestamps, "errored-at": wire_time(backend.now())}


def archive(backend: Backend, write: Write, row: ConfigurationVersionRow) -> None:
    """Drop the files of a configuration version; no run can use it any more.

    Raises:
        UnprocessableEntity: 422, it has no files.
        Conflict: 409, a run still needs them, or it is the workspace's current one.
    """
    if row.status == "archived":
        return
    if row.status != "uploaded":
        raise UnprocessableEntity(f"A configuration version that is {row.status} cannot be archived.")
    workspace = lock_workspace(write.session, row.workspace_id)
    used = select(RunRow.id).where(
        RunRow.configuration_version_id == row.id, RunRow.status.in_(statuses_in(StatusGroup.NON_FINAL))
    )
    if workspace.current_configuration_version_id == row.id or write.session.scalars(used).first() is not None:
        raise Conflict("The configuration version is in use.")
    row.status = "archived"
    row.status_timestamps = {**row.status_timestamps, "archived-at": wire_time(backend.now())}
    write.after_commit.append(lambda: backend.objects.delete("configuration", row.id))
