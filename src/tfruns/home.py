"""Paths below the home directory. A process may have none: `HOME` unset, and no system entry for its user."""

from collections.abc import Callable
from pathlib import Path

from tfruns.errors import InvalidInput


def user_path(find: Callable[[], Path], *, instead: str) -> Path:
    """A path with `~` replaced by the home directory.

    Args:
        find: returns the configured path, or the platform's default.
        instead: the alternative, for the error: `set TFRUNS_DATA_DIR to an absolute path`.

    Raises:
        InvalidInput: the path is below a home directory that does not exist.
    """
    try:
        return find().expanduser()
    except RuntimeError:
        raise InvalidInput(
            "This user has no home directory.",
            cause="HOME is not set, and the system has no entry for the user.",
            solution=f"Set HOME, or {instead}.",
        ) from None
