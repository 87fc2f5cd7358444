"""`tfruns completion`."""

import os
import re
import shlex
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from tfruns.cli.app import app
from tfruns.cli.terminal import say

_INSTALL = "Install the script instead of printing it"

# zsh loads `_tfruns` from its fpath at the first Tab, or the script is sourced. Cyclopts writes only a function.
_ZSH_END = """
if [[ "$funcstack[1]" == _tfruns ]]; then
  _tfruns "$@"
elif (( $+functions[compdef] )); then
  compdef _tfruns tfruns
fi
"""
# fish offers files beside everything else. `-F` has precedence over `-f`; Cyclopts writes it for options with a path.
_FISH_START = """complete -c tfruns -f
complete -c tfruns -n '__fish_tfruns_using_command config upload' -F
"""
_ZSH_STARTUP = """
# Completion of tfruns
fpath=({directory} $fpath)
(( $+functions[compdef] )) || {{ autoload -Uz compinit && compinit }}
autoload -Uz _tfruns && compdef _tfruns tfruns
"""


def completion(
    shell: Annotated[Literal["bash", "zsh", "fish"], Parameter(help="Shell of the script")],
    /,
    *,
    install: Annotated[bool, Parameter(help=_INSTALL)] = False,
) -> None:
    """Print the completion script for a shell.

    The script completes commands, options, workspaces, recent runs, statuses and profiles. --install writes it to the
    completion directory of the shell, and enables it in ~/.bashrc or ~/.zshrc.

    For example:
        tfruns completion bash --install
        tfruns completion fish | source
        tfruns completion zsh > ~/.zsh/completions/_tfruns
    """
    if install:
        path = _install_for_zsh() if shell == "zsh" else app.install_completion(shell=shell)
        if shell == "fish":
            path.write_text(_script("fish"), encoding="utf-8")
        say(f"Installed in {path}. Start a new {shell} to use it.")
    else:
        print(_script(shell))


def _script(shell: Literal["bash", "zsh", "fish"]) -> str:
    generated = app.generate_completion(shell=shell)
    if shell == "zsh":
        return re.sub(r"\b_cyclopts_tfruns\b", "_tfruns", generated) + _ZSH_END
    if shell == "fish":
        return _FISH_START + generated
    return generated


def _install_for_zsh() -> Path:
    """Write the script, and load it in ~/.zshrc. It works before and after the shell's own `compinit`."""
    home = Path.home()
    path = home / ".zsh" / "completions" / "_tfruns"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_script("zsh"), encoding="utf-8")
    startup = Path(os.environ.get("ZDOTDIR") or home) / ".zshrc"
    lines = _ZSH_STARTUP.format(directory=shlex.quote(str(path.parent)))
    existing = startup.read_text(encoding="utf-8") if startup.exists() else ""
    if lines not in existing:
        startup.write_text(existing + lines, encoding="utf-8")
    return path
