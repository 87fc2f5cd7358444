"""The data directory: one server owns it at a time, and others find that server through it.

lock        held by the server while it runs, as is the directory itself
address     the address and process id of the running server
port        the port of the last server, which the next one uses again
token       the admin's API token, readable by the owner alone
key         signs addresses of logs and uploads
tls/        the server's own certificate and its key, if it was asked for one
tfruns.db   the database, if it is SQLite
objects/    configurations, logs, plans, states
work/       the directories of runs that are under way
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

DEFAULT_ORGANIZATION = "default"  # exists from the first start on

_KEY = re.compile(rb"[0-9a-f]{64}\s*")
_MOVE_AWAY = "Move it away and start the server again."
_LOOKS_LAST_S = 0.5  # somebody may just be looking whether the directory is owned


@dataclass(frozen=True, slots=True)
class Owner:
    """The server that owns a data directory."""

    url: str
    pid: int


class InUse(CannotStart):
    """Another server owns the data directory.

    Attributes:
        owner: it, or None while it is still starting.
    """

    def __init__(self, directory: Path, owner: Owner | None) -> None:
        who = f"the server at {owner.url} (process {owner.pid})" if owner else "a server that is starting or stopping"
        super().__init__(f"{directory} is used by {who}. Stop it with `tfruns server stop`, or use another directory.")
        self.owner = owner


class UnusableFile(CannotStart):
    """A file of the data directory is damaged. The text says which one, and what to do about it."""


def _is_locked_exclusively(directory: int) -> bool:
    """Lock an open directory for this process alone, if nobody else has locked it."""
    deadline = time.monotonic() + _LOOKS_LAST_S
    while True:
        try:
            fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_LOOKS_LAST_S / 10)
        except OSError:  # a network file system that locks no directories; the lock file has to do
            return True
        else:
            return True


def _is_locked(path: Path) -> bool:
    """Whether another process has locked a file or directory for itself."""
    try:
        opened = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: another one that checks is no owner
    except BlockingIOError:
        return True
    finally:
        os.close(opened)
    return False


def _default_path() -> Path:
    if chosen := os.environ.get("TFRUNS_DATA_DIR"):
        return Path(chosen)
    import platformdirs  # noqa: PLC0415  # only where nothing is set

    return platformdirs.user_data_path("tfruns", appauthor=False)


class DataDirectory:
    """One data directory. It is made when it is first needed, for the owner alone.

    Args:
        path: where it is; by default `TFRUNS_DATA_DIR`, or where the platform keeps the data of applications.
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
        """What the directory is called on all machines."""
        return f"{self.path} on {socket.gethostname()}"

    @property
    def database(self) -> Path:
        """The SQLite database."""
        return self.path / "tfruns.db"

    @contextmanager
    def owned(self) -> Iterator[None]:
        """Own the directory.

        Raises:
            InUse: another server does.
            UnusableFile: a file of it is a directory, or the reverse.
        """
        import filelock  # noqa: PLC0415  # only a server needs it

        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._check_kinds()
        lock = filelock.FileLock(self._lock, timeout=_LOOKS_LAST_S, mode=0o600, thread_local=False)
        try:
            lock.acquire()
        except filelock.Timeout:
            raise InUse(self.path, self.owner()) from None
        try:
            with self._held():
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
            self._address.unlink(missing_ok=True)  # that of a server that was killed
            for path in (self.objects, self.work):
                make_private_directory(path)
            yield
        finally:
            self._address.unlink(missing_ok=True)

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Lock the directory itself, too: somebody may delete the lock file while the server runs.

        Raises:
            InUse: another server holds it.
        """
        directory = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            if not _is_locked_exclusively(directory):
                raise InUse(self.path, self.owner())
            yield
        finally:
            os.close(directory)

    def is_owned(self) -> bool:
        """Whether a server owns the directory now."""
        return any(_is_locked(path) for path in (self._lock, self.path))

    def owner(self) -> Owner | None:
        """The server that owns the directory, as far as it has said where it is."""
        try:
            url, _, pid = self._address.read_text(encoding="utf-8").strip().partition(" ")
            return Owner(url, int(pid))
        except (FileNotFoundError, ValueError):
            return None

    def announce(self, url: str) -> None:
        """Publish the address of the server that runs, and keep its port for the next one."""
        self._write("port", f"{urlsplit(url).port}\n")
        self._write("address", f"{url} {os.getpid()}\n")

    def withdraw(self) -> None:
        """Let nobody find the server any more: it stops."""
        self._address.unlink(missing_ok=True)

    def last_port(self) -> int:
        """The port of the last server; 0 if there was none, or the file is damaged."""
        try:
            port = int((self.path / "port").read_text(encoding="ascii"))
        except (OSError, ValueError):
            return 0
        return port if 0 < port <= 65535 else 0

    @property
    def certificate(self) -> Path:
        """Where the server's own certificate is, if it has been asked for one."""
        return self.path / "tls" / "certificate.pem"

    @property
    def token_file(self) -> Path:
        """Where the admin's token is kept."""
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
            UnusableFile: the file is no text.
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
        """Write the admin's token down."""
        self._write("token", f"{token}\n")

    def key(self) -> bytes:
        """The key that signs addresses, which are valid for a short time; created where there is no usable one."""
        path = self._key
        if not path.exists() or not _KEY.fullmatch(path.read_bytes()):
            self._write("key", secrets.token_hex(32))
        return path.read_bytes()

    def _write(self, name: str, text: str) -> None:
        unfinished = self.path / f".{name}.{os.getpid()}"
        with open(unfinished, "w", encoding="utf-8", opener=open_private) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())  # a power cut would leave an empty key, with which anybody can sign
        unfinished.replace(self.path / name)
