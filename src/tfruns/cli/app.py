"""The commands of `tfruns`. What a command needs is imported when it is called."""

from typing import Annotated, Literal

from cyclopts import App, Parameter

from tfruns._version import __version__

app = App(
    name="tfruns",
    version=f"tfruns {__version__}",
    help="Manage Terraform runs in HCP Terraform and Terraform Enterprise.",
)


@app.command
def mcp(
    *,
    mode: Annotated[Literal["read", "plan", "apply"], Parameter(negative=())] = "apply",
    confirm: Annotated[Literal["auto", "always", "never"], Parameter(negative=())] = "auto",
) -> None:
    """Serve the run tools to an assistant: an MCP server on standard input and output.

    The API token is taken from TFE_TOKEN (with TFE_ADDRESS), TF_TOKEN_HOST, the Terraform CLI configuration, or what
    `terraform login` stored.

    Parameters
    ----------
    mode
        What it may do: read only; plan (create runs that nothing applies, discard, cancel); or everything.
    confirm
        When a person has to confirm what cannot be undone: where the client can ask (auto), always, or never.
        As long as tfruns cannot ask by itself, always refuses such calls, and auto leaves the question to the client.
    """
    from tfruns.mcp.stdio import serve  # noqa: PLC0415
    from tfruns.tools.policy import Confirm, Mode, Policy  # noqa: PLC0415

    serve(Policy(Mode(mode), Confirm(confirm), is_auto_apply_opt_in=True))
