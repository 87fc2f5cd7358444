"""The search for the API token, which is sent only to its host and never shown.

What Terraform itself does was read in its sources (internal/command/cliconfig, terraform-svchost) and, for the CLI
configuration, tried with Terraform 1.11.
"""

import json
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.support.api import FakeApi, client_for
from tests.support.tables import rows
from tfruns.client.address import parse_address
from tfruns.client.credentials import CredentialSearch, Token, find_token
from tfruns.errors import InvalidInput, NoCredentials

HOST = "tfe.example.com"
TOKEN = "fakeCredential1234"
OTHER = "fakeOtherToken5678"

ON_WINDOWS = sys.platform == "win32"
RC = Path("AppData/Roaming/terraform.rc") if ON_WINDOWS else Path(".terraformrc")
LOGIN = Path("AppData/Roaming/terraform.d" if ON_WINDOWS else ".terraform.d") / "credentials.tfrc.json"


def search(
    home: Path, address: str = HOST, *, explicit: str | None = None, environment: str = HOST, **environ: str
) -> CredentialSearch:
    return find_token(
        parse_address(address),
        explicit=explicit,
        environment_address=parse_address(environment),
        environ=environ,
        home=home,
    )


def found(
    home: Path, address: str = HOST, *, explicit: str | None = None, environment: str = HOST, **environ: str
) -> str:
    """The token's text; None if none was found."""
    token = search(home, address, explicit=explicit, environment=environment, **environ).token
    return token.text if token else ""


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def hcl(host: str, token: str) -> str:
    return f'credentials "{host}" {{\n  token = "{token}"\n}}\n'


def json_of(host: str, token: str) -> str:
    return json.dumps({"credentials": {host: {"token": token}}})


# -- precedence -------------------------------------------------------------------------------------------------------


def test_sources_are_searched_in_order(tmp_path: Path) -> None:
    environ = {"TFE_TOKEN": "tfe", "TFC_TOKEN": "tfc", "TF_TOKEN_tfe_example_com": "host"}
    write(tmp_path / RC, hcl(HOST, "rc"))
    write(tmp_path / LOGIN, json_of(HOST, "login"))
    assert found(tmp_path, explicit="fakeArgument12", **environ) == "fakeArgument12"
    for name, token in list(environ.items()):
        assert found(tmp_path, **environ) == token
        del environ[name]
    assert found(tmp_path) == "rc"
    (tmp_path / RC).unlink()
    assert found(tmp_path) == "login"
    (tmp_path / LOGIN).unlink()
    assert search(tmp_path) == CredentialSearch(None, ())


@pytest.mark.parametrize("nothing", ["", " ", "\n"])
def test_empty_source_is_skipped(nothing: str, tmp_path: Path) -> None:
    write(tmp_path / RC, hcl(HOST, ""))
    write(tmp_path / LOGIN, json_of(HOST, TOKEN))
    environ = {"TFE_TOKEN": nothing, "TFC_TOKEN": nothing, "TF_TOKEN_tfe_example_com": nothing}
    assert found(tmp_path, explicit=nothing, **environ) == TOKEN


def test_search_returns_the_source_of_the_token(tmp_path: Path) -> None:
    def source(explicit: str | None = None, **environ: str) -> str:
        token = search(tmp_path, explicit=explicit, **environ).token
        return token.source if token else ""

    assert source(explicit=TOKEN) == "the argument"
    assert source(TFC_TOKEN=TOKEN) == "TFC_TOKEN"
    assert source(TF_TOKEN_tfe_example_com=TOKEN) == "TF_TOKEN_tfe_example_com"
    rc = write(tmp_path / RC, hcl(HOST, TOKEN))
    assert source() == str(rc)


def test_whitespace_around_a_token_is_stripped(tmp_path: Path) -> None:
    assert found(tmp_path, TFE_TOKEN=f"  {TOKEN}\n") == TOKEN
    assert found(tmp_path, explicit=f"{TOKEN}\r\n") == TOKEN


# -- to which host ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["TFE_TOKEN", "TFC_TOKEN"])
@pytest.mark.parametrize(
    "address",
    [
        "https://app.terraform.io",
        "https://tfe.example.com:8443",
        "http://tfe.example.com",
        "https://tfe.example.com.evil.example",
        "https://www.tfe.example.com",
    ],
)
def test_environment_token_is_never_sent_to_another_origin(name: str, address: str, tmp_path: Path) -> None:
    assert found(tmp_path, HOST, **{name: TOKEN}) == TOKEN
    assert found(tmp_path, address, **{name: TOKEN}) == ""


def test_other_origin_uses_its_own_token_despite_the_environment(tmp_path: Path) -> None:
    environ = {"TFE_TOKEN": OTHER, "TF_TOKEN_tfe_example_com": TOKEN}
    assert found(tmp_path, HOST, environment="app.terraform.io", **environ) == TOKEN


@pytest.mark.parametrize("place", [RC, LOGIN])
def test_configured_token_is_never_sent_to_another_host_or_port(place: Path, tmp_path: Path) -> None:
    write(tmp_path / place, json_of(HOST, TOKEN))
    assert found(tmp_path) == TOKEN
    for other in ("app.terraform.io", f"{HOST}:8443", f"evil.{HOST}", f"{HOST}.evil.example"):
        assert found(tmp_path, other, environment="app.terraform.io") == ""


# A Terraform host name means HTTPS (svchost: port 443 is the default); plain HTTP on port 80 is another origin.
def test_token_of_an_https_host_is_not_used_for_plain_http(tmp_path: Path) -> None:
    write(tmp_path / RC, hcl(HOST, TOKEN))
    assert found(tmp_path, "http://tfe.example.com") == ""
    assert found(tmp_path, "http://tfe.example.com", TF_TOKEN_tfe_example_com=TOKEN) == ""


@pytest.mark.parametrize("written", ["localhost:8088", "LOCALHOST:8088"])
def test_port_is_part_of_the_host_name(written: str, tmp_path: Path) -> None:
    write(tmp_path / RC, hcl(written, TOKEN))
    assert found(tmp_path, "http://localhost:8088") == TOKEN
    assert found(tmp_path, "https://localhost:8088") == TOKEN
    assert found(tmp_path, "http://localhost:8089") == ""
    assert found(tmp_path, "https://localhost") == ""


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("tfe.example.com:443", "https://tfe.example.com"),
        ("TFE.Example.com", "https://tfe.example.com"),
        ("tfe.example.com", "https://TFE.example.com:443/app"),
        ("café.fr", "https://xn--caf-dma.fr"),
        ("café.fr", "https://café.fr"),
        ("CAFÉ.fr:8443", "https://café.fr:8443"),
    ],
)
def test_configured_host_matches_in_any_spelling(written: str, address: str, tmp_path: Path) -> None:
    write(tmp_path / RC, hcl(written, TOKEN))
    assert found(tmp_path, address, environment="app.terraform.io") == TOKEN


# -- TF_TOKEN_<host> --------------------------------------------------------------------------------------------------


# Terraform, "CLI Configuration File", "Environment Variable Credentials"; the last ones are from Terraform's own tests.
@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("TF_TOKEN_app_terraform_io", "app.terraform.io"),
        ("TF_TOKEN_my__tfe_example_com", "my-tfe.example.com"),
        ("TF_TOKEN_my-tfe.example.com", "my-tfe.example.com"),
        ("TF_TOKEN_my-tfe_example_com", "my-tfe.example.com"),
        ("TF_TOKEN_my__tfe.example.com", "my-tfe.example.com"),
        ("TF_TOKEN_localhost", "localhost"),
        ("TF_TOKEN_localhost:8443", "localhost:8443"),
        ("TF_TOKEN_xn--caf-dma_fr", "café.fr"),
        ("TF_TOKEN_xn____caf__dma_fr", "café.fr"),
        ("TF_TOKEN_xn--caf-dma.fr", "café.fr"),
        ("TF_TOKEN_café_fr", "café.fr"),
        ("TF_TOKEN_env_xn--eckwd4c7cu47r2wf_com", "env.ドメイン名例.com"),
        ("TF_TOKEN_env_xn____caf__dma_fr", "env.café.fr"),
        ("TF_TOKEN_CONFIGUREDUPPERCASE_EXAMPLE_COM", "configureduppercase.example.com"),
    ],
)
def test_token_variable_name_is_decoded_as_in_terraform(name: str, host: str, tmp_path: Path) -> None:
    assert found(tmp_path, host, **{name: TOKEN}) == TOKEN


@pytest.mark.parametrize(
    "name",
    [
        "TF_TOKEN_my_tfe_example_com",
        "TF_TOKEN_my___tfe_example_com",
        "TF_TOKEN_tfe_example_com",
        "TF_TOKEN_my__tfe_example_com_8443",
        "TF_TOKEN_",
        "TF_TOKEN",
        "tf_token_my__tfe_example_com",
        "XTF_TOKEN_my__tfe_example_com",
        "TF_TOKEN_my__tfe_example_com_",
        "TF_TOKEN_..",
    ],
)
def test_token_variable_of_another_host_is_ignored(name: str, tmp_path: Path) -> None:
    assert found(tmp_path, "my-tfe.example.com", **{name: TOKEN}) == ""


_LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?", fullmatch=True).filter(lambda text: "--" not in text)
_HOSTNAME = st.lists(_LABEL, min_size=1, max_size=4).map(".".join)


@given(host=_HOSTNAME, asked=_HOSTNAME)
@hypothesis_settings(deadline=None)
def test_every_host_has_a_variable_with_only_underscores(host: str, asked: str) -> None:
    environ = {"TF_TOKEN_" + host.replace("-", "__").replace(".", "_"): TOKEN}
    home = Path("/nowhere")
    assert found(home, host, environment="app.terraform.io", **environ) == TOKEN
    assert (found(home, asked, environment="app.terraform.io", **environ) == TOKEN) == (asked == host)


# -- the CLI configuration --------------------------------------------------------------------------------------------

_REAL_WORLD = {
    "one line": 'credentials "tfe.example.com" { token = "%s" }',
    "windows line ends": 'credentials "tfe.example.com" {\r\n  token = "%s"\r\n}\r\n',
    "comments": '# a\n// b\n/* c */\ncredentials "tfe.example.com" {\n  # d\n  token = "%s" # e\n}\n',
    "other settings": (
        'plugin_cache_dir   = "$HOME/.terraform.d/plugin-cache"\ndisable_checkpoint = true\n'
        'credentials "tfe.example.com" {\n  token = "%s"\n}\n'
        'credentials_helper "example" {\n  args = ["--host"]\n}\n'
    ),
    "several hosts": (
        'credentials "app.terraform.io" {\n  token = "other"\n}\ncredentials "tfe.example.com" {\n  token = "%s"\n}\n'
    ),
    "service discovery": (
        'host "tfe.example.com" {\n  services = {\n    "tfe.v2" = "http://127.0.0.1:8088/api/v2/"\n  }\n}\n'
        'credentials "tfe.example.com" {\n  token = "%s"\n}\n'
    ),
    "mirrors": (
        'provider_installation {\n  filesystem_mirror {\n    path    = "/usr/share/terraform/providers"\n'
        '    include = ["example.com/*/*"]\n  }\n  direct {\n    exclude = ["example.com/*/*"]\n  }\n}\n'
        'credentials "tfe.example.com" {\n  token = "%s"\n}\n'
    ),
    # Terraform, "CLI Configuration File", "Development Overrides for Provider Developers". The CLI configuration is
    # HCL 1, where a key of a block may be quoted.
    "development overrides": (
        'provider_installation {\n  dev_overrides {\n    "hashicorp/null" = "/home/developer/terraform-null"\n  }\n'
        '  direct {}\n}\ncredentials "tfe.example.com" {\n  token = "%s"\n}\n'
    ),
    "quoted key": 'credentials "tfe.example.com" {\n  "token" = "%s"\n}\n',
    "nested blocks": 'credentials {\n  "tfe.example.com" {\n    token = "%s"\n  }\n}\n',
}


@pytest.mark.parametrize("text", _REAL_WORLD.values(), ids=list(_REAL_WORLD))
def test_terraform_cli_configurations_are_parsed(text: str, tmp_path: Path) -> None:
    write(tmp_path / RC, text % TOKEN)
    assert search(tmp_path).problems == ()
    assert found(tmp_path) == TOKEN


_JSON = {
    "object": {"credentials": {HOST: {"token": TOKEN}}},
    "with other settings": {"disable_checkpoint": True, "credentials": {HOST: {"token": TOKEN}}},
    "list of blocks": {"credentials": [{"other.example.com": {"token": "x"}}, {HOST: {"token": TOKEN}}]},
    "lists all the way": {"credentials": [{HOST: [{"token": TOKEN}]}]},
}


@pytest.mark.parametrize("document", _JSON.values(), ids=list(_JSON))
@pytest.mark.parametrize("place", [RC, LOGIN])
def test_json_configuration_is_parsed(document: object, place: Path, tmp_path: Path) -> None:
    write(tmp_path / place, "\n" + json.dumps(document, indent=2))
    assert found(tmp_path) == TOKEN


def test_credentials_file_of_terraform_login_is_used(tmp_path: Path) -> None:
    write(tmp_path / LOGIN, json.dumps({"credentials": {HOST: {"token": TOKEN}}}, indent=2))
    token = search(tmp_path).token
    assert token is not None
    assert (token.text, token.source) == (TOKEN, str(tmp_path / LOGIN))


def test_tf_cli_config_file_replaces_the_default_file(tmp_path: Path) -> None:
    chosen = write(tmp_path / "ci.tfrc", hcl(HOST, TOKEN))
    write(tmp_path / RC, hcl(HOST, OTHER))
    assert found(tmp_path, TF_CLI_CONFIG_FILE=str(chosen)) == TOKEN
    assert found(tmp_path, TF_CLI_CONFIG_FILE="") == OTHER


def test_default_file_is_ignored_if_another_is_set(tmp_path: Path) -> None:
    write(tmp_path / RC, hcl(HOST, OTHER))
    chosen = write(tmp_path / "empty.tfrc", "")
    assert found(tmp_path, TF_CLI_CONFIG_FILE=str(chosen)) == ""


# Terraform only warns; so the places after it are still asked.
@pytest.mark.parametrize("missing", ["nothing-here.tfrc", "no/such/directory.tfrc", ".terraformrc/below-a-file"])
def test_tf_cli_config_file_may_be_missing(missing: str, tmp_path: Path) -> None:
    write(tmp_path / ".terraformrc", hcl("other.example.com", OTHER))
    named = {"TF_CLI_CONFIG_FILE": str(tmp_path / missing)}
    assert search(tmp_path, **named).token is None
    write(tmp_path / LOGIN, json_of(HOST, TOKEN))
    assert found(tmp_path, **named) == TOKEN


_BROKEN = {
    "open block": 'credentials "tfe.example.com" {',
    "open string": 'credentials "tfe.example.com" {\n  token = "fakeInBrokenFile\n}\n',
    "prose": "the token is fakeInBrokenFile, have fun!",
    "open json": '{"credentials": {"tfe.example.com": {"token": "fakeInBrokenFile"',
    "deep json": '{"credentials": ' + "[" * 100_000,
    "deep hcl": "a = " + "[" * 20_000,
    "byte order mark": '\ufeffcredentials "tfe.example.com" {\n  token = "fakeInBrokenFile"\n}\n',
    "null": "\x00",
}


@pytest.mark.parametrize("text", _BROKEN.values(), ids=list(_BROKEN))
@pytest.mark.parametrize("place", [RC, LOGIN])
def test_malformed_file_is_reported_and_skipped(text: str, place: Path, tmp_path: Path) -> None:
    path = write(tmp_path / place, text)
    outcome = search(tmp_path)
    assert outcome.token is None
    assert outcome.problems == (f"{path} is not a valid Terraform CLI configuration",)
    assert "fakeInBrokenFile" not in repr(outcome)


_HARMLESS = {
    "empty": "",
    "only a comment": "# nothing yet\n",
    "credentials is a number": "credentials = 5\n",
    "credentials is a text": 'credentials = "x"\n',
    "credentials is null": '{"credentials": null}',
    "credentials is a list of numbers": '{"credentials": [1, null, []]}',
    "a host is not an object": '{"credentials": {"tfe.example.com": "fakeToken"}}',
    "a token is not a string": '{"credentials": {"tfe.example.com": {"token": 5}}}',
    "no token": 'credentials "tfe.example.com" {\n}\n',
    "no host": 'credentials {\n  token = "x"\n}\n',
    "an empty object": "{}",
}


@pytest.mark.parametrize("text", _HARMLESS.values(), ids=list(_HARMLESS))
def test_file_without_the_host_has_no_token(text: str, tmp_path: Path) -> None:
    write(tmp_path / RC, text)
    write(tmp_path / LOGIN, json_of(HOST, TOKEN))
    assert found(tmp_path) == TOKEN
    assert search(tmp_path, "other.example.com", environment=HOST).token is None


def test_unreadable_file_is_reported_and_skipped(tmp_path: Path) -> None:
    (tmp_path / RC).mkdir(parents=True)
    binary = tmp_path / LOGIN
    binary.parent.mkdir(parents=True, exist_ok=True)
    binary.write_bytes(b'{"credentials": "\xff\xfe"}')
    outcome = search(tmp_path)
    assert outcome.token is None
    assert [problem.partition(" could not be read")[0] for problem in outcome.problems] == [
        str(tmp_path / RC),
        str(binary),
    ]


@pytest.mark.skipif(ON_WINDOWS, reason="Windows has no such permissions")
def test_file_without_read_permission_is_reported_and_skipped(tmp_path: Path) -> None:
    path = write(tmp_path / RC, hcl(HOST, TOKEN))
    path.chmod(0)
    try:
        path.read_text()
    except PermissionError:
        pass
    else:
        path.chmod(stat.S_IRUSR)
        pytest.skip("the superuser may read everything")
    assert search(tmp_path) == CredentialSearch(None, (f"{path} could not be read (PermissionError)",))


def test_malformed_file_does_not_hide_the_next_source(tmp_path: Path) -> None:
    write(tmp_path / RC, 'credentials "')
    write(tmp_path / LOGIN, json_of(HOST, TOKEN))
    assert found(tmp_path) == TOKEN


@given(st.text(max_size=200) | st.binary(max_size=200))
@hypothesis_settings(deadline=None)
def test_no_file_content_aborts_the_search(tmp_path_factory: pytest.TempPathFactory, content: str | bytes) -> None:
    home = tmp_path_factory.mktemp("any", numbered=True)
    (home / LOGIN).parent.mkdir(parents=True)
    (home / LOGIN).write_text(json_of(HOST, TOKEN))
    (home / RC).write_bytes(content.encode() if isinstance(content, str) else content)
    assert found(home) == TOKEN


# -- never shown ------------------------------------------------------------------------------------------------------


def test_repr_never_shows_a_token() -> None:
    token = Token(TOKEN, "TFE_TOKEN")
    for shown in (repr(token), str(token), f"{token}", repr(CredentialSearch(token)), str([token])):
        assert TOKEN not in shown
        assert "TFE_TOKEN" in shown


@rows(
    "text",
    [
        "fakeSecret\nHost: evil",
        "fakeSecret\r\n\r\n",
        "fakeSecret x",
        "fakeSecret\tx",
        "fakeSecretä",
        "fakeSecret\x00",
        "fakeSecret\x7f",
    ],
)
def test_invalid_token_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Token(text, "TFE_TOKEN")
    error = caught.value
    assert "TFE_TOKEN" in error.message
    for shown in (str(error), repr(error), json.dumps(error.as_dict())):
        assert "fakeSecret" not in shown


@pytest.mark.parametrize("explicit", [True, False])
def test_token_with_a_line_break_is_refused_from_any_source(explicit: bool, tmp_path: Path) -> None:
    text = "fakeSecret\nX-Injected: 1"
    with pytest.raises(InvalidInput) as caught:
        search(tmp_path, explicit=text) if explicit else search(tmp_path, TFE_TOKEN=text)
    assert "fakeSecret" not in str(caught.value.as_dict())


def test_invalid_token_is_refused_only_if_it_would_be_used(tmp_path: Path) -> None:
    environ = {"TF_TOKEN_other_example_com": "bad token", "TFE_TOKEN": TOKEN}
    assert found(tmp_path, **environ) == TOKEN


# -- none at all ------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_client_without_a_token_explains_how_to_set_one() -> None:
    api = FakeApi()
    async with client_for(api, token=None) as client:
        for _ in range(2):
            with pytest.raises(NoCredentials) as caught:
                await client.runs.read("run-CZcmD7eagjhyX0vN")
            for way in (
                "terraform login",
                "credentials",
                "TF_CLI_CONFIG_FILE",
                ".terraformrc",
                "TFE_TOKEN",
                "TF_TOKEN_",
            ):
                assert way in caught.value.solution
    assert api.requests == []


@pytest.mark.anyio
async def test_missing_token_error_names_unreadable_files() -> None:
    path = write(Path.home() / RC, "credentials {{{ fakeInBrokenFile")
    async with client_for(FakeApi(), token=None) as client:
        with pytest.raises(NoCredentials) as caught:
            await client.runs.read("run-CZcmD7eagjhyX0vN")
    shown = json.dumps(caught.value.as_dict())
    assert str(path) in shown
    assert "fakeInBrokenFile" not in shown
