"""Configuration versions. Source: HCP Terraform API, "Configuration Versions"."""

import filecmp
from pathlib import Path

from sqlalchemy import select

from tfruns.errors import Conflict, TransitionNotAllowed, UnprocessableEntity
from tfruns.lifecycle import statuses_in
from tfruns.local.backend import Backend
from tfruns.local.ids import new_id
from tfruns.local.service.find import find, workspace_for_update
from tfruns.local.service.run_creation import NewRun, create_run
from tfruns.local.service.workspaces import executes_runs
from tfruns.local.store.database import Write
from tfruns.local.store.schema import ConfigurationVersionRow, RunRow
from tfruns.vocabulary import ConfigurationStatus, RunSource, StatusGroup
from tfruns.wire.base import wire_time


def create_configuration_version(
    backend: Backend, write: Write, workspace_id: str, *, speculative: bool, provisional: bool, auto_queue_runs: bool,
    source: str,
) -> ConfigurationVersionRow:  # fmt: skip
    """Create a configuration version, whose files are uploaded later."""
    row = ConfigurationVersionRow(
        id=new_id("cv"), workspace_id=workspace_id, status=ConfigurationStatus.PENDING.value, source=source,
        speculative=speculative, provisional=provisional, auto_queue_runs=auto_queue_runs, created_at=backend.now(),
        status_timestamps={},
    )  # fmt: skip
    write.session.add(row)
    write.session.flush()
    if not speculative and not provisional:
        workspace_for_update(write.session, workspace_id).current_configuration_version_id = row.id
    write.session.flush()
    return row


def accept_upload(backend: Backend, write: Write, id_: str, archive: Path, *, user_id: str) -> None:
    """Store the checked files of a configuration version, and queue a run if it has `auto-queue-runs`.

    HCP Terraform accepts a second upload: the tests of its own client send two archives to one URL. Here, a second
    upload replaces the files until a run uses them. The same files can always be uploaded again, as by a client that
    retries after a lost response.

    Raises:
        Conflict: 409, a run uses other files of this configuration version, or its status does not allow an upload.
    """
    row = find(write.session, ConfigurationVersionRow, id=id_)
    workspace = workspace_for_update(write.session, row.workspace_id)
    write.session.refresh(row)
    if row.status == ConfigurationStatus.UPLOADED:
        if _is_same_file(archive, backend.objects.path("configuration", row.id)):
            return
        _check_is_unused(write, row)
    elif row.status != ConfigurationStatus.PENDING:
        raise Conflict(f"The files cannot be uploaded: the configuration version is {row.status}. Create another one.")
    backend.objects.adopt("configuration", row.id, archive)
    row.status = ConfigurationStatus.UPLOADED.value
    row.status_timestamps = {**row.status_timestamps, "uploaded-at": wire_time(backend.now())}
    write.session.flush()
    if row.auto_queue_runs and executes_runs(write.session, workspace):
        new = NewRun(workspace.id, row.id, source=RunSource.TFE_CONFIGURATION_VERSION.value)
        create_run(backend, write, new, user_id=user_id)


def _is_same_file(archive: Path, stored: Path) -> bool:
    return stored.exists() and filecmp.cmp(archive, stored, shallow=False)


def _check_is_unused(write: Write, row: ConfigurationVersionRow) -> None:
    """Refuse other files once a run uses the current ones.

    Raises:
        Conflict: 409, a run was created with the current files.
    """
    run_id = write.session.scalars(select(RunRow.id).where(RunRow.configuration_version_id == row.id)).first()
    if run_id is not None:
        raise Conflict(
            f"The files cannot be replaced: run {run_id} uses this configuration version. Create another one."
        )


def refuse_upload(backend: Backend, write: Write, id_: str, reason: str) -> None:
    """Record why the uploaded files of a configuration version cannot be used."""
    row = find(write.session, ConfigurationVersionRow, id=id_)
    if row.status == ConfigurationStatus.PENDING:
        row.status = ConfigurationStatus.ERRORED.value
        row.error_message = reason
        row.status_timestamps = {**row.status_timestamps, "errored-at": wire_time(backend.now())}


def archive(backend: Backend, write: Write, row: ConfigurationVersionRow) -> None:
    """Delete the files of a configuration version. No run can use it afterwards.

    Raises:
        UnprocessableEntity: 422, it has no files.
        TransitionNotAllowed: 409, a run still uses it, or it is the workspace's current one.
    """
    if row.status == ConfigurationStatus.ARCHIVED:
        return
    if row.status != ConfigurationStatus.UPLOADED:
        raise UnprocessableEntity(f"A configuration version that is {row.status} cannot be archived.")
    workspace = workspace_for_update(write.session, row.workspace_id)
    used = select(RunRow.id).where(
        RunRow.configuration_version_id == row.id, RunRow.status.in_(statuses_in(StatusGroup.NON_FINAL))
    )
    if workspace.current_configuration_version_id == row.id:
        raise TransitionNotAllowed("The configuration could not be archived because it is current.")
    if write.session.scalars(used).first() is not None:
        raise TransitionNotAllowed("The configuration could not be archived because a run uses it.")
    row.status = ConfigurationStatus.ARCHIVED.value
    row.status_timestamps = {**row.status_timestamps, "archived-at": wire_time(backend.now())}
    write.after_commit.append(lambda: backend.objects.delete("configuration", row.id))
