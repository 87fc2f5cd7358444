"""Files that only their owner can read."""

import os
import tempfile
from pathlib import Path

from tfruns.errors import InvalidInput


def write_private(path: Path, content: bytes, *, replaces: bool = False) -> None:
    """Write a file with mode 0600. It is complete, or does not exist.

    Args:
        path: the file.
        content: its content.
        replaces: replace a file that exists, whatever its mode is.

    Raises:
        InvalidInput: the file exists, or cannot be written.
    """
    try:
        handle, temporary = tempfile.mkstemp(prefix=".tfruns-", dir=path.parent)  # with mode 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            if replaces:
                Path(temporary).replace(path)
            else:
                os.link(temporary, path, follow_symlinks=False)
        finally:
            Path(temporary).unlink(missing_ok=True)
    except FileExistsError:
        raise InvalidInput(f"{path} exists.", solution="Choose another file, or replace it with --force.") from None
    except OSError as error:
        raise InvalidInput(
            f"{path} cannot be written: {error.strerror or type(error).__name__}.",
            solution="Choose a file in a directory that exists and is writable.",
        ) from None
