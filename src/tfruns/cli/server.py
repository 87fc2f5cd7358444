"""`tfruns server`, and the group of its commands."""

import logging
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, NoReturn

from cyclopts import Parameter
from cyclopts.types import NonNegativeFloat, PositiveFloat, PositiveInt

from tfruns.cli.commands import add_commands, new_app
from tfruns.errors import InvalidInput
from tfruns.log_output import log_to_standard_error

DEFAULT_PORT = 8088

server = new_app("server")
add_commands(server, "tfruns.cli", {"status": "server_control:status", "stop": "server_control:stop"})

_DATA_DIR = (
    "Where everything is kept; by default TFRUNS_DATA_DIR, or where this platform keeps the data of applications"
)
_PORT = "Port to listen on; 0 for that of this data directory's last server, or any that is free"
_IDLE_EXIT = "Exit after so long without a request, an attached process or a run under way, as 15m or 1h30m"
_DATABASE = (
    "URL of a PostgreSQL database, without a password; by default TFRUNS_DATABASE, else SQLite in the data directory"
)
_TERRAFORM = "The Terraform or OpenTofu to use, instead of the first on the PATH"
_KEEP = "Delete logs and plans of runs that have been over for so many days; the runs themselves stay"
_FORCE_CANCEL = "Seconds between a cancel and the moment from which a run can be force-canceled"
_WORKERS = "How many plans and applies are executed at a time; by default one for each core, and at least four"
_SELF_SIGNED = "Serve HTTPS with a certificate of its own, which is made in the data directory"
_PRINT_CLI_CONFIG = (
    "Print what the Terraform CLI configuration needs for this server, and end; it may be running already"
)
_CACHE = "Where providers are kept between runs (Terraform's plugin cache)"
_CLI_CONFIG = "A Terraform CLI configuration file for all runs, say with a provider mirror"


@server.default
def serve(
    *,
    data_dir: Annotated[Path | None, Parameter(help=_DATA_DIR)] = None,
    port: Annotated[int, Parameter(help=_PORT)] = DEFAULT_PORT,
    host: Annotated[
        str, Parameter(help="Address to listen on; beyond loopback it needs HTTPS or --insecure")
    ] = "127.0.0.1",
    tls_cert: Annotated[Path | None, Parameter(help="Certificate for HTTPS, with its chain (PEM)")] = None,
    tls_key: Annotated[Path | None, Parameter(help="The certificate's key (PEM)")] = None,
    self_signed: Annotated[bool, Parameter(help=_SELF_SIGNED)] = False,
    insecure: Annotated[bool, Parameter(help="Allow plain HTTP beyond loopback")] = False,
    database: Annotated[str | None, Parameter(help=_DATABASE)] = None,
    terraform: Annotated[str | None, Parameter(help=_TERRAFORM)] = None,
    workers: Annotated[PositiveInt | None, Parameter(help=_WORKERS)] = None,
    rate_limit: Annotated[bool, Parameter(help="Refuse what is above HCP Terraform's rate limits")] = False,
    keep: Annotated[PositiveFloat | None, Parameter(help=_KEEP)] = None,
    force_cancel_after: Annotated[NonNegativeFloat, Parameter(help=_FORCE_CANCEL)] = 10,
    plugin_cache: Annotated[Path | None, Parameter(help=_CACHE)] = None,
    cli_config: Annotated[Path | None, Parameter(help=_CLI_CONFIG)] = None,
    print_cli_config: Annotated[bool, Parameter(help=_PRINT_CLI_CONFIG)] = False,
    idle_exit: Annotated[str | None, Parameter(help=_IDLE_EXIT)] = None,
) -> None:
    """Serve HCP Terraform's run API on this machine, with real Terraform underneath.

    When it is ready it prints one line, `listening on http://127.0.0.1:PORT`. The API token stands in the file `token`
    of the data directory, and at the first start there is an organization `default`. Whoever has the token runs code
    here: configurations are executed.

    Ctrl-C or SIGTERM stops it: Terraform is interrupted, and its state is kept. A second one does not wait for that.
    `tfruns server status` shows the server of a data directory, and `tfruns server stop` stops it.

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
    except CannotStart as error:
        _fail(str(error))
    except ImportError as error:
        _fail(f"The local backend needs the extra `local` ({error.name} is missing). {INSTALL_EXTRA}")
    try:
        kept = timedelta(days=keep) if keep is not None else None
        cool_off = timedelta(seconds=force_cancel_after)
        datetime.now(UTC) + cool_off
    except OverflowError:
        _fail("--keep or --force-cancel-after is longer than time goes: it ends with the year 9999.")
    options = BackendOptions(
        database=database or os.environ.get("TFRUNS_DATABASE"),
        terraform=terraform,
        workers=workers,
        is_rate_limited=rate_limit,
        keep=kept,
        force_cancel_after=cool_off,
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
        serve_until_signal(directory, options, listening, idle_exit_s=exit_after_s)
    except InvalidInput as error:
        _fail(f"{error.message} {error.solution}")
    except (CannotStart, OSError) as error:
        _fail(str(error))


def _fail(text: str) -> NoReturn:
    print(f"tfruns server: {text}", file=sys.stderr)
    sys.exit(1)
