"""Completion of workspaces, runs, statuses and profiles in real shells, against a scripted API."""

import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.support.api import answer, error
from tests.support.command import PATIENCE_S, Shell
from tests.support.completion import completed
from tests.support.http_api import HttpApi
from tests.support.samples import RUN_ID, page, planned, workspace
from tests.support.stdio import tfruns
from tests.support.terminal import Terminal

pytestmark = pytest.mark.processes


def _needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


in_bash, in_fish, in_zsh = map(_needs, ("bash", "fish", "zsh"))


@pytest.fixture
def names(api: HttpApi) -> None:
    found = (workspace(name="network"), workspace("ws-2", name="nat"), workspace("ws-3", name="data"))
    api.on("GET", "/organizations/acme/workspaces", answer(page(*found, total=3)))
    api.on("GET", "/organizations/acme/runs", answer(page(planned(), planned("run-2"))))


@in_bash
def test_workspaces_are_read_once_a_minute(names: None, api: HttpApi, shell: Shell) -> None:
    assert completed(shell, "tfruns run list --workspace n") == ["network", "nat"]
    assert completed(shell, "tfruns run list -w d") == ["data"]
    assert completed(shell, "tfruns workspace show ne") == ["network"]
    assert len(api.requests) == 1


@in_bash
def test_runs_statuses_and_profiles_are_completed(names: None, shell: Shell) -> None:
    assert completed(shell, "tfruns run show run-C") == [RUN_ID]
    assert completed(shell, "tfruns run apply run-") == [RUN_ID, "run-2"]
    assert completed(shell, "tfruns run list --status planned_") == ["planned_and_finished", "planned_and_saved"]
    assert completed(shell, "tfruns run list --status errored,cost_estimati") == ["errored\\,cost_estimating"]
    assert completed(shell, "tfruns run list --group n") == ["non_final"]
    shell("profile", "set", "work", "--organization", "acme")
    assert completed(shell, "tfruns profile use w") == ["work"]
    assert completed(shell, "tfruns run list --profile w") == ["work"]


@in_bash
def test_failure_completes_nothing_and_prints_nothing(api: HttpApi, shell: Shell) -> None:
    api.on("GET", "/organizations/acme/workspaces", error(500, "broken"))
    assert completed(shell, "tfruns run list -w n") == []
    assert completed(shell, "tfruns run list -w n", TFE_TOKEN="", TFE_ADDRESS="http://127.0.0.1:9") == []
    assert completed(shell, "tfruns run list --local -w n") == []
    assert not (shell.home / ".local" / "share" / "tfruns").exists()  # no server was started


@in_bash
def test_slow_api_is_not_waited_for(api: HttpApi, shell: Shell) -> None:
    held = threading.Event()
    api.on("GET", "/organizations/acme/workspaces", held)
    began = time.monotonic()
    assert completed(shell, "tfruns run list -w n") == []
    held.set()
    assert time.monotonic() - began < 20  # the HTTP client would wait a minute


# -- fish and zsh -----------------------------------------------------------------------------------------------------

FISH = [
    ("tfruns run li", ["list"]),
    ("tfruns run list --workspace n", ["nat", "network"]),
    ("tfruns workspace show ne", ["network"]),
    ("tfruns run show run-C", [RUN_ID]),
    ("tfruns run list --status planned_", ["planned_and_finished", "planned_and_saved"]),
    ("tfruns mcp --mode re", ["read"]),
    ("tfruns config upload mo", ["modules/"]),
    ("tfruns run create --directory mo", ["modules/"]),
    ("tfruns modu", []),  # a directory is no command
]


@in_fish
def test_fish_completes_after_an_installation(names: None, shell: Shell) -> None:
    shell("completion", "fish", "--install")
    (shell.directory / "modules").mkdir()
    env = {**shell.env, "PATH": f"{Path(tfruns()).parent}:/usr/bin:/bin"}
    script = "".join(f"echo '# {line}'; complete -C '{line}'\n" for line, _ in FISH)
    done = subprocess.run(
        ["fish", "-c", script],
        env=env,
        cwd=shell.directory,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    found: dict[str, list[str]] = {}
    for text in done.stdout.splitlines():
        if text.startswith("# "):
            found[text[2:]] = []
        else:
            found[list(found)[-1]].append(text.split("\t")[0])
    assert found == dict(FISH), done.stderr


ZSH = [
    ("tfruns run li", "list"),
    ("tfruns run list --workspace ne", "network"),
    ("tfruns run show run-C", RUN_ID),
    ("tfruns run list --status planned_and_s", "planned_and_saved"),
    ("tfruns mcp --mode re", "read"),
]
COMPINIT = "autoload -Uz compinit && compinit -u -D\n"


def expect_zsh_completes(shell: Shell) -> None:
    env = {**shell.env, "PATH": f"{Path(tfruns()).parent}:/usr/bin:/bin", "TERM": "dumb"}
    with Terminal(["zsh", "-i", "-o", "no_global_rcs"], cwd=shell.directory, env=env) as zsh:
        zsh.expect("> ")
        for line, word in ZSH:
            zsh.press(f"{line}\t")
            zsh.expect(f"{line.rpartition(' ')[0]} {word}")
            zsh.press("\x15")  # Ctrl-U


@in_zsh
@pytest.mark.parametrize("existing", ["", COMPINIT], ids=["no compinit", "compinit before it"])
def test_zsh_completes_after_an_installation(names: None, shell: Shell, existing: str) -> None:
    startup = shell.home / ".zshrc"
    startup.write_text(f"PROMPT='> '\n{existing}")
    shell("completion", "zsh", "--install")
    once = startup.read_text()
    shell("completion", "zsh", "--install")
    assert startup.read_text() == once
    expect_zsh_completes(shell)


@in_zsh
def test_zsh_loads_the_printed_script_from_its_fpath(names: None, shell: Shell) -> None:
    (shell.home / "functions").mkdir()
    (shell.home / "functions" / "_tfruns").write_text(shell("completion", "zsh").out)
    (shell.home / ".zshrc").write_text(f"PROMPT='> '\nfpath=(~/functions $fpath)\n{COMPINIT}")
    expect_zsh_completes(shell)


@in_zsh
def test_zsh_completes_with_the_sourced_script(names: None, shell: Shell) -> None:
    (shell.home / ".zshrc").write_text(f"PROMPT='> '\n{COMPINIT}source <(tfruns completion zsh)\n")
    expect_zsh_completes(shell)
