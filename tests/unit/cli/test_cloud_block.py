"""What a directory says of its organization, workspace and host: after `terraform init`, and before."""

import json
from pathlib import Path
from typing import Any

import pytest

from tfruns.cli.cloud_block import CloudBlock, read_cloud_block
from tfruns.errors import InvalidInput

CLOUD = """terraform {
  cloud {
    organization = "acme"
    hostname     = "tfe.example.com"
    workspaces {
      name = "net"
    }
  }
}
"""
REMOTE = """terraform {
  backend "remote" {
    organization = "acme"
    workspaces {
      prefix = "net-"
    }
  }
}
"""
FULL = CloudBlock(exists=True, organization="acme", hostname="tfe.example.com", workspace="net")


def initialized(directory: Path, backend: str, **config: Any) -> None:
    (directory / ".terraform").mkdir()
    document = {"version": 3, "backend": {"type": backend, "config": config}}
    (directory / ".terraform" / "terraform.tfstate").write_text(json.dumps(document))


def test_block_is_read_from_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_text('variable "cloud" {}\n')
    (tmp_path / "main.tf").write_text(CLOUD)
    assert read_cloud_block(tmp_path) == FULL


def test_settings_of_init_take_precedence_over_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(CLOUD)
    initialized(tmp_path, "cloud", organization="other", hostname=None, workspaces={"name": "b", "tags": None})
    assert read_cloud_block(tmp_path) == CloudBlock(exists=True, organization="other", workspace="b")


def test_another_backend_of_init_is_ignored(tmp_path: Path) -> None:
    initialized(tmp_path, "s3", organization="other")
    assert read_cloud_block(tmp_path) == CloudBlock()


def test_remote_backend_has_its_workspaces_in_a_list(tmp_path: Path) -> None:
    initialized(tmp_path, "remote", organization="acme", workspaces=[{"name": None, "prefix": "net-"}])
    (tmp_path / ".terraform" / "environment").write_text("dev\n")
    block = read_cloud_block(tmp_path)
    assert block.workspace_for(None) == "net-dev"
    assert block.workspace_for("prod") == "net-prod"


@pytest.mark.parametrize("name", ["main.tf.json", "main.tofu.json"])
@pytest.mark.parametrize("is_list", [False, True])
def test_block_can_be_json(tmp_path: Path, name: str, is_list: bool) -> None:
    cloud: Any = {"organization": "acme", "hostname": "tfe.example.com", "workspaces": {"name": "net"}}
    document = {"terraform": [{"cloud": [cloud]}] if is_list else {"cloud": cloud}}
    (tmp_path / name).write_text(json.dumps(document))
    assert read_cloud_block(tmp_path) == FULL


def test_remote_backend_has_the_same_settings(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(REMOTE)
    block = read_cloud_block(tmp_path)
    assert block == CloudBlock(exists=True, organization="acme", prefix="net-")
    assert block.workspace_for("dev") == "net-dev"
    assert block.workspace_for(None) is None


def test_override_file_takes_precedence(tmp_path: Path) -> None:
    (tmp_path / "a_override.tf").write_text(CLOUD)
    (tmp_path / "main.tf").write_text(REMOTE)
    assert read_cloud_block(tmp_path) == FULL


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("main.tf", b"terraform { cloud {"),
        ("main.tf", b"\xff\xfe cloud"),
        ("main.tf", b'terraform { cloud { organization = "x" } }' + b" " * (1 << 20)),
        ("main.tf.json", b"{"),
        ("main.tf.json", b'{"terraform": 3}'),
        ("main.tf.json", b"[" * 100_000),
        (".terraform/terraform.tfstate", b"{"),
        (".terraform/terraform.tfstate", b'{"backend": {"type": "cloud", "config": []}}'),
        (".terraform/terraform.tfstate", b'{"backend": "cloud"}'),
    ],
)
def test_unreadable_or_malformed_files_are_ignored(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / ".terraform").mkdir()
    (tmp_path / name).write_bytes(content)
    assert read_cloud_block(tmp_path).organization is None


def test_missing_directory_has_no_block(tmp_path: Path) -> None:
    assert read_cloud_block(tmp_path / "missing") == CloudBlock()


def test_name_in_the_block_excludes_another_tf_workspace() -> None:
    assert FULL.workspace_for(None) == FULL.workspace_for("net") == "net"
    with pytest.raises(InvalidInput, match="TF_WORKSPACE is other"):
        FULL.workspace_for("other")


def test_without_a_block_tf_workspace_is_used() -> None:
    assert CloudBlock().workspace_for("other") == "other"
    assert CloudBlock().workspace_for(None) is None
