"""`tfruns completion`."""

from typing import Annotated, Literal

from cyclopts import Parameter

from tfruns.cli.app import app
from tfruns.cli.terminal import say

_INSTALL = "Write it where the shell looks for it, and into ~/.bashrc or ~/.zshrc that it does, instead of printing it"


def completion(
    shell: Annotated[Literal["bash", "zsh", "fish"], Parameter(help="The shell that it is for")],
    /,
    *,
    install: Annotated[bool, Parameter(help=_INSTALL)] = False,
) -> None:
    """Print the script with which a shell completes commands, options and their values.

    For example:
        tfruns completion bash --install
        tfruns completion fish | source
        tfruns completion zsh > ~/.zsh/completions/_tfruns
    """
    if install:
        say(f"Installed in {app.install_completion(shell=shell)}. It works in every new {shell}.")
    else:
        print(app.generate_completion(shell=shell))
