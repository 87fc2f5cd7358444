"""The organization of a `cloud` block, for `tfruns mcp` in its directory."""

from pathlib import Path

import pytest

from tests.support.tables import rows
from tfruns.cli.connection import organization_of_directory
from tfruns.client.address import parse_address
from tfruns.mcp.connection import RemoteConnection

BLOCK = 'terraform {{\n  cloud {{\n    organization = "acme"\n    {}\n  }}\n}}\n'


@rows(
    ("hostname", "variable", "address", "expected"),
    [
        ("", "", "https://app.terraform.io", "acme"),
        ("", "", "https://tfe.example.com", "acme"),
        ("tfe.example.com", "", "https://tfe.example.com", "acme"),
        ("TFE.example.com", "", "https://tfe.example.com", "acme"),
        ("tfe.example.com", "", "https://app.terraform.io", None),
        ("", "tfe.example.com", "https://app.terraform.io", None),
        (None, "", "https://app.terraform.io", None),
    ],
)
def test_block_for_another_host_is_ignored(hostname: str | None, variable: str, address: str, expected: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TF_CLOUD_HOSTNAME", variable)
        patch.setattr("tfruns.cli.connection.read_cloud_block", lambda _: _block(hostname))
        assert organization_of_directory(parse_address(address)) == expected


def _block(hostname: str | None) -> object:
    from tfruns.cli.cloud_block import CloudBlock

    return CloudBlock() if hostname is None else CloudBlock(exists=True, organization="acme", hostname=hostname or None)


@pytest.mark.anyio
async def test_server_uses_the_block_unless_the_environment_names_an_organization(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "main.tf").write_text(BLOCK.format(""), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name, value in (("TFE_ADDRESS", "https://tfe.example.com"), ("TFE_TOKEN", "x"), ("TF_CLOUD_HOSTNAME", "")):
        monkeypatch.setenv(name, value)
    for variable, expected in (("", "acme"), ("other", "other")):
        monkeypatch.setenv("TF_CLOUD_ORGANIZATION", variable)
        connection = RemoteConnection(organization_at=organization_of_directory)
        assert (await connection.client()).settings.organization == expected
        await connection.aclose()
