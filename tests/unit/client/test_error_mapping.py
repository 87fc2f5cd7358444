"""The mapping of failures to errors, and the texts of the errors."""

import socket
import ssl
from datetime import UTC, datetime

import httpx2

from tests.support.growth import assert_linear
from tests.support.tables import rows
from tfruns.client.address import parse_address
from tfruns.client.credentials import Token
from tfruns.client.error_mapping import (
    Purpose,
    error_from_failure,
    error_from_response,
    parse_date,
    retry_after_s,
    unexpected,
)
from tfruns.errors import (
    ApiError,
    BadRequest,
    ConnectionFailed,
    ConnectionLost,
    Forbidden,
    HostNotFound,
    NotFound,
    RequestTimedOut,
    TfrunsError,
    TlsFailed,
    TransitionNotAllowed,
    Unauthorized,
    UnexpectedResponse,
    UnprocessableEntity,
    WorkspaceBusy,
    WorkspaceLocked,
)
from tfruns.jsonapi import JSON

WHERE = parse_address("https://tfe.example.com:8443")


def response(status: int, html: bool = False, content: bytes = b"", /, **headers: str) -> httpx2.Response:
    kind = "text/html; charset=utf-8" if html else "application/vnd.api+json"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = httpx2.Request("POST", "https://tfe.example.com:8443/api/v2/runs?secret=1")
    return httpx2.Response(status, content=content, headers={"content-type": kind, **named}, request=request)


def refused(status: int, *words: str, purpose: Purpose | None = None, **headers: str) -> TfrunsError:
    document = {"errors": [{"status": str(status), "title": word} for word in words]} if words else None
    return error_from_response(response(status, **headers), document, purpose or Purpose())


def caused(error: httpx2.HTTPError, *causes: BaseException) -> httpx2.HTTPError:
    """An error of the HTTP library with these causes, innermost last."""
    current: BaseException = error
    for cause in causes:
        current.__cause__ = cause
        current = cause
    return error


# -- no answer --------------------------------------------------------------------------------------------------------

_FAILURES: list[tuple[httpx2.HTTPError, type[TfrunsError], str]] = [
    (caused(httpx2.ConnectError("x"), socket.gaierror(-2, "unknown")), HostNotFound, "could not be resolved"),
    (
        caused(httpx2.ConnectError("x"), OSError("all failed"), ExceptionGroup("x", [socket.gaierror(-3, "again")])),
        HostNotFound,
        "could not be resolved",
    ),
    (caused(httpx2.ConnectError("x"), ConnectionRefusedError(111, "refused")), ConnectionFailed, "refused"),
    (
        caused(
            httpx2.ConnectError("x"),
            OSError("all failed"),
            ExceptionGroup("x", [OSError(101, "unreachable"), ConnectionRefusedError(111, "refused")]),
        ),
        ConnectionFailed,
        "refused",
    ),
    (caused(httpx2.ConnectError("x"), OSError(101, "unreachable")), ConnectionFailed, "Connecting to"),
    (httpx2.ConnectError("x"), ConnectionFailed, "Connecting to"),
    (httpx2.ConnectTimeout("x"), ConnectionFailed, "timed out"),
    (httpx2.PoolTimeout("x"), ConnectionFailed, "in use"),
    (httpx2.ProxyError("x"), ConnectionFailed, "proxy"),
    (caused(httpx2.ConnectError("x"), ssl.SSLError("handshake")), TlsFailed, "handshake"),
    (httpx2.ReadTimeout("x"), RequestTimedOut, "in time"),
    (httpx2.WriteTimeout("x"), RequestTimedOut, "in time"),
    (httpx2.ReadError("x"), ConnectionLost, "was lost"),
    (httpx2.WriteError("x"), ConnectionLost, "was lost"),
    (httpx2.CloseError("x"), ConnectionLost, "was lost"),
    (httpx2.RemoteProtocolError("x"), ConnectionLost, "was lost"),
    (httpx2.DecodingError("x"), UnexpectedResponse, "cannot be decompressed"),
]


@rows(("error", "kind", "word"), _FAILURES, ids=lambda value: str(value)[:40])
def test_connection_failure_has_its_class_and_names_the_host(
    error: httpx2.HTTPError, kind: type[TfrunsError], word: str
) -> None:
    failure = error_from_failure(error, WHERE)
    assert type(failure) is kind
    assert word in failure.message
    assert "tfe.example.com:8443" in failure.message
    assert failure.status is None
    assert failure.cause
    assert failure.solution
    assert failure.code == kind.code


def test_rejected_certificate_has_its_reason() -> None:
    rejected = ssl.SSLCertVerificationError(1, "failed")
    rejected.verify_message = "certificate has expired"
    failure = error_from_failure(caused(httpx2.ConnectError("x"), rejected), WHERE)
    assert isinstance(failure, TlsFailed)
    assert "certificate has expired" in failure.message
    assert "TFE_CA_FILE" in failure.solution
    assert not failure.is_retryable


def test_cyclic_causes_are_handled() -> None:
    error = httpx2.ReadError("x")
    other = OSError("y")
    error.__cause__, other.__context__ = other, error
    assert isinstance(error_from_failure(error, WHERE), ConnectionLost)


# -- an answer that is an error ---------------------------------------------------------------------------------------


def test_all_texts_of_an_error_document_are_included() -> None:
    document: JSON = {
        "errors": [
            {
                "status": "422",
                "title": "invalid attribute",
                "detail": "Message is too long",
                "source": {"pointer": "/m"},
            },
            {"status": "422", "title": "unprocessable entity"},
            "a plain text",
        ]
    }
    failure = error_from_response(response(422), document, Purpose())
    for words in ("invalid attribute", "Message is too long", "/m", "unprocessable entity", "a plain text"):
        assert words in failure.message
    assert "POST /api/v2/runs" in failure.message
    assert "secret" not in failure.message, "the query is not shown"


@rows("piece", ["x", "a.", "a://", "bearer ", "<title>"])
def test_very_long_api_texts_are_truncated_in_linear_time(piece: str) -> None:
    assert len(str(refused(422, piece * 10_000))) < 1_500
    assert_linear(lambda size: refused(422, piece * (size // len(piece))), 20_000)


@rows(
    "document",
    [None, 5, "text", [], {}, {"errors": None}, {"errors": 5}, {"errors": [None, 5, [], {}]}, {"errors": {"a": 1}}],
    ids=str,
)
@rows("status", [400, 401, 403, 404, 409, 418, 422, 429, 500, 503])
def test_error_document_of_any_shape_maps_to_its_status(document: JSON, status: int) -> None:
    failure = error_from_response(response(status), document, Purpose())
    assert failure.status == status
    assert str(status) in failure.message


def test_errors_as_a_single_string_are_included() -> None:
    assert "the words" in error_from_response(response(400), {"errors": "the words"}, Purpose()).message


def test_request_id_is_kept_in_every_error() -> None:
    assert refused(404, "not found", x_request_id="req-9").request_id == "req-9"
    assert refused(500, x_request_id="req-9").as_dict()["request_id"] == "req-9"
    assert unexpected(response(200, x_request_id="req-9"), "an HTML page").request_id == "req-9"
    assert "request_id" not in refused(404, "not found").as_dict()


@rows(
    ("status", "words", "kind"),
    [
        (422, "the workspace is LOCKED by run-1", WorkspaceLocked),
        (422, "something else", UnprocessableEntity),
        (400, "the workspace is locked", BadRequest),
        (409, "anything", WorkspaceBusy),
    ],
)
def test_purpose_selects_a_more_specific_error(status: int, words: str, kind: type[ApiError]) -> None:
    purpose = Purpose("queue plans", errors=((422, "lock", WorkspaceLocked), (409, "", WorkspaceBusy)))
    assert type(refused(status, words, purpose=purpose)) is kind


def test_409_for_an_action_is_transition_not_allowed() -> None:
    purpose = Purpose("apply runs", errors=((409, "", TransitionNotAllowed),))
    assert type(refused(409, "transition not allowed", purpose=purpose)) is TransitionNotAllowed


def test_403_names_the_permission() -> None:
    failure = refused(403, "forbidden", purpose=Purpose("queue plans"))
    assert isinstance(failure, Forbidden)
    assert "permission" in failure.cause
    assert '"queue plans"' in failure.cause


def test_404_mentions_hidden_runs_and_organization_tokens() -> None:
    failure = refused(404, "not found", purpose=Purpose("read runs"))
    assert isinstance(failure, NotFound)
    for words in ("hidden from this token", "rganization tokens", '"read runs"'):
        assert words in failure.cause
    assert "Verify the id" in failure.solution


def test_401_explains_how_to_get_a_new_token() -> None:
    failure = refused(401, "unauthorized")
    assert isinstance(failure, Unauthorized)
    assert "tfruns login" in failure.solution


def test_401_names_the_source_of_the_token_and_how_to_replace_it() -> None:
    cause = "is wrong, expired or revoked, or belongs to another host."
    login = "Run `tfruns login` with a new token, and restart tfruns."
    for source, replaced in (
        ("TFE_TOKEN", "Put a new token into TFE_TOKEN (it has precedence over `tfruns login`), and restart tfruns."),
        (
            "/home/ada/.terraformrc",
            "Put a new token into /home/ada/.terraformrc (it has precedence over `tfruns login`), and restart tfruns.",
        ),
        ("/home/ada/.terraform.d/credentials.tfrc.json", login),
        ("the argument", Unauthorized.default_solution),
    ):
        token = Token("fakeToken1234", source)
        answer = response(401, False, b"{}")
        failure = error_from_response(answer, {"errors": [{"title": "unauthorized"}]}, Purpose(), token=token)
        named = "The token" if source == "the argument" else f"The token from {source}"
        assert (failure.cause, failure.solution) == (f"{named} {cause}", replaced)


@rows("status", [401, 403, 429, 500, 502, 503])
def test_html_page_keeps_the_class_of_gateway_statuses(status: int) -> None:
    failure = error_from_response(response(status, True, b"<title>Gateway</title>"), None, Purpose())
    assert isinstance(failure, ApiError)
    assert "HTML" in failure.message


@rows("status", [400, 404, 405, 409, 422])
def test_other_html_page_is_an_unexpected_response(status: int) -> None:
    failure = error_from_response(response(status, True, b"<title>Apache</title>"), None, Purpose())
    assert isinstance(failure, UnexpectedResponse)
    assert failure.status == status
    assert "Apache" in failure.message


@rows(
    "content",
    [b"", b"<title></title>", b"<title>", b"<title>\xff\xfe</title>", b"<html>" + b"x" * 1_000_000, b"<TITLE a='b'>T"],
)
def test_html_page_without_a_title_is_recognized(content: bytes) -> None:
    assert "an HTML page" in unexpected(response(200, True, content), "an HTML page").message


def test_html_title_is_shown_on_one_line_and_truncated() -> None:
    page = b"<title>\nSign\n in " + b"x" * 5_000 + b"</title>"
    message = unexpected(response(200, True, page), "an HTML page").message
    assert len(message) < 400
    assert "\n" not in message


# -- dates and waits --------------------------------------------------------------------------------------------------


@rows(
    "text",
    [  # RFC 9110, "Date/Time Formats": all three forms are of the same moment, in UTC
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ],
)
def test_all_three_http_date_formats_are_parsed_in_utc(text: str) -> None:
    assert parse_date(text) == datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)


@rows(
    "text",
    [
        None,
        "",
        " ",
        "soon",
        "1",
        "Fri, 32 Jan 2026 03:04:05 GMT",
        "Fri, 02 Jan 99999999999999999999 03:04:05 GMT",
        "Fri, 02 Jan 2026 03:04:05 +99999999999999999999",
    ],
)
def test_invalid_date_is_none(text: str | None) -> None:
    assert parse_date(text) is None


@rows("status", [200, 404, 503])
def test_rate_window_end_is_used_only_for_a_429(status: int) -> None:
    assert retry_after_s(response(status, x_ratelimit_reset="3")) is None
    assert retry_after_s(response(429, x_ratelimit_reset="3")) == 3.0
