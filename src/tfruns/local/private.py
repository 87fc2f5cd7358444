"""Files that their owner alone can read, whatever the umask."""

import os


def opener(path: str, flags: int) -> int:
    """For `open`; `Path.open` takes none."""
    return os.open(path, flags, 0o600)
