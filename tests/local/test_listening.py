"""The certificate of the server, and the CLI configuration that names it, before a server starts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tfruns.errors import InvalidInput
from tfruns.local.bind_config import BindConfig
from tfruns.local.cli_config import cli_configuration
from tfruns.local.data_dir import DataDirectory
from tfruns.local.self_signed import load_or_create_certificate

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_certificate_is_kept_until_it_expires_or_lacks_the_name(tmp_path: Path) -> None:
    path = tmp_path / "tls" / "certificate.pem"
    first = load_or_create_certificate(path, "127.0.0.1", NOW)
    made = path.read_bytes()
    assert load_or_create_certificate(path, "127.0.0.1", NOW + timedelta(days=300)).expires == first.expires.replace(
        microsecond=0
    )
    assert path.read_bytes() == made
    load_or_create_certificate(path, "another.example", NOW)
    assert path.read_bytes() != made
    made = path.read_bytes()
    assert (
        load_or_create_certificate(path, "another.example", first.expires - timedelta(days=1)).expires > first.expires
    )
    assert path.read_bytes() != made


def test_certificate_without_its_key_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "tls" / "certificate.pem"
    load_or_create_certificate(path, "127.0.0.1", NOW)
    made = path.read_bytes()
    (tmp_path / "tls" / "key.pem").write_text("no key")
    load_or_create_certificate(path, "127.0.0.1", NOW)
    assert path.read_bytes() != made


def test_certificate_is_given_or_self_signed_not_both() -> None:
    with pytest.raises(InvalidInput, match="--self-signed"):
        BindConfig(tls_cert=Path("c"), tls_key=Path("k"), is_self_signed=True).check()


def test_cli_block_is_printed_before_the_server_starts(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "with a blank")
    printed = cli_configuration(directory, BindConfig(port=8123))
    assert '"http://127.0.0.1:8123/api/v2/"' in printed
    assert f"$(cat '{directory.path}/token')" in printed
    assert "SSL_CERT_FILE" not in printed
    assert not directory.path.exists()
    with pytest.raises(InvalidInput, match="no server is running for this data directory"):
        cli_configuration(directory, BindConfig(port=0))
