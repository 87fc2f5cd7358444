"""`tfruns completion`."""

from typing import Annotated, Literal

from cyclopts import Parameter

from tfruns.cli.app import app
from tfruns.cli.terminal import say

_INSTALL = "Install the script instead of printing it"


def completion(
    shell: Annotated[Literal["bash", "zsh", "fish"], Parameter(help="Shell of the script")],
    /,
    *,
    install: Annotated[bool, Parameter(help=_INSTALL)] = False,
) -> None:
    """Print the completion script for a shell.

    The script completes commands, options, workspaces, recent runs, statuses and profiles. --install writes it to the
    directory in which the shell looks for such scripts, and enables it in ~/.bashrc or ~/.zshrc if necessary.

    For example:
        tfruns completion bash --install
        tfruns completion fish | source
        tfruns completion zsh > ~/.zsh/completions/_tfruns
    """
    if install:
        say(f"Installed in {app.install_completion(shell=shell)}. Start a new {shell} to use it.")
    else:
        print(app.generate_completion(shell=shell))
