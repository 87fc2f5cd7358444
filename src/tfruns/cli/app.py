"""The commands of `tfruns`. What a command needs is imported when it is called."""

from typing import Annotated, Literal

from cyclopts import App, Parameter

from tfruns._version import __version__

app = App(
    name="tfruns",
    version=f"tfruns {__version__}",
    help="Manage Terraform runs in HCP Terraform and Terraform Enterprise.",
    help_format="plaintext",  # to render Markdown would take a third of the time of `--help`
)

app.command("tfruns.cli.server:server")

_MODE = "What it may do: read only; plan, where nothing can be applied; or all."
_CONFIRM = (
    "Who agrees to what cannot be undone: the client by its own rules (auto), always a person (which refuses it until "
    "tfruns itself can ask), or no one (never)."
)


@app.command
def mcp(
    *,
    mode: Annotated[Literal["read", "plan", "apply"], Parameter(help=_MODE)] = "apply",
    confirm: Annotated[Literal["auto", "always", "never"], Parameter(help=_CONFIRM)] = "auto",
) -> None:
    """Serve the run tools to an assistant: an MCP server on standard input and output.

    The API token is taken from TFE_TOKEN (for the host in TFE_ADDRESS),
    from TF_TOKEN_<host>, from the Terraform CLI configuration, or from what
    `terraform login` stored.
    """
    from tfruns.mcp.stdio import serve  # noqa: PLC0415
    from tfruns.tools.policy import Confirm, Mode, Policy  # noqa: PLC0415

    serve(Policy(Mode(mode), Confirm(confirm), is_auto_apply_opt_in=True))
