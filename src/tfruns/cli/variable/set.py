"""`tfruns variable set`."""

import sys
from getpass import getpass
from typing import Annotated, Literal

from cyclopts import Parameter

from tfruns.cli.options import DEFAULTS, CommonOptions, Organization, Workspace
from tfruns.cli.session import Session, run_command
from tfruns.cli.tables import print_fields
from tfruns.cli.targets import resolve_workspace
from tfruns.cli.terminal import say
from tfruns.views.workspaces import VariableView

_VALUE = "Set this value (default: read it from standard input)"
_SENSITIVE = "Hide the value from now on; cannot be undone"
_KEEP = "Change only the options, and keep the value"


def set_variable(
    key: Annotated[str, Parameter(help="Name of the variable")],
    /,
    *,
    value: Annotated[str | None, Parameter(help=_VALUE)] = None,
    keep_value: Annotated[bool, Parameter(help=_KEEP)] = False,
    category: Annotated[Literal["terraform", "env"], Parameter(help="Set a Terraform or environment variable")] = (
        "terraform"
    ),
    sensitive: Annotated[bool, Parameter(help=_SENSITIVE)] = False,
    hcl: Annotated[bool | None, Parameter(help="Parse the value as HCL", negative="--no-hcl")] = None,
    description: Annotated[str | None, Parameter(help="Describe the variable")] = None,
    workspace: Workspace = None,
    organization: Organization = None,
    options: CommonOptions = DEFAULTS,
) -> None:
    """Create or change a variable of a workspace.

    Without --value, the command prompts for the value without echo, or reads it from a pipe, so that it appears neither
    in the shell history nor in the process list. Later runs use the new value.

    For example:
        tfruns variable set region --value eu-west-1 --workspace network
        tfruns variable set db_password --sensitive --workspace network
        tfruns variable set AWS_SECRET_ACCESS_KEY --category env --sensitive < key.txt
    """

    async def work(session: Session) -> None:
        name = await resolve_workspace(session, workspace, organization)
        view = await session.with_consent().call(  # typing the command is the consent
            "set_variable",
            VariableView,
            workspace_id=name,
            key=key,
            value=None if keep_value else value if value is not None else _read(key),
            category=category,
            sensitive=sensitive or None,
            hcl=hcl,
            description=description,
        )
        session.show(view, print_variable)

    run_command(work, options)


def _read(key: str) -> str:
    """The value: typed without an echo, or all of standard input without its last line break."""
    if sys.stdin.isatty():
        return getpass(f"Value of {key}: ", stream=sys.stderr)
    text = sys.stdin.read()
    return text.removesuffix("\n").removesuffix("\r")


def print_variable(view: VariableView) -> None:
    """Print a variable after a change."""
    print_fields({"variable": view.key, "category": view.category, "sensitive": view.sensitive, "change": view.change})
    if view.note:
        say(view.note)
