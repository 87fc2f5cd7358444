"""`tfruns doctor`."""

from collections.abc import Sequence
from pathlib import Path

from tfruns.cli.cloud_block import read_cloud_block
from tfruns.cli.connection import select_connection
from tfruns.cli.doctor import machine
from tfruns.cli.doctor.findings import Check, Finding, Health, broken, run_checks
from tfruns.cli.doctor.remote import Remote
from tfruns.cli.exit_codes import ExitCode
from tfruns.cli.options import DEFAULTS, CommonOptions
from tfruns.cli.output import print_document
from tfruns.cli.profiles import Profile, active_profile
from tfruns.cli.session import run_and_exit
from tfruns.cli.tables import Column, print_table
from tfruns.cli.terminal import Styled, say
from tfruns.errors import TfrunsError
from tfruns.mcp.connection import Connection, LocalConnection

_STYLES = {Health.OK: "green", Health.WARNING: "yellow", Health.BROKEN: "bold red", Health.SKIPPED: "dim"}


def doctor(*, options: CommonOptions = DEFAULTS) -> None:
    """Check the API, the token and this machine.

    Each problem is shown with its remedy. The exit code is 1 if anything is broken. Nothing is changed, and no token is
    shown.

    For example:
        tfruns doctor
        tfruns doctor --local
        tfruns doctor --json
    """

    async def work() -> ExitCode:
        profile = active_profile(options.profile)
        connection = select_connection(options, profile)
        try:
            found = await _run_checks(connection, options, profile)
        finally:
            await connection.aclose()
        _show(found, is_json=options.json)
        return ExitCode.ERROR if _is_broken(found) else ExitCode.DONE

    run_and_exit(work, options)


async def _run_checks(connection: Connection, options: CommonOptions, profile: Profile) -> list[tuple[str, Finding]]:
    here = [
        Check("terraform", machine.terraform),
        Check("local backend", lambda: machine.local_backend(options.data_dir)),
        Check("audit log", machine.audit),
        Check("versions", machine.versions),
    ]
    try:
        client = await connection.client()
        organization = (
            profile.named("organization")
            or client.settings.organization
            or read_cloud_block(Path.cwd()).organization
            or profile.organization
        )
    except TfrunsError as error:
        return [("address", broken(error.message, error.solution)), *await run_checks(here)]
    remote = Remote(client, organization, "the data directory" if isinstance(connection, LocalConnection) else None)
    try:
        return await run_checks([*remote.checks(), *here])
    finally:
        await remote.aclose()


def _show(found: Sequence[tuple[str, Finding]], *, is_json: bool) -> None:
    if is_json:
        rows = [
            {"check": name, "health": str(finding.health), "text": finding.text, "remedy": finding.remedy or None}
            for name, finding in found
        ]
        print_document({"healthy": not _is_broken(found), "checks": rows})
        return
    print_table(
        (
            Column("check", is_key=True),
            Column("health", is_key=True),
            Column("finding", wraps=True),
            Column("remedy", wraps=True),
        ),
        [
            (name, Styled(finding.health, _STYLES[finding.health]), finding.text, finding.remedy)
            for name, finding in found
        ],
    )
    if _is_broken(found):
        say("Some checks failed. See the remedies.", "bold red")


def _is_broken(found: Sequence[tuple[str, Finding]]) -> bool:
    return any(finding.health is Health.BROKEN for _, finding in found)
