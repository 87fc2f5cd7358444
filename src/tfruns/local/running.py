"""A whole local backend: its directory owned, its database open, its engine started, and an application to serve.

Whoever serves it decides how: over a socket (`server`), or in process (`embedded`).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import URL, make_url, select
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from starlette.applications import Starlette

from tfruns.local.api.app import build_app
from tfruns.local.api.authentication import create_admin, is_known
from tfruns.local.api.rate_limit import RateLimiter
from tfruns.local.api.signer import Signer
from tfruns.local.backend import Backend, Options
from tfruns.local.cannot_start import CannotStart
from tfruns.local.data_dir import DEFAULT_ORGANIZATION, DataDirectory
from tfruns.local.engine.engine import Engine
from tfruns.local.engine.inputs import ExecutionConfig
from tfruns.local.service.workspaces import create_organization
from tfruns.local.store.claim import Claim
from tfruns.local.store.database import Database
from tfruns.local.store.objects import Objects
from tfruns.local.store.schema import OrganizationRow, UserRow
from tfruns.local.store.sqlite_file import visible_damage
from tfruns.local.terraform.api_access import ApiAccess
from tfruns.local.terraform.environment import OperatorSettings
from tfruns.local.terraform.executable import find_terraform
from tfruns.masking.redaction import remember_secret

_PASSWORDS = {"password", "sslpassword"}  # in the query of a URL
_FEWEST_WORKERS = 4  # providers mostly wait for the network


class PhaseStuck(Exception):
    """A phase does not end though its Terraform was killed; its thread keeps the process from ending by itself."""


class DatabaseInUse(CannotStart):
    """The server of another data directory uses the database."""


class DatabaseUnusable(CannotStart):
    """The database cannot be opened, or is none."""


@dataclass(frozen=True, slots=True)
class BackendOptions:
    """How a local backend is set up.

    Attributes:
        database: the URL of another database than the SQLite file in the data directory. It may have a password.
        terraform: the Terraform or OpenTofu to use, instead of the first that is found.
        workers: how many plans and applies are executed at a time; by default one for each core, and at least four.
        is_rate_limited: refuse what is above HCP Terraform's limits.
        signer: signs addresses and the tokens of runs.
        keep: how long logs and plans of runs that are over are kept; None for ever.
        force_cancel_after: the cool-off between a cancel and a force-cancel.
        settings: what every run gets: a plugin cache, a CLI configuration.
    """

    database: str | None = None
    terraform: str | None = None
    workers: int | None = None
    is_rate_limited: bool = False
    keep: timedelta | None = None
    force_cancel_after: timedelta = timedelta(seconds=10)
    settings: OperatorSettings = field(default_factory=OperatorSettings)


@dataclass(frozen=True, slots=True)
class Running:
    """A backend that answers requests.

    Attributes:
        claim: on the database.
        app: what answers them.
        token: the admin's API token.
        backend: its parts.
        engine: what executes its runs, once it is started.
        workshop: where and with what.
        keep: how long logs and plans of runs that are over are kept.
    """

    claim: Claim
    app: Starlette
    token: str
    backend: Backend
    engine: Engine
    workshop: ExecutionConfig
    signer: Signer
    keep: timedelta | None

    @contextmanager
    def executing(self, url: str | None = None, certificate: Path | None = None) -> Iterator[None]:
        """Execute runs in this block, first what the last server has left; at its end they stop, with their state kept.

        Args:
            url: the address of the server, by which runs can read the states of other workspaces.
            certificate: the server's certificate, if it is self-signed.

        Raises:
            SecondBackend: this process executes those of a PostgreSQL database already.
            DatabaseUnusable: what it has to execute cannot be read.
            PhaseStuck: one of them does not stop.
        """
        workshop = self.workshop
        if url is not None:
            workshop = replace(
                workshop, api_of_run=lambda run_id: ApiAccess(url, self.signer.run_token(run_id), certificate)
            )
        with _readable(self.backend.database):
            self.engine.start(self.backend, workshop, keep=self.keep, claim=self.claim)
        try:
            yield
        finally:
            if not self.engine.stop():
                raise PhaseStuck("A phase did not end; what it left is taken up at the next start.")


@contextmanager
def running(directory: DataDirectory, options: BackendOptions) -> Iterator[Running]:
    """A backend, from here to the end of the block. It executes nothing yet: see `Running.executing`.

    Raises:
        InUse: another server owns the directory.
        NoTerraform: there is none, or the one that is named is none.
        DatabaseTooNew: the database was written by a newer version.
        DatabaseUnusable: it cannot be opened.
        DatabaseInUse: another server uses it.
        OSError: the directory cannot be written.
    """
    terraform = find_terraform(options.terraform)
    with directory.owned():
        url = _database_url(options.database) if options.database else None
        sqlite = URL.create("sqlite", database=str(directory.database)).render_as_string()
        database = _opened(url or sqlite, directory)
        claim = Claim(database, directory.identity)
        try:
            owner = claim.take()
            if owner is not None:
                raise DatabaseInUse(
                    f"The database is in use: the server of {owner} is running on it. "
                    "Stop that server first, or use another database."
                )
            engine = Engine(url, workers=options.workers or _workers())
            backend = Backend(
                database, Objects(directory.objects), engine, Options(terraform.version, options.force_cancel_after)
            )
            with _readable(database):
                token = _first_start(backend, directory)
            signer = Signer(directory.key())
            app = build_app(backend, signer, RateLimiter(is_limited=options.is_rate_limited))
            yield Running(
                claim,
                app,
                token,
                backend,
                engine,
                ExecutionConfig(terraform, directory.work, options.settings.prepared()),
                signer,
                options.keep,
            )
        finally:
            claim.release()
            database.close()


def forbid_password(text: str) -> None:
    """Refuse the URL of a database with a password, where other users of the machine can read it.

    Raises:
        DatabaseUnusable: it has one, or cannot be read.
    """
    url = _parsed(text)
    if url.password is not None or _PASSWORDS & url.query.keys():
        raise DatabaseUnusable(
            "The database cannot be used: its URL on the command line has a password, which every user of this machine "
            "can read in the list of processes. Change the password, and put it into a password file (PGPASSFILE), or "
            "put the whole URL into TFRUNS_DATABASE."
        )


def _parsed(text: str) -> URL:
    try:
        return make_url(text)
    except (ArgumentError, ValueError):  # the latter for a port that is none
        raise DatabaseUnusable("The database's URL cannot be read. It is like postgresql://user@host/name.") from None


def _database_url(text: str) -> str:
    """The URL of a PostgreSQL database, with the driver that is installed."""
    url = _parsed(text)
    for secret in (url.password, *(url.query.get(name) for name in _PASSWORDS)):
        if isinstance(secret, str) and secret:
            remember_secret(secret)
    if url.get_backend_name() not in {"postgresql", "postgres"}:
        raise DatabaseUnusable(
            f"A database of {url.get_backend_name()} cannot be used: there are PostgreSQL, and SQLite without a URL."
        )
    return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def _opened(text: str, directory: DataDirectory) -> Database:
    """The database, found undamaged and brought up to date."""
    url = make_url(text)
    if url.get_backend_name() == "sqlite" and url.database:
        _refuse_damage(visible_damage(Path(url.database), directory.objects / "state"), url)
    try:
        database = Database(text)
        _refuse_damage(database.damage(), url)
        database.migrate()
    except (SQLAlchemyError, ImportError) as error:
        raise _unusable(_reason(error), url) from None
    return database


@contextmanager
def _readable(database: Database) -> Iterator[None]:
    """A block in which an error of the database, or a value in it that is none, keeps the backend from starting."""
    try:
        yield
    except (SQLAlchemyError, ValueError) as error:
        raise _unusable(_reason(error), database.engine.url) from None


def _refuse_damage(damage: str | None, url: URL) -> None:
    if damage is not None:
        raise _unusable(damage, url)


def _reason(error: Exception) -> str:
    if isinstance(error, SQLAlchemyError | ImportError):
        return str(getattr(error, "orig", None) or error).partition("\n")[0]
    return "a value in it cannot be read"  # which one may be secret


def _unusable(why: str, url: URL) -> DatabaseUnusable:
    advice = ""
    if url.get_backend_name() == "sqlite":
        advice = (
            f" Restore {url.database} from a backup, and delete the files with -wal and -shm after its name. Without a "
            "backup, move all three away to start with an empty database; the objects directory still has the states."
        )
    return DatabaseUnusable(f"The database cannot be used: {why}.{advice}")


def _first_start(backend: Backend, directory: DataDirectory) -> str:
    """The admin's token; made, with an organization, where there is none for this database."""
    with backend.database.write() as write:
        is_new = write.session.scalars(select(UserRow)).first() is None
        # It is there already where a first start was killed before it had made the user.
        if is_new and write.session.get(OrganizationRow, DEFAULT_ORGANIZATION) is None:
            create_organization(backend, write, DEFAULT_ORGANIZATION, None)
    token = directory.token()
    if token is None or not is_known(backend, token):
        token = create_admin(backend)
        directory.keep_token(token)
    return token


def _workers() -> int:
    return max(os.cpu_count() or 1, _FEWEST_WORKERS)
