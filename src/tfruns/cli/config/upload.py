"""`tfruns config upload`."""

import shlex
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.options import DEFAULTS, Include, Options, Organization, Workspace
from tfruns.cli.session import Session, command
from tfruns.cli.tables import print_fields
from tfruns.cli.targets import resolve_workspace
from tfruns.cli.terminal import say
from tfruns.home import user_path
from tfruns.tool import View

_DRAWN = ("configuration_version_id", "workspace_id", "status", "files", "bytes", "packed_bytes")


def upload(
    directory: Annotated[Path, Parameter(help="What holds the configuration")] = Path(),
    /,
    *,
    workspace: Workspace = None,
    organization: Organization = None,
    speculative: Annotated[bool, Parameter(help="Only for plan-only runs")] = False,
    include: Include = (),
    options: Options = DEFAULTS,
) -> None:
    """Upload a directory as a configuration version of a workspace. It starts no run.

    .terraformignore is honoured; .terraform/ and state files are left out. Files that likely hold secrets (.env, keys,
    credentials, saved plans, variable files that Terraform does not load by itself) are left out and listed.

    For example:
        tfruns config upload . --workspace network
        tfruns config upload ./infrastructure --speculative --json
    """

    async def work(session: Session) -> None:
        view = await session.call(
            "upload_configuration",
            workspace_id=resolve_workspace(session, workspace, organization),
            directory=session.allow(user_path(lambda: directory, instead="give an absolute path")),
            speculative=speculative,
            include=list(include) or None,
        )
        session.show(view, partial(_print, options=options))

    command(work, options)


def _print(view: View, options: Options) -> None:
    print_fields({**{name: view.get(name) for name in _DRAWN}, "left_out": _left_out(view["left_out"])})
    say_left_out(view)
    named = ["--workspace", view["workspace_id"], "--configuration-version", view["configuration_version_id"]]
    speculative = ["--plan-only"] if "plan_only" in view["next"] else []
    say(f"Next: {shlex.join(['tfruns', 'run', 'create', *named, *speculative, *options.where()])}")


def _left_out(counts: Mapping[str, int]) -> str | None:
    return ", ".join(f"{number} {why}" for why, number in counts.items()) or None


def say_left_out(view: View) -> None:
    """Say which files were left out as likely secrets, and how to upload them all the same; and any other note."""
    withheld = view.get("likely_secrets_left_out", [])
    if withheld:
        say(f"Left out as likely secrets: {', '.join(withheld)}. (--include PATH uploads one.)")
    if view.get("note"):
        say(view["note"])
    if view.get("variable_files_uploaded"):
        say(f"Uploaded variable files, which may hold secrets: {', '.join(view['variable_files_uploaded'])}.")
