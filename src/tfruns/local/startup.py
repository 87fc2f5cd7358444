"""Opening a local backend: it owns its directory, its database is open, and its application is ready for requests.

Two callers serve the application: `server` over a socket, and `embedded` in the same process.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select
from starlette.types import ASGIApp

from tfruns.local import DEFAULT_ORGANIZATION
from tfruns.local.api.app import build_app
from tfruns.local.api.authentication import create_admin, is_valid_token
from tfruns.local.api.rate_limit import RateLimiter
from tfruns.local.api.signer import Signer
from tfruns.local.backend import Backend
from tfruns.local.cannot_start import CannotStart
from tfruns.local.data_dir import DataDirectory
from tfruns.local.engine.engine import Engine
from tfruns.local.engine.inputs import ExecutionConfig
from tfruns.local.service.workspaces import create_organization
from tfruns.local.store.claim import Claim
from tfruns.local.store.objects import Objects
from tfruns.local.store.open_database import database_errors, open_database, postgresql_url, sqlite_url
from tfruns.local.store.schema import OrganizationRow, UserRow
from tfruns.local.terraform.api_access import ApiAccess
from tfruns.local.terraform.environment import OperatorSettings
from tfruns.local.terraform.executable import find_terraform

_MIN_WORKERS = 4  # providers spend most of their time waiting for the network


class PhaseStuck(Exception):
    """A phase does not stop although its Terraform was killed. Its thread keeps the process from exiting."""


class DatabaseInUse(CannotStart):
    """The server of another data directory uses the database."""


@dataclass(frozen=True, slots=True)
class BackendOptions:
    """The options of a local backend.

    Attributes:
        database: the URL of a PostgreSQL database, which may contain a password. Default: the SQLite file in the data
            directory.
        terraform: the Terraform or OpenTofu executable. Default: the first that is found.
        workers: the number of plans and applies that run at a time. Default: one per core, at least four.
        is_rate_limited: whether requests above HCP Terraform's limits are refused.
        keep: how long logs and plans of finished runs are kept; None for ever.
        force_cancel_after: the cool-off between a cancel and a force-cancel.
        settings: the environment of every run: a plugin cache, a CLI configuration.
    """

    database: str | None = None
    terraform: str | None = None
    workers: int | None = None
    is_rate_limited: bool = False
    keep: timedelta | None = None
    force_cancel_after: timedelta = timedelta(seconds=10)
    settings: OperatorSettings = field(default_factory=OperatorSettings)


@dataclass(frozen=True, slots=True)
class OpenBackend:
    """A backend that is ready for requests.

    Attributes:
        claim: the claim on the database.
        app: the application that serves the API.
        token: the admin's API token.
        backend: the parts of the backend.
        engine: executes the runs within `executing`.
        execution: where and with which Terraform runs are executed.
        signer: signs URLs and the tokens of runs.
        keep: how long logs and plans of finished runs are kept; None for ever.
    """

    claim: Claim
    app: ASGIApp
    token: str
    backend: Backend
    engine: Engine
    execution: ExecutionConfig
    signer: Signer
    keep: timedelta | None

    @contextmanager
    def executing(self, url: str | None = None, certificate: Path | None = None) -> Iterator[None]:
        """Execute runs within this block, starting with those that the previous server left unfinished.

        At the end of the block the runs are stopped, and their states are kept.

        Args:
            url: the URL of the server, from which runs read the states of other workspaces.
            certificate: the server's certificate, if it is self-signed.

        Raises:
            SecondBackend: this process already executes the runs of a PostgreSQL database.
            DatabaseUnusable: the unfinished runs cannot be read.
            PhaseStuck: a run does not stop.
        """
        execution = self.execution
        if url is not None:
            execution = replace(
                execution, api_of_run=lambda run_id: ApiAccess(url, self.signer.run_token(run_id), certificate)
            )
        with database_errors(self.backend.database):
            self.engine.start(self.backend, execution, keep=self.keep, claim=self.claim)
        try:
            yield
        finally:
            if not self.engine.stop():
                raise PhaseStuck("A phase did not stop. It is resumed at the next start.")


@contextmanager
def open_backend(directory: DataDirectory, options: BackendOptions) -> Iterator[OpenBackend]:
    """Open a backend for the length of a block. It executes runs only within `OpenBackend.executing`.

    Raises:
        InUse: another server owns the directory.
        NoTerraform: Terraform is not installed, or the given executable is not a Terraform.
        DatabaseTooNew: a newer version wrote the database.
        DatabaseUnusable: the database cannot be opened.
        DatabaseInUse: another server uses the database.
        OSError: the directory cannot be written.
    """
    terraform = find_terraform(options.terraform)
    with directory.owned():
        url = postgresql_url(options.database) if options.database else None
        database = open_database(url or sqlite_url(directory.database), directory)
        claim = Claim(database, directory.identity)
        try:
            _take(claim)
            engine = Engine(url, workers=options.workers or max(os.cpu_count() or 1, _MIN_WORKERS))
            backend = Backend(
                database, Objects(directory.objects), engine, terraform.version, options.force_cancel_after
            )
            with database_errors(database):
                token = _admin_token(backend, directory)
            signer = Signer(directory.key())
            yield OpenBackend(
                claim=claim,
                app=build_app(backend, signer, RateLimiter(is_limited=options.is_rate_limited)),
                token=token,
                backend=backend,
                engine=engine,
                execution=ExecutionConfig(terraform, directory.work, options.settings.prepared()),
                signer=signer,
                keep=options.keep,
            )
        finally:
            claim.release()
            database.close()


def _take(claim: Claim) -> None:
    owner = claim.take()
    if owner is not None:
        raise DatabaseInUse(
            f"The database is in use: the server of {owner} uses it. Stop that server first, or use another database."
        )


def _admin_token(backend: Backend, directory: DataDirectory) -> str:
    """The admin's token. The first start for a database creates it, and the default organization."""
    with backend.database.write() as write:
        is_new = write.session.scalars(select(UserRow)).first() is None
        # A first start that was killed before it created the user has left the organization.
        if is_new and write.session.get(OrganizationRow, DEFAULT_ORGANIZATION) is None:
            create_organization(backend, write, DEFAULT_ORGANIZATION, None)
    token = directory.token()
    if token is None or not is_valid_token(backend, token):
        token = create_admin(backend)
        directory.keep_token(token)
    return token
