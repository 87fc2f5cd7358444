"""Completion of a command line in bash."""

import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tests.support.command import PATIENCE_S, Shell
from tests.support.command_process import forwarding_command
from tfruns.cli.app import app

_COMPLETE = """
source <({script}) || exit 1
COMP_WORDS=({words} "{last}"); COMP_CWORD={index}; COMP_LINE="{line}"; COMP_POINT=${{#COMP_LINE}}
_tfruns
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@cache
def _script() -> str:
    """The completion script, which takes most of a second to generate."""
    return app.generate_completion(shell="bash")


def completed(shell: Shell, line: str, **variables: str) -> list[str]:
    """What bash completes at the end of a line, with a command `tfruns` that starts quickly."""
    directory = shell.home / "bin"
    control = forwarding_command(directory)
    (directory / "script").write_text(_script())
    env = {**shell.env, **variables, "PATH": f"{directory}:/usr/bin:/bin"}
    return complete(line, env=env, cwd=shell.directory, script=f"cat '{directory / 'script'}'", inherited=[control])


def complete(
    line: str, *, env: Mapping[str, str], cwd: Path, script: str = "tfruns completion bash", inherited: list[int]
) -> list[str]:
    """What bash completes at the end of a line. Nothing may be printed besides it.

    Args:
        line: the beginning of the command line.
        env: the environment, with the command `tfruns` on its PATH.
        cwd: the current directory.
        script: a command that prints the completion script.
        inherited: descriptors that the command needs.
    """
    *words, last = line.split(" ")
    code = _COMPLETE.format(words=" ".join(words), last=last, index=len(words), line=line, script=script)
    done = subprocess.run(
        ["bash", "--norc", "-c", code],
        env=env,
        cwd=cwd,
        pass_fds=inherited,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()
