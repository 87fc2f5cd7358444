"""The records of the servers of pages that `tfruns web` and `tfruns mcp` run, for the command `tfruns web link`.

Each server has a file in the user's directory for application state, which only the user can read, with its address
and a secret. The server locks the file while it runs, so that the file of a killed server is recognized.
"""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from tfruns.home import user_path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_SUFFIX = ".json"


@dataclass(frozen=True, slots=True)
class RunningPages:
    """A running server of pages.

    Attributes:
        url: its address, without a path.
        secret: the bearer token with which it creates a link.
        api: the address of the API that its pages show.
        command: the command that runs it: `tfruns web` or `tfruns mcp`.
    """

    url: str
    secret: str
    api: str
    command: str


@contextmanager
def announced(pages: RunningPages) -> Iterator[None]:
    """Record a server while this block runs.

    Raises:
        OSError: the record cannot be written.
    """
    directory = record_directory()
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = directory / f"{os.getpid()}-{secrets.token_hex(4)}{_SUFFIX}"
    unfinished = path.with_suffix(".new")  # under its final name, another process would delete it until it is locked
    file = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    with ExitStack() as stack:
        stack.callback(path.unlink, missing_ok=True)
        stack.callback(unfinished.unlink, missing_ok=True)
        with ExitStack() as opened:
            opened.callback(os.close, file)
            os.write(file, json.dumps(asdict(pages)).encode())
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX)
                stack.push(opened.pop_all())  # it stays open, because closing it would unlock it
        unfinished.rename(path)
        yield


def running_pages() -> list[RunningPages]:
    """The running servers of this user, the newest first."""
    try:
        files = sorted(record_directory().glob(f"*{_SUFFIX}"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    except OSError:
        return []
    return [found for path in files if (found := _read(path)) is not None]


def _read(path: Path) -> RunningPages | None:
    """The server of a record; None if it has exited, which deletes its record."""
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        if not _is_locked(file):
            with suppress(OSError):
                path.unlink(missing_ok=True)
            return None
        return RunningPages(**json.loads(path.read_bytes()))
    except (OSError, TypeError, ValueError):
        return None
    finally:
        os.close(file)


def _is_locked(file: int) -> bool:
    """Whether a server has locked a record; on a platform without such locks, this is assumed."""
    is_free = False
    with suppress(BlockingIOError):
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            is_free = True
    return not is_free


def record_directory() -> Path:
    """The directory of the records."""

    def find() -> Path:
        import platformdirs  # noqa: PLC0415  # no other command needs it

        return platformdirs.user_state_path("tfruns", appauthor=False) / "pages"

    return user_path(find, instead="set XDG_STATE_HOME to an absolute path")
