"""`tfruns server`."""

import logging
import os
import shlex
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, NoReturn

from cyclopts import Parameter
from cyclopts.types import PositiveInt

from tfruns.cli.exit_codes import ExitCode
from tfruns.cli.options import seconds
from tfruns.cli.passkeys import PASSKEY, passkeys_in
from tfruns.errors import InvalidInput
from tfruns.log_output import log_to_standard_error
from tfruns.loopback import is_loopback

_DEFAULT_PORT = 8088
_DATA_DIR = "Store all data here (default: TFRUNS_DATA_DIR)"
_PORT = "Listen on this port; 0 for the last one or any free port"
_HOST = "Listen on this address"
_IDLE_EXIT = "Exit after this time without use, e.g. 15m or 1h30m"
_DATABASE = "Use PostgreSQL at this URL (default: TFRUNS_DATABASE)"
_TERRAFORM = "Execute this Terraform or OpenTofu (default: on the PATH)"
_KEEP = "Delete logs and plans this long after a run, e.g. 30d"
_FORCE_CANCEL = "Allow a force-cancel this long after a cancel, e.g. 10s"
_WORKERS = "Execute at most this many plans and applies concurrently"
_SELF_SIGNED = "Serve HTTPS with a generated self-signed certificate"
_PRINT_CLI_CONFIG = "Print the Terraform CLI configuration, and exit"
_CACHE = "Cache providers in this directory between runs"
_CLI_CONFIG = "Use this Terraform CLI configuration file for all runs"


def serve(
    *,
    data_dir: Annotated[Path | None, Parameter(help=_DATA_DIR)] = None,
    port: Annotated[int, Parameter(help=_PORT)] = _DEFAULT_PORT,
    host: Annotated[str, Parameter(help=_HOST)] = "127.0.0.1",
    tls_cert: Annotated[Path | None, Parameter(help="Serve HTTPS with this certificate chain (PEM)")] = None,
    tls_key: Annotated[Path | None, Parameter(help="Use this key of the certificate (PEM)")] = None,
    self_signed: Annotated[bool, Parameter(help=_SELF_SIGNED)] = False,
    insecure: Annotated[bool, Parameter(help="Allow plain HTTP on addresses other than loopback")] = False,
    database: Annotated[str | None, Parameter(help=_DATABASE)] = None,
    terraform: Annotated[str | None, Parameter(help=_TERRAFORM)] = None,
    workers: Annotated[PositiveInt | None, Parameter(help=_WORKERS)] = None,
    rate_limit: Annotated[bool, Parameter(help="Enforce the rate limits of HCP Terraform")] = False,
    keep: Annotated[int | None, seconds(_KEEP, "d")] = None,
    force_cancel_after: Annotated[int, seconds(_FORCE_CANCEL)] = 10,
    plugin_cache: Annotated[Path | None, Parameter(help=_CACHE)] = None,
    cli_config: Annotated[Path | None, Parameter(help=_CLI_CONFIG)] = None,
    print_cli_config: Annotated[bool, Parameter(help=_PRINT_CLI_CONFIG)] = False,
    passkey: Annotated[bool, Parameter(help=PASSKEY)] = False,
    idle_exit: Annotated[str | None, Parameter(help=_IDLE_EXIT)] = None,
) -> None:
    """Serve HCP Terraform's run API on this machine.

    Runs are executed with real Terraform. When the server is ready, it prints `listening on http://127.0.0.1:PORT`. The
    API token is in the file `token` of the data directory. The first start creates the organization `default`. Anyone
    with the token can execute code on this machine, because configurations are executed. An address other than loopback
    requires HTTPS or --insecure.

    Data is stored in a platform-specific directory if neither --data-dir nor TFRUNS_DATA_DIR is set, and in SQLite if
    no PostgreSQL database is set. The URL in --database must not contain a password. --keep deletes only the logs and
    plans; the runs are kept. By default, as many phases run concurrently as there are cores, but at least four. For
    --idle-exit, requests, attached processes and active runs count as use.

    With --passkey, destructive decisions on the web pages require a passkey (extra `passkey`).

    Ctrl-C or SIGTERM stops the server: Terraform is interrupted, and its state is saved. A second signal stops it
    immediately. `tfruns server status` shows the server of a data directory, and `tfruns server stop` stops it.

    For example:
        tfruns server --port 8088
        tfruns server --data-dir ./runs --keep 30
    """
    from tfruns.local.cannot_start import INSTALL_EXTRA, CannotStart, check_platform  # noqa: PLC0415

    try:
        check_platform()
        from tfruns.local.bind_config import BindConfig  # noqa: PLC0415
        from tfruns.local.cli_config import cli_configuration  # noqa: PLC0415
        from tfruns.local.data_dir import DataDirectory  # noqa: PLC0415
        from tfruns.local.idle import idle_exit_s  # noqa: PLC0415
        from tfruns.local.server import serve as serve_until_signal  # noqa: PLC0415
        from tfruns.local.startup import BackendOptions  # noqa: PLC0415
        from tfruns.local.store.open_database import forbid_password  # noqa: PLC0415
        from tfruns.local.terraform.environment import OperatorSettings  # noqa: PLC0415
        from tfruns.web.beside_api import add_pages  # noqa: PLC0415
    except CannotStart as error:
        _fail(str(error))
    except ImportError as error:
        _fail(f"The local backend needs the extra `local` ({error.name} is missing). {INSTALL_EXTRA}")
    if keep == 0:
        _fail("--keep must be longer than 0. Omit it to keep all logs and plans.", ExitCode.USAGE)
    options = BackendOptions(
        database=database or os.environ.get("TFRUNS_DATABASE"),
        terraform=terraform,
        workers=workers,
        is_rate_limited=rate_limit,
        keep=None if keep is None else timedelta(seconds=keep),
        force_cancel_after=timedelta(seconds=force_cancel_after),
        settings=OperatorSettings(plugin_cache=plugin_cache, cli_config=cli_config),
    )
    listening = BindConfig(host, port, tls_cert, tls_key, is_insecure=insecure, is_self_signed=self_signed)
    log_to_standard_error(logging.INFO)
    directory = DataDirectory(data_dir)
    try:
        if database is not None:
            forbid_password(database)
        if print_cli_config:
            print(cli_configuration(directory, listening), end="")
            return
        exit_after_s = idle_exit_s(idle_exit) if idle_exit is not None else None
        pages = partial(
            add_pages,
            link_command=_link_command(directory.path, DataDirectory().path, host),
            passkeys=passkeys_in(directory.path) if passkey else None,
        )
        serve_until_signal(directory, options, listening, idle_exit_s=exit_after_s, add_pages=pages)
    except InvalidInput as error:
        from tfruns.cli.terminal import texts_for_person  # noqa: PLC0415  # only on failure

        _fail(" ".join(texts_for_person(error)), ExitCode.USAGE)
    except (CannotStart, OSError) as error:
        _fail(str(error))


def _link_command(directory: Path, default: Path, host: str) -> str:
    """The command that prints a link to the pages of this server. Other machines do not learn the directory."""
    shown = str(directory) if is_loopback(host) else "DIR"
    options = ["--local"] if directory == default else ["--data-dir", shown]
    return shlex.join(["tfruns", "web", "link", *options])


def _fail(text: str, code: ExitCode = ExitCode.ERROR) -> NoReturn:
    print(f"tfruns server: {text}", file=sys.stderr)
    sys.exit(code)
