"""`tfruns profile`, and the API, organization and workspace that profiles, environment and directory select."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import answer
from tests.support.command import Shell
from tests.support.http_api import HttpApi
from tests.support.samples import page, run, workspace
from tests.support.tables import rows

pytestmark = pytest.mark.processes

_BLOCK = """terraform {
  cloud {
    organization = "of-block"
    workspaces {
      name = "from-block"
    }
  }
}
"""


@pytest.fixture
def shell(api: HttpApi, tmp_path: Path) -> Shell:
    """Without settings for an API; tokens for the scripted API are stored."""
    for organization in ("acme", "other", "of-block"):
        api.on("GET", f"/organizations/{organization}/workspaces", answer(page(total=0)))
        for name in ("network", "from-block", "data"):
            found = workspace(f"ws-{(organization + name).replace('-', '')}", name=name)
            api.on("GET", f"/organizations/{organization}/workspaces/{name}", answer({"data": found}))
            api.on("GET", f"/workspaces/{found['id']}/runs", answer(page(run(), total=1)))
    stored = tmp_path / ".terraform.d" / "credentials.tfrc.json"
    stored.parent.mkdir()
    stored.write_text(json.dumps({"credentials": {api.hostname: {"token": "fakeToken1234"}}}))
    return Shell(tmp_path / "here")


def config(shell: Shell) -> Path:
    return shell.home / ".config" / "tfruns" / "config.toml"


def test_profile_is_created_changed_listed_and_removed(shell: Shell) -> None:
    assert "There are no profiles in " in shell("profile", "list").err
    shell("profile", "set", "work", "--organization", "acme", "--workspace", "network")
    changed = shell("profile", "set", "work", "--workspace", "data", "--unset", "organization", "--json")
    assert changed.json == {"name": "work", "used": False, "workspace": "data"}
    shell("profile", "set", "try", "--local", "--confirm", "never")
    shell("profile", "use", "try")
    listed = shell("profile", "ls", "--json", "name,used,local,confirm,workspace").json
    assert listed == [
        {"name": "work", "used": False, "local": None, "confirm": None, "workspace": "data"},
        {"name": "try", "used": True, "local": True, "confirm": "never", "workspace": None},
    ]
    shell("profile", "rm", "try")
    assert shell("profile", "list", "--jq", ".profiles[].name").out == "work\n"
    assert "profile = " not in config(shell).read_text()


def test_file_is_private_and_keeps_comments(shell: Shell) -> None:
    config(shell).parent.mkdir(parents=True)
    config(shell).write_text('# mine\n[profiles.a]\norganization = "acme" # main\n')
    shell("profile", "set", "b", "--organization", "other")
    shell("profile", "use", "b")
    text = config(shell).read_text()
    assert "# mine\n" in text
    assert '"acme" # main\n' in text
    assert stat.S_IMODE(config(shell).stat().st_mode) == 0o600


@rows(
    ("text", "why"),
    [
        ("x", "is invalid"),
        ("[profiles.a]\ntoken = 'x'", "the profile a has an unknown setting, token. Settings: address, "),
        ("[profiles.a]\nlocal = 'yes'", "local of the profile a is not a boolean"),
        ("[profiles.a]\norganization = 1", "organization of the profile a is not a string"),
        (
            "[profiles.a]\nconfirm = 'sometimes'",
            "confirm of the profile a is not one of auto, review, always, page, never",
        ),
        ("profiles = 1", "profiles is not a table of tables"),
        ("profile = 1", "profile is not a name"),
        ("profile = 'b'\n[profiles.a]", "There is no profile b."),
    ],
)
def test_invalid_file_is_explained_and_not_changed(shell: Shell, text: str, why: str) -> None:
    config(shell).parent.mkdir(parents=True, exist_ok=True)
    config(shell).write_text(text)
    assert why in shell("run", "list", code=2).err
    if "no profile" not in why:
        assert why in shell("profile", "set", "c", "--organization", "acme", code=2).err
        assert config(shell).read_text() == text


@rows(
    ("arguments", "text"),
    [
        (["set", "a b"], "a b is not a valid profile name."),
        (["set", "a", "--address", "ftp://x"], "--address"),
        (["set", "a", "--local", "--address", "https://x.example"], "A profile with --local has no address."),
        (["set", "a", "--workspace", "x", "--unset", "workspace"], "A setting is both set and removed."),
        (["use", "nosuch"], "There is no profile nosuch."),
        (["use"], "Name a profile, or use --none."),
        (["remove", "nosuch"], "There is no profile nosuch."),
    ],
)
def test_invalid_change_is_refused(shell: Shell, arguments: list[str], text: str) -> None:
    assert text in shell("profile", *arguments, code=2).err
    assert not config(shell).exists()


def _asked(api: HttpApi, shell: Shell, *arguments: str, **variables: str) -> str:
    """The workspace of which a command asks the scripted API for runs."""
    api.requests.clear()
    shell.with_variables(variables)("run", "list", *arguments)
    return next(r.path for r in api.requests if "/workspaces/" in r.path).removeprefix("/api/v2/organizations/")


def test_named_profile_comes_before_the_environment_and_the_directory(api: HttpApi, shell: Shell) -> None:
    shell("profile", "set", "work", "--address", api.address, "--organization", "acme", "--workspace", "network")
    (shell.directory / "main.tf").write_text(_BLOCK)
    environment = {"TF_CLOUD_ORGANIZATION": "other", "TF_WORKSPACE": "from-block", "TFE_ADDRESS": "http://127.0.0.1:9"}
    assert _asked(api, shell, "--profile", "work", **environment) == "acme/workspaces/network"
    assert _asked(api, shell, TFRUNS_PROFILE="work", **environment) == "acme/workspaces/network"
    assert _asked(api, shell, "--profile", "work", "-w", "data", "-o", "other") == "other/workspaces/data"


def test_default_profile_comes_after_the_environment_and_the_directory(api: HttpApi, shell: Shell) -> None:
    shell("profile", "set", "work", "--address", api.address, "--organization", "acme", "--workspace", "network")
    shell("profile", "use", "work")
    assert _asked(api, shell) == "acme/workspaces/network"
    assert _asked(api, shell, TF_CLOUD_ORGANIZATION="other") == "other/workspaces/network"
    (shell.directory / "main.tf").write_text(
        _BLOCK.replace("organization", f'hostname = "{api.hostname}"\n organization')
    )
    block = shell("run", "list", code=1).err  # the host of a block is asked over HTTPS only
    assert api.hostname in block
    environment = {"TFE_ADDRESS": api.address}
    assert _asked(api, shell, **environment) == "of-block/workspaces/from-block"


def test_profile_of_another_api_gives_no_organization(api: HttpApi, shell: Shell) -> None:
    shell("profile", "set", "work", "--address", "https://tfe.example.com", "--organization", "acme")
    shell("profile", "use", "work")
    assert "organization is missing" in shell("run", "list", "-w", "network", code=2, TFE_ADDRESS=api.address).err
    assert not any("/acme/" in request.path for request in api.requests)


def test_commands_that_are_suggested_name_the_profile(api: HttpApi, shell: Shell) -> None:
    shell("profile", "set", "work", "--address", api.address)
    api.on("GET", "/runs/run-CZcmD7eagjhyX0vN", answer({"data": run(status="planning"), "included": [workspace()]}))
    shown = shell("run", "show", "run-CZcmD7eagjhyX0vN", "--profile", "work").out
    assert "`tfruns run wait run-CZcmD7eagjhyX0vN --profile work`" in shown


def test_token_of_the_environment_is_not_sent_to_the_address_of_a_profile(api: HttpApi, tmp_path: Path) -> None:
    shell = Shell(tmp_path / "here", {"TFE_TOKEN": "fakeToken1234"})
    shell("profile", "set", "work", "--address", api.address, "--organization", "acme")
    done: Any = shell("run", "list", "-w", "network", "--profile", "work", code=1)
    assert "token" in done.err
    assert not any("authorization" in request.headers for request in api.requests)
