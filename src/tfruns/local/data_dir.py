"""The data directory. One server at a time owns it; other processes find that server through it.

lock        locked by the server while it runs, as is the directory itself
address     the URL and process id of the running server
port        the port of the last server, which the next one reuses
token       the admin's API token, readable only by the owner
key         signs the URLs of logs and uploads
tls/        the server's self-signed certificate and its key, if requested
tfruns.db   the SQLite database, unless another database is used
objects/    configurations, logs, plans, states
work/       the directories of active runs
"""

import fcntl
import os
import re
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tfruns.home import user_path
from tfruns.local.cannot_start import CannotStart
from tfruns.local.files import make_private_directory, open_private

_KEY = re.compile(rb"[0-9a-f]{64}\s*")
_MOVE_AWAY = "Move it away and start the server again."
_LOCK_TIMEOUT_S = 0.5  # another process may hold the lock briefly to check whether the directory is owned


@dataclass(frozen=True, slots=True)
class Owner:
    """The server that owns a data directory."""

    url: str
    pid: int


class InUse(CannotStart):
    """Another server owns the data directory.

    Attributes:
        owner: the other server; None while it is starting.
    """

    def __init__(self, directory: Path, owner: Owner | None) -> None:
        user = f"the server at {owner.url} (process {owner.pid})" if owner else "a server that is starting or stopping"
        super().__init__(
            f"The data directory {directory} is used by {user}. Stop it with `tfruns server stop`, or use another "
            "directory."
        )
        self.owner = owner


class UnusableFile(CannotStart):
    """A file of the data directory is damaged. The text names the file and the solution."""


def _is_locked_exclusively(directory: int) -> bool:
    """Try to lock an open directory exclusively, and return whether this succeeded."""
    deadline = time.monotonic() + _LOCK_TIMEOUT_S
    while True:
        try:
            fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_LOCK_TIMEOUT_S / 10)
        except OSError:  # a network file system that cannot lock directories; the lock file suffices
            return True
        else:
            return True


def _is_locked(path: Path) -> bool:
    """Whether another process has locked a file or directory exclusively."""
    try:
        opened = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared, so that two processes can check at the same time
    except BlockingIOError:
        return True
    finally:
        os.close(opened)
    return False


def _default_path() -> Path:
    if chosen := os.environ.get("TFRUNS_DATA_DIR"):
        return Path(chosen)
    import platformdirs  # noqa: PLC0415  # imported only if the directory is not set

    return platformdirs.user_data_path("tfruns", appauthor=False)


class DataDirectory:
    """A data directory. It is created at the first use, for the owner only.

    Args:
        path: its path. Default: `TFRUNS_DATA_DIR`, or the platform's directory for application data.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = user_path(
            lambda: path or _default_path(), instead="set TFRUNS_DATA_DIR to an absolute path"
        ).absolute()

    @property
    def objects(self) -> Path:
        return self.path / "objects"

    @property
    def work(self) -> Path:
        return self.path / "work"

    @property
    def identity(self) -> str:
        """A name for the directory that is unique across machines."""
        return f"{self.path} on {socket.gethostname()}"

    @property
    def database(self) -> Path:
        """The SQLite database."""
        return self.path / "tfruns.db"

    @contextmanager
    def owned(self) -> Iterator[None]:
        """Own the directory within a block.

        Raises:
            InUse: another server owns it.
            UnusableFile: it cannot be created, or one of its files is a directory, or the reverse.
        """
        import filelock  # noqa: PLC0415  # only a server needs it

        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            problem = f"The data directory {self.path} cannot be created: {error.strerror}"
            raise UnusableFile(f"{problem}. Use another --data-dir.") from None
        self._check_kinds()
        lock = filelock.FileLock(self._lock, timeout=_LOCK_TIMEOUT_S, mode=0o600, thread_local=False)
        try:
            lock.acquire()
        except filelock.Timeout:
            raise InUse(self.path, self.owner()) from None
        try:
            with self._directory_locked():
                yield from self._prepared()
        finally:
            lock.release()

    def _check_kinds(self) -> None:
        for path in (self._lock, self._address, self.token_file, self._key):
            if path.is_dir():
                raise UnusableFile(f"The data directory cannot be used: {path} is a directory. {_MOVE_AWAY}")
        for path in (self.objects, self.work):
            if path.exists() and not path.is_dir():
                raise UnusableFile(f"The data directory cannot be used: {path} is not a directory. {_MOVE_AWAY}")

    def _prepared(self) -> Iterator[None]:
        try:
            self._address.unlink(missing_ok=True)  # left by a server that was killed
            for path in (self.objects, self.work):
                make_private_directory(path)
            yield
        finally:
            self._address.unlink(missing_ok=True)

    @contextmanager
    def _directory_locked(self) -> Iterator[None]:
        """Lock the directory itself too, because a user may delete the lock file while the server runs.

        Raises:
            InUse: another server has locked it.
        """
        directory = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            if not _is_locked_exclusively(directory):
                raise InUse(self.path, self.owner())
            yield
        finally:
            os.close(directory)

    def is_owned(self) -> bool:
        """Whether a server currently owns the directory."""
        return any(_is_locked(path) for path in (self._lock, self.path))

    def owner(self) -> Owner | None:
        """The server that owns the directory; None if it has not published its address."""
        try:
            url, _, pid = self._address.read_text(encoding="utf-8").strip().partition(" ")
            return Owner(url, int(pid))
        except (FileNotFoundError, ValueError):
            return None

    def announce(self, url: str) -> None:
        """Publish the address of the running server, and store its port for the next one."""
        self._write("port", f"{urlsplit(url).port}\n")
        self._write("address", f"{url} {os.getpid()}\n")

    def withdraw(self) -> None:
        """Remove the published address, because the server is stopping."""
        self._address.unlink(missing_ok=True)

    def last_port(self) -> int:
        """The port of the last server; 0 if it is unknown."""
        try:
            port = int((self.path / "port").read_text(encoding="ascii"))
        except (OSError, ValueError):
            return 0
        return port if 0 < port <= 65535 else 0

    @property
    def certificate(self) -> Path:
        """The path of the server's self-signed certificate, which exists only if it was requested."""
        return self.path / "tls" / "certificate.pem"

    @property
    def token_file(self) -> Path:
        """The path of the admin's token."""
        return self.path / "token"

    @property
    def _lock(self) -> Path:
        return self.path / "lock"

    @property
    def _key(self) -> Path:
        return self.path / "key"

    @property
    def _address(self) -> Path:
        return self.path / "address"

    def token(self) -> str | None:
        """The admin's token; None before the first start.

        Raises:
            UnusableFile: the file is not a text file.
        """
        try:
            return self.token_file.read_text(encoding="utf-8").strip() or None
        except FileNotFoundError:
            return None
        except (UnicodeDecodeError, IsADirectoryError):
            raise UnusableFile(
                f"The token cannot be read: {self.token_file} is not a text file. "
                "Delete it and start the server, which writes a new token."
            ) from None

    def keep_token(self, token: str) -> None:
        """Store the admin's token."""
        self._write("token", f"{token}\n")

    def key(self) -> bytes:
        """The key that signs short-lived URLs. A missing or invalid key is replaced."""
        path = self._key
        if not path.exists() or not _KEY.fullmatch(path.read_bytes()):
            self._write("key", secrets.token_hex(32))
        return path.read_bytes()

    def _write(self, name: str, text: str) -> None:
        unfinished = self.path / f".{name}.{os.getpid()}"
        with open(unfinished, "w", encoding="utf-8", opener=open_private) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())  # otherwise a power failure could leave an empty key, with which anyone can sign
        unfinished.replace(self.path / name)
