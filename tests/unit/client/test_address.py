"""Addresses of the API: parsing, equal origins, loopback."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.tables import rows
from tfruns.client.address import Address, normalize_host, parse_address
from tfruns.errors import InvalidInput


@rows(
    ("text", "address"),
    [
        ("https://app.terraform.io", Address("https", "app.terraform.io", 443)),
        ("app.terraform.io", Address("https", "app.terraform.io", 443)),
        ("tfe.example.com:8443", Address("https", "tfe.example.com", 8443)),
        ("https://tfe.example.com:8443", Address("https", "tfe.example.com", 8443)),
        ("http://localhost:8088", Address("http", "localhost", 8088)),
        ("http://localhost", Address("http", "localhost", 80)),
        ("https://[::1]:8443", Address("https", "::1", 8443)),
        ("  https://tfe.example.com\n", Address("https", "tfe.example.com", 443)),
    ],
)
def test_address_has_scheme_host_and_port(text: str, address: Address) -> None:
    assert parse_address(text) == address


@rows(
    "text",
    [
        "https://tfe.example.com/",
        "https://tfe.example.com:443",
        "https://tfe.example.com/api/v2/runs?page=2#top",
        "HTTPS://TFE.Example.COM",
        "https://tfe.example.com:",
        "tfe.example.com/app",
    ],
)
def test_path_and_spelling_do_not_change_the_origin(text: str) -> None:
    assert parse_address(text) == Address("https", "tfe.example.com", 443)


@rows(
    "text",
    [
        "http://tfe.example.com",
        "http://tfe.example.com:443",
        "https://tfe.example.com:8443",
        "https://tfe.example.com.evil.example",
        "https://tfe-example.com",
        "https://sub.tfe.example.com",
    ],
)
def test_other_scheme_host_or_port_is_another_origin(text: str) -> None:
    assert parse_address(text) != parse_address("https://tfe.example.com")


@rows(
    "text",
    [
        "",
        " ",
        "https://",
        "://tfe.example.com",
        "//tfe.example.com",
        "ftp://tfe.example.com",
        "file:///etc/passwd",
        "https:///runs",
        "https://:8443",
        "https://tfe.example.com:port",
        "https://tfe.example.com:99999",
        "https://tfe.example.com:-1",
        "https://[::1",
        "https://[not-an-address]",
    ],
)
def test_invalid_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_address(text, what="TFE_ADDRESS")
    assert caught.value.message.startswith("TFE_ADDRESS ")
    assert "https://app.terraform.io" in caught.value.solution


def test_port_zero_is_refused() -> None:
    with pytest.raises(InvalidInput):
        parse_address("https://tfe.example.com:0")


@rows("host", ["tfe example.com", "tfe\\example.com", "tfe\x00.example.com"])
def test_host_with_invalid_characters_is_refused(host: str) -> None:
    with pytest.raises(InvalidInput):
        parse_address(f"https://{host}")


@pytest.mark.parametrize("text", ["https://operator:hunter2@tfe.example.com", "https://operator@tfe.example.com"])
def test_password_in_an_address_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_address(text)
    assert "user name or password" in caught.value.message
    for shown in (str(caught.value), repr(caught.value), str(caught.value.as_dict())):
        assert "hunter2" not in shown
        assert "operator" not in shown


@rows(
    ("address", "hostname", "text"),
    [
        (Address("https", "tfe.example.com", 443), "tfe.example.com", "https://tfe.example.com"),
        (Address("https", "tfe.example.com", 8443), "tfe.example.com:8443", "https://tfe.example.com:8443"),
        (Address("http", "localhost", 80), "localhost:80", "http://localhost"),
        (Address("http", "localhost", 443), "localhost:443", "http://localhost:443"),
        (Address("https", "::1", 443), "[::1]", "https://[::1]"),
        (Address("https", "::1", 8443), "[::1]:8443", "https://[::1]:8443"),
    ],
)
def test_hostname_omits_only_the_https_port(address: Address, hostname: str, text: str) -> None:
    assert (address.hostname, str(address)) == (hostname, text)


@rows(
    ("text", "is_loopback"),
    [
        ("http://localhost:8088", True),
        ("http://LOCALHOST", True),
        ("http://tfruns.localhost", False),
        ("http://x.localhost:8088", False),
        ("http://localhost.", False),
        ("http://127.0.0.1:8088", True),
        ("http://127.8.9.10", True),
        ("http://[::1]:8088", True),
        ("http://localhost.example.com", False),
        ("http://notlocalhost", False),
        ("http://127.0.0.1.example.com", False),
        ("http://0.0.0.0", False),
        ("http://10.0.0.1", False),
        ("http://192.168.1.1", False),
        ("http://[::]", False),
        ("http://[fe80::1]", False),
        ("http://tfe.example.com", False),
    ],
)
def test_only_localhost_and_loopback_ips_are_loopback(text: str, is_loopback: bool) -> None:
    assert parse_address(text).is_loopback is is_loopback


@rows(
    ("host", "normalized"),
    [
        ("TFE.Example.COM", "tfe.example.com"),
        ("Café.fr", "xn--caf-dma.fr"),
        ("xn--caf-dma.fr", "xn--caf-dma.fr"),
        ("XN--CAF-DMA.fr", "xn--caf-dma.fr"),
        ("env.ドメイン名例.com", "env.xn--eckwd4c7cu47r2wf.com"),
        ("::1", "::1"),
    ],
)
def test_spellings_of_a_host_are_normalized(host: str, normalized: str) -> None:
    assert normalize_host(host) == normalized


# UTS 46, non-transitional processing: browsers and Terraform's own host names keep the sharp s apart from ss.
def test_international_name_never_equals_another_host() -> None:
    assert parse_address("https://faß.example.com") != parse_address("https://fass.example.com")


@given(st.text(max_size=40))
@settings(deadline=None)
def test_any_text_is_an_address_or_invalid_input(text: str) -> None:
    try:
        address = parse_address(text)
    except InvalidInput:
        return
    assert address.scheme in {"http", "https"}
    assert 0 < address.port < 65536


_LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True).filter(lambda label: label[2:4] != "--")


@given(st.sampled_from(["http", "https"]), st.lists(_LABEL, min_size=1, max_size=4), st.integers(1, 65535))
@settings(deadline=None)
def test_address_round_trips_through_its_text(scheme: str, labels: list[str], port: int) -> None:
    address = Address(scheme, ".".join(labels), port)
    assert parse_address(str(address)) == address
    assert parse_address(str(address).upper()) == address
