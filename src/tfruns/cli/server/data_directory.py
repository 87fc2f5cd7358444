"""The data directory that the commands of `tfruns server` select."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tfruns.local.data_dir import DataDirectory

DATA_DIR = "Select the data directory (default: TFRUNS_DATA_DIR)"


def data_directory(data_dir: Path | None) -> "DataDirectory":
    from tfruns.errors import ConnectionFailed  # noqa: PLC0415
    from tfruns.local.cannot_start import CannotStart, check_platform  # noqa: PLC0415

    try:
        check_platform()
    except CannotStart as error:
        raise ConnectionFailed("The local backend is not available.", cause=str(error)) from None
    from tfruns.local.data_dir import DataDirectory  # noqa: PLC0415

    return DataDirectory(data_dir)
