"""The installed command: help, version, and the error for an unknown command."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.stdio import PATIENCE_S, environment, tfruns
from tfruns._version import __version__


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [tfruns(), *arguments],
        env=environment(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_names_the_commands(flag: str, tmp_path: Path) -> None:
    done = run(tmp_path, flag)
    assert done.returncode == 0
    assert "Usage: tfruns COMMAND" in done.stdout
    assert "mcp" in done.stdout
    assert done.stderr == ""


def test_version_is_one_line(tmp_path: Path) -> None:
    done = run(tmp_path, "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"tfruns {__version__}\n", "")


def test_help_of_the_server_explains_options_and_token(tmp_path: Path) -> None:
    done = run(tmp_path, "mcp", "--help")
    assert done.returncode == 0
    for word in (
        "--mode",
        "--confirm",
        "read, plan, apply",
        "auto, review, always, page, never",
        "TFE_TOKEN",
        "terraform login",
    ):
        assert word in " ".join(done.stdout.replace("│", " ").split())
    assert "--no-" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("mpc",), 'Did you mean "mcp"'),
        (("mcp", "--mdoe", "read"), "Did you mean --mode"),
        (("mcp", "--mode", "raed"), 'Did you mean "read"'),
        (("mcp", "--confirm", "maybe"), '"always"'),
        (("mcp", "--mode"), "--mode"),
        (("mcp", "read"), "read"),
    ],
)
def test_unknown_command_exits_with_2_and_a_suggestion(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    done = run(tmp_path, *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert words in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr


def test_module_runs_the_command(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tfruns", "--version"],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    assert done.stdout == f"tfruns {__version__}\n"


def test_help_imports_only_necessary_modules(tmp_path: Path) -> None:
    program = (
        "import sys; sys.argv = ['tfruns', '--help']\n"
        "from tfruns.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    imported = {name.partition(".")[0] for name in done.stderr.split()}
    assert "tfruns" in imported
    assert not imported & {"mcp", "mcp_types", "starlette", "uvicorn", "httpx2", "pydantic", "hcl2"}
