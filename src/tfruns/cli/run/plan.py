"""`tfruns run plan`."""

import json
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.options import DEFAULTS, CommonOptions, Organization, Run, Workspace
from tfruns.cli.output import print_document
from tfruns.cli.private_file import write_private
from tfruns.cli.session import Session, run_command
from tfruns.cli.targets import resolve_run
from tfruns.cli.terminal import say

_OUTPUT = "Write to this file, readable only by you"
_FORCE = "Replace the file if it exists"


def plan(
    run: Run = None,
    /,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-O"], help=_OUTPUT)] = None,
    force: Annotated[bool, Parameter(help=_FORCE)] = False,
    workspace: Workspace = None,
    organization: Organization = None,
    options: CommonOptions = DEFAULTS,
) -> None:
    """Save the JSON of a plan without sensitive values.

    The format is that of `terraform show -json`. A token that may not read the full plan gets the redacted form of the
    API, which has another format. Without --output, the JSON is printed.

    For example:
        tfruns run plan run-CZcmD7eagjhyX0vN --output plan.json
        tfruns run plan --workspace network | jq .resource_changes
    """

    async def work(session: Session) -> None:
        from tfruns.runs.plan_file import plan_file  # noqa: PLC0415  # imports the review

        run_id = await resolve_run(session, run, workspace, organization)
        client = session.gate.client
        with session.line.shown("Reading the plan"):
            found = await plan_file(client, await client.runs.read(run_id))
        if output is None and options.json:
            print_document(json.loads(found.content))
        elif output is None:
            sys.stdout.buffer.write(found.content)
            sys.stdout.flush()
        else:
            write_private(output, found.content, replaces=force)
        if found.is_api_form:
            say("This token may not read the full plan: this is the redacted form of the API.")
        if output is not None:
            say(f"Saved the plan of {run_id} in {output}.")

    run_command(work, options)
