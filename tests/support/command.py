"""The command as a user runs it: a process, its two outputs and its exit code."""

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.command_process import start
from tests.support.local_server import LocalServer
from tests.support.stdio import environment, tfruns

PATIENCE_S = 90.0  # a busy machine


@dataclass(frozen=True)
class Done:
    """The outputs and the exit code of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The JSON document on standard output."""
        assert self.out.count("\n") == 1, self
        return json.loads(self.out)

    @property
    def rows(self) -> list[list[str]]:
        """Standard output as the rows of a table."""
        return [line.split("\t") for line in self.out.splitlines()]


def run_merged(arguments: Sequence[str], *, directory: Path, env: Mapping[str, str]) -> tuple[int, str]:
    """Run `tfruns`, and return its exit code and both outputs in the order in which they were written."""
    with tempfile.TemporaryFile() as output:
        process = start([tfruns(), *arguments], cwd=directory, env=env, stdout=output, stderr=output)
        code = process.wait(PATIENCE_S)
        output.seek(0)
        return code, output.read().decode()


class Shell:
    """An environment for commands: a home, a directory and environment variables.

    Args:
        directory: the current directory; its parent is the home.
        variables: the environment variables.
    """

    def __init__(self, directory: Path, variables: Mapping[str, str] | None = None) -> None:
        self.directory = directory
        self.directory.mkdir(parents=True, exist_ok=True)
        self.home = directory.parent
        self.env = {**environment(self.home), **(variables or {})}

    @classmethod
    def at(cls, server: LocalServer, directory: Path) -> "Shell":
        """A shell whose environment selects a local server by address and token."""
        address = {"TFE_ADDRESS": server.url, "TFE_TOKEN": server.token, "TF_CLOUD_ORGANIZATION": "default"}
        return cls(directory, address)

    def with_variables(self, variables: Mapping[str, str]) -> "Shell":
        """The same with further variables."""
        return Shell(self.directory, {**self.env, **variables})

    def __call__(self, *arguments: str, stdin: str = "", code: int | None = 0, **variables: str) -> Done:
        """Run `tfruns`, and check its exit code unless `code` is None."""
        env = {**self.env, **variables}
        process = start([tfruns(), *arguments], cwd=self.directory, env=env, stdin=subprocess.PIPE)
        out, err = process.communicate(stdin.encode(), timeout=PATIENCE_S)
        done = Done(process.wait(), out.decode(), err.decode())
        assert "Traceback" not in done.err, done.err
        assert code is None or done.code == code, done
        return done
