"""Redaction removes tokens, passwords and signed URLs; all other text stays readable."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.growth import assert_linear
from tests.support.samples import run
from tests.support.tables import rows
from tfruns.errors import InvalidInput, TfrunsError, all_errors
from tfruns.masking.redaction import REMOVED, RememberedSecrets, is_signed_url, redact, redact_document, remember_secret

SECRET = "fakeSecret1234567890"
API_TOKEN = f"aBcD1234efGH56.atlasv1.{SECRET}"

_SIGNED = [
    f"https://archivist.terraform.io/v1/object/{SECRET}",
    f"HTTPS://ARCHIVIST.terraform.io/v1/object/{SECRET}",
    f"https://archivist.eu.terraform.io/v1/object/{SECRET}",
    f"https://tfe.example.com/_archivist/v1/object/{SECRET}",
    f"https://tfe.example.com:8443/_archivist/v1/object/{SECRET}?x=1#y",
    f"http://127.0.0.1:8088/v1/object/{SECRET}",
    f"https://bucket.s3.amazonaws.com/key?X-Amz-Credential=a&X-Amz-Signature={SECRET}",
    f"https://storage.googleapis.com/bucket/key?X-Goog-Signature={SECRET}",
    f"https://account.blob.core.windows.net/key?sv=2020&sig={SECRET}",
    f"https://example.com/key?access_token={SECRET}",
    f"https://example.com/key?Token={SECRET}",
]

_PLAIN = [
    "https://app.terraform.io/app/acme/workspaces/network/runs/run-CZcmD7eagjhyX0vN",
    "https://tfe.example.com:8443/api/v2/runs?page[number]=2&include=plan",
    "https://app.terraform.io/app/settings/tokens",
    "https://developer.hashicorp.com/terraform/cloud-docs/api-docs/run#signature",
]


# -- text -------------------------------------------------------------------------------------------------------------


@rows("url", _SIGNED)
@rows("text", ["%s", "see %s for more", "(%s)", '"%s"', "<%s>", "'%s', and", '{"log-read-url":"%s"}', "a\n%s\nb"])
def test_signed_url_is_removed_and_its_host_stays(url: str, text: str) -> None:
    shown = redact(text % url)
    host = url.split("/")[2]
    assert SECRET not in shown
    assert f"{host}/[signed-url-removed]" in shown
    assert shown.startswith(text.partition("%s")[0])
    assert is_signed_url(url)


# Download URLs and the target of a redirect may be relative.
@pytest.mark.parametrize("url", [f"/_archivist/v1/object/{SECRET}", f"/v1/object/{SECRET}"])
def test_signed_url_without_host_is_removed(url: str) -> None:
    assert is_signed_url(url)
    assert SECRET not in redact(f"redirected to {url}, which failed")


@pytest.mark.parametrize("url", _PLAIN)
def test_unsigned_url_is_unchanged(url: str) -> None:
    assert redact(f"see {url}.") == f"see {url}."
    assert not is_signed_url(url)


def test_only_signed_urls_are_removed() -> None:
    shown = redact(f"{_PLAIN[0]} {_SIGNED[0]} {_PLAIN[1]} {_SIGNED[6]}")
    assert SECRET not in shown
    assert _PLAIN[0] in shown
    assert _PLAIN[1] in shown
    assert shown.count("[signed-url-removed]") == 2


@rows(
    "text",
    [
        API_TOKEN,
        f"the token {API_TOKEN} is wrong",
        f"TFE_TOKEN={API_TOKEN}",
        f'{{"token":"{API_TOKEN}"}}',
        f"https://example.com/{API_TOKEN}/x",
        f"Authorization: Bearer {SECRET}",
        f"authorization: bearer {SECRET}",
        f"Authorization:  Bearer   {SECRET}",
        f"Authorization: Basic {SECRET}",
        f'{{"Authorization": "Bearer {SECRET}"}}',
        f"Bearer {SECRET}, and more",
        f"Bearer {API_TOKEN}",
    ],
)
def test_token_is_removed(text: str) -> None:
    shown = redact(text)
    assert SECRET not in shown
    assert REMOVED in shown


def test_text_around_a_token_is_unchanged() -> None:
    assert redact(f"the token {API_TOKEN} is wrong") == f"the token {REMOVED} is wrong"
    assert redact(f"Bearer {SECRET}, and more") == f"Bearer {REMOVED}, and more"


@rows(
    "userinfo",
    [f"operator:{SECRET}", SECRET, f":{SECRET}", f"operator:{SECRET}@", f"operator:p@{SECRET}", f"operator:{SECRET}:x"],
)
@rows("scheme", ["https", "HTTP", "socks5", "git+ssh"])
def test_password_in_a_url_is_removed_and_its_host_stays(scheme: str, userinfo: str) -> None:
    shown = redact(f"proxy {scheme}://{userinfo}@proxy.example.com:3128/x failed")
    assert SECRET not in shown
    assert "proxy.example.com:3128/x failed" in shown


def test_remembered_secret_is_removed_unless_very_short() -> None:
    remembered = RememberedSecrets()
    for secret in ("hunter2-ish", "a", "", "apple"):
        remembered.add(secret)
    assert remembered.remove_from("a hunter2-ish b hunter2-ish") == f"a {REMOVED} b {REMOVED}"
    assert remembered.remove_from("an apple") == "an apple"


def test_remembered_secret_with_a_remembered_prefix_is_removed() -> None:
    remembered = RememberedSecrets()
    secrets = ["fakeOne" + "x" * length for length in range(8)]
    for secret in secrets:
        remembered.add(secret)
    for secret in secrets:
        assert remembered.remove_from(f"<{secret}>") == f"<{REMOVED}>"


def test_every_text_is_redacted_without_the_secrets_of_the_process() -> None:
    assert redact("a hunter2-ish b") == "a hunter2-ish b"
    remember_secret("hunter2-ish")
    assert redact("a hunter2-ish b") == f"a {REMOVED} b"


@rows(
    "text",
    [
        "",
        "Run was not paused for confirmation; apply not allowed.",
        "run-CZcmD7eagjhyX0vN is planned",
        "ops@example.com",
        "a/b@c",
        "version 1.11.4",
        'filter[status_group]="non_final"',
        "atlasv1",
    ],
)
def test_harmless_text_is_unchanged(text: str) -> None:
    assert redact(text) == text


@given(st.text(max_size=80))
@settings(deadline=None)
def test_redaction_is_idempotent(text: str) -> None:
    once = redact(f"{text} {API_TOKEN} {_SIGNED[0]} {text}")
    assert SECRET not in once
    assert redact(once) == once


_LONG = {  # a beginning, and a piece that is repeated
    "letters": ("", "a"),
    "dots": ("", "a."),
    "hyphens": ("", "a-"),
    "schemes": ("", "https://"),
    "a URL": ("https://", "a"),
    "users": ("https://", "a@"),
    "a query": ("https://example.com/?", "a"),
    "queries": ("https://example.com/", "?a"),
    "headers": ("", "authorization:"),
    "white space": ("authorization ", " "),
    "partial tokens": ("", "aaaa.atlasv1"),
}


# Every response of a server is redacted before it is truncated.
@rows(("beginning", "piece"), _LONG.values(), ids=list(_LONG))
def test_long_text_is_redacted_in_linear_time(beginning: str, piece: str) -> None:
    assert_linear(lambda size: redact(beginning + piece * (size // len(piece))), 20_000)


@pytest.mark.parametrize("kind", list(all_errors()), ids=lambda kind: kind.__name__)
def test_no_error_shows_a_secret(kind: type[TfrunsError]) -> None:
    secret = f"{API_TOKEN} {_SIGNED[0]} https://operator:{SECRET}@example.com"
    error = kind(f"m {secret}", cause=f"c {secret}", solution=f"s {secret}")
    for shown in (str(error), repr(error), json.dumps(error.as_dict()), *map(str, error.args)):
        assert SECRET not in shown


def test_error_message_is_redacted_before_truncation() -> None:
    error = InvalidInput("x" * 585 + f" {API_TOKEN}")
    assert "atlasv1" not in error.message
    assert "aBcD1234" not in error.message


# -- documents --------------------------------------------------------------------------------------------------------


def test_document_keeps_its_structure_without_secrets() -> None:
    document: dict[str, Any] = {
        "data": {
            "id": "plan-8F5JFydVYAmtTjET",
            "attributes": {"log-read-url": _SIGNED[0], "has-changes": True, "resource-additions": 1, "note": None},
            "links": {"self": "/api/v2/plans/plan-8F5JFydVYAmtTjET"},
        },
        "included": [{"attributes": {"upload-url": _SIGNED[6], "message": f"Bearer {SECRET}"}}],
    }
    before = copy.deepcopy(document)
    redacted = redact_document(document)
    assert document == before
    assert SECRET not in json.dumps(redacted)
    assert redacted["data"]["attributes"] == {
        "log-read-url": "https://archivist.terraform.io/[signed-url-removed]",
        "has-changes": True,
        "resource-additions": 1,
        "note": None,
    }
    assert redacted["data"]["links"] == before["data"]["links"]
    assert redacted["data"]["id"] == before["data"]["id"]


def test_run_variables_keep_keys_and_lose_values() -> None:
    document = {"data": run(variables=[{"key": "password", "value": f'"{SECRET}"'}, {"key": "n", "value": "2"}])}
    redacted = redact_document(document)
    assert redacted["data"]["attributes"].pop("variables") == [
        {"key": "password", "value": REMOVED},
        {"key": "n", "value": REMOVED},
    ]
    document["data"]["attributes"].pop("variables")
    assert redacted == document


@rows("variables", [{"password": SECRET}, SECRET, [SECRET], [[SECRET]], [{"value": SECRET}], 5])
def test_malformed_variables_lose_their_values(variables: Any) -> None:
    assert SECRET not in json.dumps(redact_document({"variables": variables}))


def test_absent_variables_are_unchanged() -> None:
    assert redact_document({"variables": None}) == {"variables": None}
    assert redact_document({"variables": []}) == {"variables": []}


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="ascii"), max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


@given(_JSON)
@settings(deadline=None)
def test_document_without_secrets_is_unchanged(document: Any) -> None:
    redacted = redact_document(document)
    if "variables" not in json.dumps(document):
        assert redacted == document


@given(_JSON, st.sampled_from([API_TOKEN, *_SIGNED]))
@settings(deadline=None)
def test_secret_is_found_anywhere_in_a_document(document: Any, secret: str) -> None:
    whole = {"data": [document, {"deep": [{"er": f"x {secret} y"}]}], "variables": [{"key": "a", "value": SECRET}]}
    assert SECRET not in json.dumps(redact_document(whole))
