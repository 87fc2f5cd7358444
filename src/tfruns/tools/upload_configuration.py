"""Upload a directory as a configuration version. Source: HCP Terraform API, "Configuration Versions"."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Annotated, BinaryIO

import anyio
from pydantic import Field

from tfruns.arguments import WorkspaceRef
from tfruns.configuration.allowed_directories import AllowedDirectory, locate
from tfruns.configuration.packing import Packed, pack
from tfruns.errors import InvalidInput
from tfruns.masking.text import one_line
from tfruns.next_actions import CREATE_RUN, NextAction
from tfruns.policy import Mode, Toolset
from tfruns.tool import Context, Result, tool
from tfruns.views.configuration import UploadView
from tfruns.vocabulary import ConfigurationStatus
from tfruns.wire.configuration_versions import ConfigurationVersion
from tfruns.wire.workspaces import Workspace
from tfruns.wording import counted, listed, with_number_of_rest

Directory = Annotated[str, Field(description="Absolute path, inside one given with --allow-dir")]
Speculative = Annotated[bool, Field(description="Only for plan_only runs")]

Include = Annotated[
    list[str] | None, Field(description="Relative paths of likely secrets to upload anyway; by default none")
]

_MAX_NAMES = 5  # directories in a note
_MAX_FILES = 40  # packed files in a result, and files of each excluded kind
_MAX_PATH = 200  # characters of a path in an error


@tool(
    title="Upload a configuration",
    toolset=Toolset.CONFIGURATION,
    order=170,
    mode=Mode.PLAN,
    command="config upload",
    instruction="upload_configuration uploads a local directory; it starts no run.",
)
async def upload_configuration(
    context: Context,
    workspace_id: WorkspaceRef,
    directory: Directory,
    speculative: Speculative = False,
    include: Include = None,
) -> Result[UploadView]:
    """Upload a local directory as a configuration version, for create_run. It starts no run.

    .terraformignore is respected; .terraform/ and state files are excluded. Files that likely contain secrets (.env,
    keys, credentials, saved plans, variable files that Terraform does not load automatically) are excluded and listed.
    """
    place = await anyio.to_thread.run_sync(locate, directory, context.allowed_directories)
    workspace = await context.client.workspaces.read(workspace_id)
    with tempfile.TemporaryFile() as archive:
        packed = await anyio.to_thread.run_sync(_pack, place, archive, workspace, include or [])
        size = archive.tell()
        versions = context.client.configuration_versions
        created = await versions.create(workspace.id, auto_queue_runs=False, speculative=speculative)
        amount = f"{counted(packed.files, 'file')}, {counted(size, 'byte')} packed"
        await context.progress.report(f"Uploading {amount}.", done=1)
        await versions.upload(created, archive)
    version = await versions.wait_until_processed(created.id)
    return Result(partial(_view, version, workspace, packed, size, speculative), version.document)


def _pack(place: AllowedDirectory, archive: BinaryIO, workspace: Workspace, include: Sequence[str]) -> Packed:
    with place.open() as directory:
        packed = pack(directory, archive, include=include)
    archive.flush()
    _check_configured(packed, place.path, workspace.working_directory or "")
    return packed


def _check_configured(packed: Packed, root: Path, working_directory: str) -> None:
    """Refuse a configuration that no run could use.

    Raises:
        InvalidInput: the workspace's working directory contains no configuration.
    """
    inside = working_directory.strip("/")
    if _path_in(root, inside) in packed.configured:
        return
    if not inside:
        raise InvalidInput(
            "The directory has no Terraform configuration: no file ends with .tf, .tf.json or .tofu.",
            cause=_elsewhere(packed.configured),
            solution="Use the directory in which Terraform runs, and check its .terraformignore.",
        )
    raise InvalidInput(
        f"The directory has no Terraform configuration in {one_line(working_directory, _MAX_PATH)!r}, where this "
        "workspace runs Terraform.",
        cause=_elsewhere(packed.configured),
        solution="Use the directory that contains that path, or change the workspace's working directory.",
    )


def _path_in(root: Path, inside: str) -> PurePosixPath | None:
    """A path below a directory; None if it is outside or malformed."""
    try:
        found = Path(os.path.realpath(root / inside))
    except ValueError:  # a NUL or an unpaired surrogate
        return None
    return PurePosixPath(found.relative_to(root).as_posix()) if found.is_relative_to(root) else None


def _elsewhere(configured: Sequence[PurePosixPath] | set[PurePosixPath]) -> str:
    if not configured:
        return "None of the files to upload is a Terraform configuration file."
    return f"Terraform configuration is in: {listed(sorted(map(str, configured)), _MAX_NAMES)}."


async def _view(
    version: ConfigurationVersion, workspace: Workspace, packed: Packed, size: int, speculative: bool
) -> UploadView:
    params = {"configuration_version_id": version.id} | ({"plan_only": True} if speculative else {})
    following = NextAction(CREATE_RUN, {"workspace_id": workspace.id, "params": params}, "plans it")
    is_ready = version.status == ConfigurationStatus.UPLOADED
    return UploadView(
        configuration_version_id=version.id,
        workspace_id=workspace.id,
        status=version.status or "unknown",
        files=packed.files,
        names=_listed(packed.names, packed.files),
        bytes=packed.bytes,
        packed_bytes=size,
        excluded=packed.excluded,
        excluded_likely_secrets=_listed(packed.likely_secrets),
        variable_files_uploaded=_listed(packed.variable_files),
        follows="" if is_ready else "The upload is still being processed. Wait a few seconds.",
        next_actions=(following,),
        note=" ".join(_notes(packed)),
    )


def _notes(packed: Packed) -> Iterator[str]:
    if packed.likely_secrets:
        yield (
            "Files that likely contain secrets were excluded; the Terraform CLI uploads them. If the run needs one, "
            "upload again and include it."
        )
    if packed.kept_below:
        yield (
            f"{listed(packed.kept_below, _MAX_NAMES)}: .terraformignore names it without a trailing slash, which "
            "excludes only files. The content of the directory was uploaded."
        )


def _listed(paths: Sequence[str], total: int | None = None) -> tuple[str, ...]:
    """The first paths, each on one line, and the number of the others."""
    shown = (one_line(path, _MAX_PATH) for path in paths[:_MAX_FILES])
    return with_number_of_rest(shown, (len(paths) if total is None else total) - _MAX_FILES)
