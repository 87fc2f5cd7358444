"""`tfruns doctor`."""

from collections.abc import Sequence
from pathlib import Path

from tfruns.cli.cloud_block import read_cloud_block
from tfruns.cli.connection import connection_of
from tfruns.cli.doctor import machine
from tfruns.cli.doctor.findings import Finding, Health, Named, broken, examine
from tfruns.cli.doctor.remote import Remote
from tfruns.cli.exit_codes import ExitCode
from tfruns.cli.options import DEFAULTS, Options
from tfruns.cli.session import finish
from tfruns.cli.tables import print_table
from tfruns.cli.terminal import Styled, print_json, say
from tfruns.errors import TfrunsError
from tfruns.mcp.connection import Connection

_STYLES = {Health.OK: "green", Health.WARNING: "yellow", Health.BROKEN: "bold red", Health.SKIPPED: "dim"}


def doctor(*, options: Options = DEFAULTS) -> None:
    """Look whether everything is there that tfruns needs, and say what to do about what is not.

    It ends with 0 where nothing is broken, and with 1 where something is. Nothing is changed, and no token is shown.

    For example:
        tfruns doctor
        tfruns doctor --local
        tfruns doctor --json
    """

    async def work() -> ExitCode:
        connection = connection_of(options)
        try:
            found = await _examined(connection, options)
        finally:
            await connection.aclose()
        _show(found, is_json=options.json)
        return ExitCode.ERROR if _is_broken(found) else ExitCode.DONE

    finish(work, is_json=options.json)


async def _examined(connection: Connection, options: Options) -> list[tuple[str, Finding]]:
    here = [
        Named("terraform", machine.terraform),
        Named("local backend", lambda: machine.local_backend(options.data_dir)),
        Named("audit log", machine.audit),
        Named("versions", machine.versions),
    ]
    try:
        client = await connection.client()
        organization = client.settings.organization or read_cloud_block(Path.cwd()).organization
    except TfrunsError as error:
        return [("address", broken(error.message, error.solution)), *await examine(here)]
    remote = Remote(client, organization, "the data directory" if options.local else None)
    try:
        return await examine([*remote.checks(), *here])
    finally:
        await remote.aclose()


def _show(found: Sequence[tuple[str, Finding]], *, is_json: bool) -> None:
    if is_json:
        rows = [
            {"check": name, "health": str(finding.health), "text": finding.text, "remedy": finding.remedy or None}
            for name, finding in found
        ]
        print_json({"is_well": not _is_broken(found), "checks": rows})
        return
    print_table(
        ["check", "health", "", "what to do"],
        [
            (name, Styled(finding.health, _STYLES[finding.health]), finding.text, finding.remedy)
            for name, finding in found
        ],
    )
    if _is_broken(found):
        say("Something is broken: see what to do.", "bold red")


def _is_broken(found: Sequence[tuple[str, Finding]]) -> bool:
    return any(finding.health is Health.BROKEN for _, finding in found)
