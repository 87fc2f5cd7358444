"""Every error of tfruns, in one tree.

    TfrunsError
    |-- InvalidInput                 an argument is wrong; nothing was sent
    |-- RefusedByMode                the server's mode does not permit it; nothing was sent
    |-- OutOfScope                   it does not exist, or the server may not touch it; nothing was changed
    |-- ConfirmationNeeded           nobody has agreed to it yet; nothing was changed
    |-- Declined                     the person who was asked said no; nothing was changed
    |-- PlanDiffers                  the plan is not the one that was reviewed; nothing was changed
    |-- AuditFailed                  the audit log cannot be written; nothing was changed
    |-- NoCredentials                no token for this host; nothing was sent
    |-- ConnectionFailed             no connection could be made; nothing was sent
    |   |-- HostNotFound             the name of the host does not resolve
    |   `-- TlsFailed                the server's certificate was not accepted
    |-- RequestTimedOut              no answer in time
    |-- ConnectionLost               the connection broke before the answer was complete
    |-- OutcomeUnknown               a change was sent, and nobody can say whether it happened
    |-- UnexpectedResponse           an answer that is not the API's: HTML, truncated JSON, a redirect to elsewhere
    |-- TooLarge                     an object that is larger than what is read into memory
    `-- ApiError                     the API said no
        |-- BadRequest               400
        |-- Unauthorized             401
        |-- Forbidden                403
        |-- NotFound                 404
        |-- Conflict                 409
        |   |-- TransitionNotAllowed     the run's status does not allow the action
        |   `-- WorkspaceBusy            the workspace already has an active run
        |-- UnprocessableEntity      422
        |   `-- WorkspaceLocked          the workspace is locked
        |-- RateLimited              429
        `-- ServerError              5xx

Each class knows its HTTP status, a stable code, the likely cause, the solution, and whether trying again can help. An
instance adds what happened, in the API's own words where there are any, and the API's request id. No error's text holds
a token or a signed address: everything passes `masking.redaction.shown_text`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from tfruns.masking.redaction import shown_text

_MAX_WORDS = 600  # characters of the API's own words that an error repeats
_MAX_READ = 20_000  # characters of a text that are looked at

Fact = str | int | float | bool | Sequence[str] | None


class TfrunsError(Exception):
    """What every error of tfruns is.

    Attributes:
        message: what happened, in the API's own words where there are any.
        status: the HTTP status, or None where there was no answer.
        code: a stable name of the kind of error.
        cause: the likely cause.
        solution: what to do about it.
        is_retryable: whether the same call may succeed later without anything being changed.
        retry_after_s: seconds to wait before trying again, where the server said so.
        request_id: the API's id of the request, for its support.
        facts: what else is known and useful, by name (a run's status, the id of a blocking run, ...).
    """

    default_status: ClassVar[int | None] = None
    code: ClassVar[str] = "error"
    default_cause: ClassVar[str] = ""
    default_solution: ClassVar[str] = ""
    is_retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        cause: str | None = None,
        solution: str | None = None,
        retry_after_s: float | None = None,
        request_id: str | None = None,
        facts: Mapping[str, Fact] | None = None,
    ) -> None:
        self.message = _shown(message)
        super().__init__(self.message)
        self.status = status if status is not None else self.default_status
        self.cause = _shown(cause or self.default_cause)
        self.solution = _shown(solution or self.default_solution)
        self.retry_after_s = retry_after_s
        self.request_id = _shown(request_id) if request_id else None
        self.facts: dict[str, Fact] = dict(facts or {})

    def __str__(self) -> str:
        """One line for a person: what happened, and what to do."""
        return f"{self.message} ({self.solution})" if self.solution else self.message

    def as_dict(self) -> dict[str, Fact]:
        """The error as a flat object for a program; what is unknown is left out."""
        fields: dict[str, Fact] = {
            "error": self.code,
            "status": self.status,
            "message": self.message,
            "cause": self.cause,
            "solution": self.solution,
            "retryable": self.is_retryable or None,
            "retry_after_s": self.retry_after_s,
            "request_id": self.request_id,
        }
        fields |= {name: _shown_fact(value) for name, value in self.facts.items() if name not in fields}
        return {key: value for key, value in fields.items() if value not in (None, "", [], ())}


def _shown(text: str) -> str:
    """The text without secrets, and cut."""
    # Of what is too long to be looked at, the last word may be a part of a secret.
    shown = shown_text(text if len(text) <= _MAX_READ else text[:_MAX_READ].rpartition(" ")[0])
    is_whole = len(text) <= _MAX_READ and len(shown) <= _MAX_WORDS
    return shown if is_whole else shown[:_MAX_WORDS] + "…"


def _shown_fact(value: Fact) -> Fact:
    if isinstance(value, str):
        return _shown(value)
    return [_shown(item) for item in value] if isinstance(value, Sequence) else value


# -- before anything is sent ------------------------------------------------------------------------------------------


class InvalidInput(TfrunsError):
    """An argument is wrong. Nothing was sent."""

    code = "invalid_input"
    default_cause = "An argument is missing, unknown, or not of the form that it must have. Nothing was sent."
    default_solution = "Correct the argument and call again."


class RefusedByMode(TfrunsError):
    """What was asked for is outside what this server was started for. Nothing was sent."""

    code = "refused_by_mode"
    default_cause = "The server was started in a mode that does not permit this. Nothing was sent."
    default_solution = "Ask the person who runs the server; a mode is changed only by starting it with another --mode."


class OutOfScope(TfrunsError):
    """What was named does not exist, or is outside of what this server may touch. Nothing was changed."""

    code = "out_of_scope"
    default_cause = (
        "It does not exist, or it is outside of the limits with which the server was started (--organizations, "
        "--workspaces). Nothing was changed."
    )
    default_solution = "Check the id or name. Other limits need a restart of the server by the person who runs it."


class ConfirmationNeeded(TfrunsError):
    """It cannot be undone, and nobody has agreed to it yet. Nothing was changed."""

    code = "confirmation_needed"
    default_cause = "What it would do cannot be undone, and no person could be asked through the client."
    default_solution = "Let a person do it in the browser, or start the server with another --confirm."


class Declined(TfrunsError):
    """The person who was asked did not agree. Nothing was changed."""

    code = "declined"
    default_cause = "The person was asked through the client and said no, or closed the question. Nothing was changed."
    default_solution = "Do not call again unless the person asks for it."


class PlanDiffers(TfrunsError):
    """The plan is not the one that the fingerprint is of, or cannot be compared with it. Nothing was changed."""

    code = "plan_differs"
    default_cause = (
        "The fingerprint is of another run, of another server's review, or was mistyped. Nothing was changed."
    )
    default_solution = "Call review_run for this run, look at the plan, and give its fingerprint."


class AuditFailed(TfrunsError):
    """What would be changed could not be written to the audit log. Nothing was changed."""

    code = "audit_failed"
    default_cause = "The file or its directory cannot be written (permissions, a full disk). Nothing was changed."
    default_solution = "Make the audit log's file writable, or name another one in TFRUNS_AUDIT_FILE."


class NoCredentials(TfrunsError):
    """There is no API token for the host. Nothing was sent."""

    code = "no_credentials"
    default_cause = "None of the places where a token may stand has one for this host."
    default_solution = (
        "Run `terraform login`, or add a credentials block to the Terraform CLI configuration (~/.terraformrc, or the "
        "file in TF_CLI_CONFIG_FILE), and try again; or set TFE_TOKEN (with TFE_ADDRESS for another host than "
        "app.terraform.io) or TF_TOKEN_<host, with _ for .> and start tfruns again."
    )


# -- no usable answer -------------------------------------------------------------------------------------------------


class ConnectionFailed(TfrunsError):
    """No connection to the server. Nothing was sent."""

    code = "connection_failed"
    default_cause = "The server is down, the address or port is wrong, or a firewall or proxy is in between."
    default_solution = "Check TFE_ADDRESS, the network and the proxy settings, then try again."
    is_retryable = True


class HostNotFound(ConnectionFailed):
    """The host's name does not resolve. Nothing was sent."""

    code = "host_not_found"
    default_cause = "The name of the host is misspelled, or no name server knows it from here (VPN?)."
    default_solution = "Check TFE_ADDRESS, the proxy settings and the name resolution of this machine, then try again."


class TlsFailed(ConnectionFailed):
    """The server's certificate was not accepted. Nothing was sent."""

    code = "tls_failed"
    default_cause = "The certificate is expired, for another name, or signed by an authority unknown to this machine."
    default_solution = "If a private authority signs it, name its bundle in TFE_CA_FILE (or SSL_CERT_FILE)."
    is_retryable = False


class RequestTimedOut(TfrunsError):
    """The server did not answer in time."""

    code = "timeout"
    default_cause = "The server or the network is slow, or something in between holds the connection."
    default_solution = "Try again; reading is always safe to repeat."
    is_retryable = True


class ConnectionLost(TfrunsError):
    """The connection broke before the answer was complete."""

    code = "connection_lost"
    default_cause = "The server was restarted, or something in between closed the connection."
    default_solution = "Try again; reading is always safe to repeat."
    is_retryable = True


class OutcomeUnknown(TfrunsError):
    """A change was sent, the answer was lost, and what the server shows does not tell whether it happened."""

    code = "outcome_unknown"
    default_cause = "The connection failed after the request was sent: the server may or may not have acted on it."
    default_solution = "Read the run (or list the workspace's runs) before doing it again."


class UnexpectedResponse(TfrunsError):
    """The answer is not one of the HCP Terraform API."""

    code = "unexpected_response"
    default_cause = "The address is not that of a Terraform API, or a proxy or sign-in page answered instead."
    default_solution = "Check TFE_ADDRESS and what stands between this machine and it."


class TooLarge(TfrunsError):
    """An object is larger than what is read into memory."""

    code = "too_large"
    default_cause = "It is larger than what this program reads into memory."
    default_solution = "Look at it in the browser."


# -- the API said no --------------------------------------------------------------------------------------------------


class ApiError(TfrunsError):
    """The API answered with an error that has no class of its own."""

    code = "api_error"
    default_cause = "The API refused the request."
    default_solution = "See the message."


class BadRequest(ApiError):
    """400: the API could not read the request."""

    default_status = 400
    code = "bad_request"
    default_cause = "A parameter has a form that the API does not know."
    default_solution = "See the message for the parameter, and correct it."


class Unauthorized(ApiError):
    """401: the token is not valid."""

    default_status = 401
    code = "unauthorized"
    default_cause = "The token is wrong, expired or revoked, or belongs to another host."
    default_solution = "Make a new token (`terraform login`, or the user settings page) and start tfruns again."


class Forbidden(ApiError):
    """403: the token is valid and may not do this."""

    default_status = 403
    code = "forbidden"
    default_cause = "Insufficient permissions: the token's user or team lacks a permission on the workspace."
    default_solution = "Ask an administrator of the workspace for the permission, or use another token."


class NotFound(ApiError):
    """404: absent, or hidden from this token."""

    default_status = 404
    code = "not_found"
    default_cause = (
        "It does not exist, or it is hidden from this token (the API says 404 for both). "
        "Organization tokens cannot read or change runs."
    )
    default_solution = "Verify the id; if it is right, use a user or team token that may see it."


class Conflict(ApiError):
    """409: the present state does not allow it."""

    default_status = 409
    code = "conflict"
    default_cause = "The present state does not allow this."
    default_solution = "Read it again, and decide by what it is now."


class TransitionNotAllowed(Conflict):
    """409: the run cannot be applied, discarded, canceled or executed in its present status."""

    code = "transition_not_allowed"
    default_cause = "The run's present status does not allow this action."
    default_solution = "Verify that the run is in the right state; its allowed actions are given."


class WorkspaceBusy(Conflict):
    """409: the workspace already has an active run."""

    code = "workspace_busy"
    default_cause = "Only one run can be active in a workspace at a time."
    default_solution = "Wait for the active run to finish, or cancel or discard it."


class UnprocessableEntity(ApiError):
    """422: the API understood the request and cannot carry it out."""

    default_status = 422
    code = "unprocessable_entity"
    default_cause = "A value is not acceptable, or something that the request needs is not ready or missing."
    default_solution = "See the message; correct the value, or make ready what is missing."


class WorkspaceLocked(UnprocessableEntity):
    """422: the workspace is locked by another run, or by a person."""

    code = "workspace_locked"
    default_cause = "The workspace is locked by another run, or by a person."
    default_solution = "Wait for the current run to finish or cancel it; a person's lock only a person should release."


class RateLimited(ApiError):
    """429: too many requests, and waiting did not help within the time for retries."""

    default_status = 429
    code = "rate_limited"
    default_cause = "This token's requests exceed the API's rate limit (30 a second; run lists 30 a minute)."
    default_solution = "Wait, then try again; ask for fewer lists."
    is_retryable = True


class ServerError(ApiError):
    """5xx: the server failed."""

    default_status = 500
    code = "server_error"
    default_cause = "The server, or a proxy before it, failed."
    default_solution = "Try again in a while; if it stays, look at the service's status page."
    is_retryable = True


def all_errors(root: type[TfrunsError] = TfrunsError) -> Iterator[type[TfrunsError]]:
    """Every class of the tree, parents first, in the order of this file."""
    yield root
    for child in root.__subclasses__():
        yield from all_errors(child)
