"""Default targets of a command: the environment, then the `cloud` block of the directory."""

import pytest

from tests.support.command import Shell

BLOCK = """terraform {{
  cloud {{
    organization = "{}"
    {}
    workspaces {{
      name = "{}"
    }}
  }}
}}
"""


def configure(shell: Shell, organization: str = "default", hostname: str = "", workspace: str = "by-block") -> None:
    named = f'hostname = "{hostname}"' if hostname else ""
    (shell.directory / "main.tf").write_text(BLOCK.format(organization, named, workspace))


def test_block_selects_organization_and_workspace(shell: Shell) -> None:
    shell("workspace", "create", "by-block")
    configure(shell)
    assert shell("workspace", "show", "--json", TF_CLOUD_ORGANIZATION="").json["name"] == "by-block"


def test_environment_takes_precedence_over_the_block(shell: Shell) -> None:
    configure(shell, organization="of-the-block")
    assert shell("workspace", "list", "--json").json["page"] == 1


def test_tf_workspace_that_contradicts_the_block_is_refused(shell: Shell) -> None:
    configure(shell)
    assert "names the workspace by-block" in shell("workspace", "show", code=2, TF_WORKSPACE="other").err


@pytest.mark.parametrize(
    ("hostname", "variable", "expected"),
    [
        ("localhost:1", "", "localhost:1"),
        ("", "localhost:2", "localhost:2"),
        ("localhost:1", "localhost:2", "localhost:1"),
    ],
)
def test_host_of_the_block_never_gets_the_token_of_another_host(
    shell: Shell, hostname: str, variable: str, expected: str
) -> None:
    configure(shell, hostname=hostname)
    environment = {"TFE_ADDRESS": "", "TF_CLOUD_HOSTNAME": variable, "TFE_TOKEN": "for-hcp-terraform"}
    done = shell("workspace", "list", "--json", code=1, **environment)
    assert done.json["error"] == "no_credentials"
    assert f"for {expected}." in done.json["message"]


def test_tfe_address_takes_precedence_over_the_block(shell: Shell) -> None:
    configure(shell, hostname="localhost:1")
    shell("workspace", "list")


def test_tf_cloud_hostname_without_a_block_is_ignored(shell: Shell) -> None:
    done = shell("workspace", "list", "--json", code=1, TFE_ADDRESS="", TFE_TOKEN="", TF_CLOUD_HOSTNAME="localhost:2")
    assert "for app.terraform.io." in done.json["message"]


def test_only_visible_organization_needs_no_name(shell: Shell) -> None:
    shell("workspace", "create", "found", TF_CLOUD_ORGANIZATION="")
    shown = shell("workspace", "show", "found", "--json", TF_CLOUD_ORGANIZATION="").json
    assert (shown["name"], shown["organization"]) == ("found", "default")
    runs = shell("run", "list", "--workspace", "found", "--json", TF_CLOUD_ORGANIZATION="").json
    assert runs["runs"] == []
    assert shell("workspace", "list", "--json", TF_CLOUD_ORGANIZATION="").json["organization"] == "default"


def test_wrong_name_is_answered_with_what_exists(shell: Shell) -> None:
    shell("workspace", "create", "practice")
    for words in (
        ["workspace", "show", "nosuch"],
        ["run", "show", "--workspace", "nosuch"],
        ["run", "list", "--workspace", "nosuch"],
        ["run", "create", "--workspace", "nosuch"],
        ["run", "list", "--all-workspaces", "--workspace-names", "nosuch"],
    ):
        err = " ".join(shell(*words, code=1).err.split())
        assert 'No workspace "nosuch" in default. There are: ' in err, words
        assert "practice" in err, words
    err = " ".join(shell("run", "show", "run-Nosuch", code=1).err.split())
    assert "Run run-Nosuch was not found." in err


def test_workspace_with_wildcards_selects_several(shell: Shell) -> None:
    for name in ("several-a", "several-b"):
        shell("workspace", "create", name)
    for words in (["--workspace", "several-*"], ["--all-workspaces", "--workspace-names", "several-?"]):
        found = shell("run", "list", *words, "--since", "24h", "--json").json
        assert (found["runs"], found["organization"]) == ([], "default")
        assert "Created since " in found["note"]
    err = " ".join(shell("run", "apply", "--all", "--yes", "--workspace", "stage-*", code=1).err.split())
    assert 'No workspace matches "stage-*" in default. There are: ' in err
    assert "is not a duration" in shell("run", "list", "--workspace", "several-a", "--since", "soon", code=2).err
