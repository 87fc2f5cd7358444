"""The client's settings: arguments, then the environment; plain HTTP only on this machine."""

from pathlib import Path

import pytest

from tfruns.client.address import Address
from tfruns.client.settings import Settings, load_settings
from tfruns.errors import InvalidInput, TfrunsError

TOKEN = "fakeSettingsToken1234"


def token_of(settings: Settings) -> str | None:
    return settings.credentials.token.text if settings.credentials.token else None


def test_default_is_hcp_terraform_without_a_token(tmp_path: Path) -> None:
    settings = load_settings(environ={}, home=tmp_path)
    assert settings.address == Address("https", "app.terraform.io", 443)
    assert settings.credentials.token is None
    assert settings.organization is None
    assert settings.ca_file is None


@pytest.mark.parametrize(
    ("environ", "host"),
    [
        ({"TFE_ADDRESS": "https://tfe.example.com"}, "tfe.example.com"),
        ({"TFC_ADDRESS": "https://tfc.example.com"}, "tfc.example.com"),
        ({"TFE_ADDRESS": "https://tfe.example.com", "TFC_ADDRESS": "https://tfc.example.com"}, "tfe.example.com"),
        ({"TFE_ADDRESS": "", "TFC_ADDRESS": "https://tfc.example.com"}, "tfc.example.com"),
        ({"TFE_ADDRESS": "  ", "TFC_ADDRESS": ""}, "app.terraform.io"),
    ],
)
def test_address_is_tfe_address_tfc_address_or_hcp_terraform(
    environ: dict[str, str], host: str, tmp_path: Path
) -> None:
    assert load_settings(environ=environ, home=tmp_path).address.host == host


def test_argument_takes_precedence_over_the_environment(tmp_path: Path) -> None:
    environ = {"TFE_ADDRESS": "https://other.example.com", "TFE_TOKEN": "other", "TF_CLOUD_ORGANIZATION": "other"}
    settings = load_settings("tfe.example.com", TOKEN, organization="acme", environ=environ, home=tmp_path)
    assert settings.address.host == "tfe.example.com"
    assert token_of(settings) == TOKEN
    assert settings.organization == "acme"


def test_organization_is_that_of_terraform_or_of_its_provider(tmp_path: Path) -> None:
    for environ, organization in (
        ({"TFE_ORGANIZATION": "provider"}, "provider"),
        ({"TF_CLOUD_ORGANIZATION": " ", "TFE_ORGANIZATION": " provider "}, "provider"),
        ({"TF_CLOUD_ORGANIZATION": "cli", "TFE_ORGANIZATION": "provider"}, "cli"),
        ({}, None),
    ):
        assert load_settings(environ=environ, home=tmp_path).organization == organization


def test_empty_argument_counts_as_omitted(tmp_path: Path) -> None:
    environ = {"TFE_ADDRESS": "https://tfe.example.com", "TFE_TOKEN": TOKEN, "TF_CLOUD_ORGANIZATION": "acme"}
    settings = load_settings("", "", organization="", environ=environ, home=tmp_path)
    assert settings.address.host == "tfe.example.com"
    assert token_of(settings) == TOKEN
    assert settings.organization == "acme"


@pytest.mark.parametrize("environment_address", ["TFE_ADDRESS", "TFC_ADDRESS"])
@pytest.mark.parametrize("name", ["TFE_TOKEN", "TFC_TOKEN"])
def test_environment_token_is_only_for_the_environment_address(
    name: str, environment_address: str, tmp_path: Path
) -> None:
    environ = {environment_address: "https://tfe.example.com", name: TOKEN}
    assert token_of(load_settings(environ=environ, home=tmp_path)) == TOKEN
    assert token_of(load_settings("https://tfe.example.com/app", environ=environ, home=tmp_path)) == TOKEN
    for other in ("https://app.terraform.io", "https://tfe.example.com:8443", "https://evil.example.com"):
        assert token_of(load_settings(other, environ=environ, home=tmp_path)) is None


def test_environment_token_without_address_is_for_hcp_terraform(tmp_path: Path) -> None:
    environ = {"TFE_TOKEN": TOKEN}
    assert token_of(load_settings(environ=environ, home=tmp_path)) == TOKEN
    assert token_of(load_settings("https://tfe.example.com", environ=environ, home=tmp_path)) is None


@pytest.mark.parametrize("address", ["http://tfe.example.com", "http://10.0.0.1:8088", "http://localhost.example.com"])
@pytest.mark.parametrize("allow", [None, "", "0", "false", "no"])
def test_plain_http_to_another_machine_is_refused(address: str, allow: str | None, tmp_path: Path) -> None:
    environ = {} if allow is None else {"TFRUNS_ALLOW_HTTP": allow}
    with pytest.raises(InvalidInput, match="unencrypted") as caught:
        load_settings(address, TOKEN, environ=environ, home=tmp_path)
    assert "TFRUNS_ALLOW_HTTP=1" in caught.value.solution
    assert TOKEN not in str(caught.value.as_dict())


def test_plain_http_to_another_machine_is_refused_from_the_environment_too(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="unencrypted"):
        load_settings(environ={"TFE_ADDRESS": "http://tfe.example.com"}, home=tmp_path)


@pytest.mark.parametrize("allow", ["1", "true", "TRUE", "yes", "on"])
def test_plain_http_to_another_machine_can_be_allowed(allow: str, tmp_path: Path) -> None:
    settings = load_settings("http://tfe.example.com", environ={"TFRUNS_ALLOW_HTTP": allow}, home=tmp_path)
    assert settings.address == Address("http", "tfe.example.com", 80)


@pytest.mark.parametrize("address", ["http://localhost:8088", "http://127.0.0.1:8088", "http://[::1]:8088"])
def test_plain_http_on_this_machine_needs_no_permission(address: str, tmp_path: Path) -> None:
    assert load_settings(address, environ={}, home=tmp_path).address.scheme == "http"


@pytest.mark.parametrize("name", ["TFE_ADDRESS", "TFC_ADDRESS"])
def test_invalid_environment_address_is_named_by_its_variable(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=f"^{name} "):
        load_settings(environ={name: "ftp://tfe.example.com"}, home=tmp_path)


def test_ca_file_comes_from_argument_or_environment(tmp_path: Path) -> None:
    environ = {"TFE_CA_FILE": "/etc/ssl/private.pem"}
    assert load_settings(environ=environ, home=tmp_path).ca_file == Path("/etc/ssl/private.pem")
    assert load_settings(ca_file="other.pem", environ=environ, home=tmp_path).ca_file == Path("other.pem")
    assert load_settings(environ={"TFE_CA_FILE": ""}, home=tmp_path).ca_file is None


def test_settings_never_show_the_token(tmp_path: Path) -> None:
    settings = load_settings(token=TOKEN, environ={}, home=tmp_path)
    assert token_of(settings) == TOKEN
    assert TOKEN not in repr(settings)
    assert TOKEN not in str(settings)


def test_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFE_ADDRESS", "https://tfe.example.com")
    monkeypatch.setenv("TFE_TOKEN", TOKEN)
    settings = load_settings()
    assert (settings.address.host, token_of(settings)) == ("tfe.example.com", TOKEN)


def test_malformed_file_is_no_error_until_a_token_is_needed(tmp_path: Path) -> None:
    (tmp_path / ".terraformrc").write_text("credentials {{{")
    try:
        settings = load_settings(environ={}, home=tmp_path)
    except TfrunsError:
        pytest.fail("the server has to start without a token")
    assert settings.credentials.token is None
    assert len(settings.credentials.problems) == 1
