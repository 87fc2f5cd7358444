"""A temporary PostgreSQL server for the tests: a cluster in a new directory, with a Unix socket."""

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tfruns.local.store.database import Database

_PATIENCE_S = 60
_USER = "tfruns"
_TEMPLATE = "migrated"
_FASTER = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=100"


class NoServer(Exception):
    """No PostgreSQL server can be started; the message is the reason."""


class Server:
    """A running server.

    Args:
        directory: the directory of its socket.
        restart: stops the server, calls a function, and starts it again.
    """

    def __init__(self, directory: Path, restart: Callable[[Callable[[], None]], None]) -> None:
        self._directory = directory
        self.restart = restart
        self._numbers = itertools.count()
        self._run(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_TEMPLATE)))
        database = Database(self._url(_TEMPLATE))
        database.migrate()
        database.close()

    @contextmanager
    def database(self, *, is_migrated: bool = True) -> Iterator[str]:
        """The URL of a new database, with empty tables or without tables."""
        name = f"test_{next(self._numbers)}"
        template = _TEMPLATE if is_migrated else "template1"
        self._run(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
        try:
            yield self._url(name)
        finally:
            self._run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _url(self, name: str) -> str:
        return f"postgresql+psycopg://{_USER}@/{name}?host={self._directory}"

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(host=str(self._directory), user=_USER, dbname="postgres", autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def postgresql_server() -> Iterator[Server]:
    """Start a server, and stop it afterwards.

    Raises:
        NoServer: it is not installed, or no user can run it (it refuses to run as root).
    """
    programs = _programs()
    directory = Path(tempfile.mkdtemp(prefix="tfruns-pg-"))  # short: the path of a socket has at most 107 bytes
    data = directory / "data"
    user = _unprivileged(directory)
    control = [str(programs / "pg_ctl"), "--pgdata", str(data), "--silent", "--wait"]
    try:
        initdb = [str(programs / "initdb"), "--pgdata", str(data), "--username", _USER, "--auth", "trust"]
        _call([*initdb, "--no-sync", "--encoding", "UTF8", "--locale", "C"], directory, user)
        options = f"-k {directory} -c listen_addresses='' {_FASTER}"
        start = [*control, "--log", str(directory / "log"), "--options", options, "start"]
        stop = [*control, "--mode", "immediate", "stop"]

        def restart(meanwhile: Callable[[], None]) -> None:
            # Not "immediate", which would lose committed data without fsync.
            _call([*control, "--mode", "fast", "stop"], directory, user)
            try:
                meanwhile()
            finally:
                _call(start, directory, user)

        _call(start, directory, user)
        try:
            yield Server(directory, restart)
        finally:
            _call(stop, directory, user)
    finally:
        shutil.rmtree(directory)


def _programs() -> Path:
    """The directory of the server's programs: on the PATH, or Debian's."""
    on_path = shutil.which("initdb")
    if on_path and shutil.which("pg_ctl"):
        return Path(on_path).parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not installed:
        raise NoServer("PostgreSQL is not installed")
    return installed[-1].parent


def _unprivileged(directory: Path) -> dict[str, Any]:
    """The user that runs the server: the current one, or if that is root, another one who then owns the directory."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(directory, found.pw_uid, found.pw_gid)
        return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    raise NoServer("PostgreSQL does not run as root, and no other user exists")


def _call(command: list[str], directory: Path, user: dict[str, Any]) -> None:
    """Run a program with its output in a file, because a server that it starts keeps its output open."""
    words = directory / "output"
    with words.open("ab") as output:
        code = subprocess.run(
            command, cwd=directory, stdout=output, stderr=output, timeout=_PATIENCE_S, check=False, **user
        ).returncode
    assert code == 0, words.read_text()
