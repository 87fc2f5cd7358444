"""The errors of tfruns, in one tree.

    TfrunsError
    |-- InvalidInput                 an argument is wrong; nothing was sent
    |-- RefusedByMode                the server's mode forbids it; nothing was sent
    |-- OutOfScope                   absent, or outside the server's scope; nothing was changed
    |-- ConfirmationNeeded           it is not confirmed; nothing was changed
    |-- Declined                     the user declined; nothing was changed
    |-- PlanDiffers                  the plan differs from the reviewed one; nothing was changed
    |-- AuditFailed                  the audit log cannot be written; nothing was changed
    |-- NoCredentials                no token for this host; nothing was sent
    |-- ConnectionFailed             the connection failed; nothing was sent
    |   |-- HostNotFound             the host name cannot be resolved
    |   `-- TlsFailed                the server's certificate was rejected
    |-- RequestTimedOut              no response in time
    |-- ConnectionLost               the connection was lost before the response was complete
    |-- OutcomeUnknown               a change was sent, and its outcome is unknown
    |-- WaitTimedOut                 a run did not reach the awaited state in time
    |-- UnexpectedResponse           not a response of the API: HTML, truncated JSON, a redirect to another host
    |-- TooLarge                     an object exceeds the size limit
    `-- ApiError                     the API returned an error
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

Each class has an HTTP status, a stable code, a likely cause, a solution, and whether a retry can help. An instance adds
the message, with the API's own text if there is one, and the API's request id. No text of an error contains a token or
a signed URL: all texts pass `masking.redaction.safe_text`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from tfruns.masking.redaction import safe_document, safe_text
from tfruns.next_actions import NextAction, Text, joined

_MAX_SHOWN = 600  # characters of a text that an error shows
_MAX_READ = 20_000  # characters of a text that are processed

Fact = str | int | float | bool | Sequence[str] | None


class TfrunsError(Exception):
    """The base class of all errors of tfruns.

    Attributes:
        message: what failed, with the API's own text if there is one.
        status: the HTTP status; None if there was no response.
        code: a stable identifier of the error class.
        cause: the likely cause.
        solution: what to do.
        is_retryable: whether the same call may succeed later.
        retry_after_s: seconds to wait before a retry, if the server gave them.
        request_id: the API's request id, for its support.
        facts: further details by name (the run's status, the id of a blocking run, ...).
        next_actions: the calls that help.
    """

    default_status: ClassVar[int | None] = None
    code: ClassVar[str] = "error"
    default_cause: ClassVar[str] = ""
    default_solution: ClassVar[str] = ""
    is_retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: Text,
        *,
        status: int | None = None,
        cause: Text | None = None,
        solution: Text | None = None,
        retry_after_s: float | None = None,
        request_id: str | None = None,
        facts: Mapping[str, Fact] | None = None,
        next_actions: Sequence[NextAction] = (),
    ) -> None:
        self._texts: tuple[Text, Text, Text] = (
            message,
            cause or self.default_cause,
            solution or self.default_solution,
        )
        self.message, self.cause, self.solution = self.texts()
        super().__init__(self.message)
        self.status = status if status is not None else self.default_status
        self.retry_after_s = retry_after_s
        self.request_id = _shown(request_id) if request_id else None
        self.facts: dict[str, Fact] = dict(facts or {})
        self.next_actions = tuple(next_actions)

    def __str__(self) -> str:
        """The message and the solution, in one line."""
        return f"{self.message} ({self.solution})" if self.solution else self.message

    def texts(self, name_of: Callable[[str], str] = str) -> tuple[str, str, str]:
        """The message, the cause and the solution.

        Args:
            name_of: returns the caller's name of a tool's argument.
        """
        message, cause, solution = (_shown(joined(text, name_of)) for text in self._texts)
        return message, cause, solution

    def as_dict(self) -> dict[str, Any]:
        """The error as a JSON object, without empty fields."""
        fields: dict[str, Any] = {
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
        fields["next_actions"] = [
            {"tool": action.tool, "arguments": safe_document(action.arguments), "reason": safe_text(action.reason)}
            for action in self.next_actions
        ]
        return {key: value for key, value in fields.items() if value not in (None, "", [], ())}


def _shown(text: str) -> str:
    """The text without secrets, truncated."""
    # The last word of a truncated text may be part of a secret.
    shown = safe_text(text if len(text) <= _MAX_READ else text[:_MAX_READ].rpartition(" ")[0])
    is_whole = len(text) <= _MAX_READ and len(shown) <= _MAX_SHOWN
    return shown if is_whole else shown[:_MAX_SHOWN] + "…"


def _shown_fact(value: Fact) -> Fact:
    if isinstance(value, str):
        return _shown(value)
    return [_shown(item) for item in value] if isinstance(value, Sequence) else value


# -- before anything is sent ------------------------------------------------------------------------------------------


class InvalidInput(TfrunsError):
    """An argument is wrong. Nothing was sent."""

    code = "invalid_input"
    default_cause = "An argument is missing, unknown or malformed. Nothing was sent."
    default_solution = "Correct the argument, and try again."


class RefusedByMode(TfrunsError):
    """The server's mode forbids the call. Nothing was sent."""

    code = "refused_by_mode"
    default_cause = "The server was started with a --mode that forbids this. Nothing was sent."
    default_solution = "Ask the person who runs the server to restart it with another --mode."


class OutOfScope(TfrunsError):
    """The target does not exist, or is outside the server's scope. Nothing was changed.

    Attributes:
        role: the kind of object that the argument names; None if the error is not about a whole argument.
    """

    code = "out_of_scope"
    role: str | None = None
    default_cause = (
        "It does not exist, or it is outside the server's scope (--organizations, --workspaces). Nothing was changed."
    )
    default_solution = "Check the id or name. To change the scope, the person who runs the server has to restart it."


class ConfirmationNeeded(TfrunsError):
    """The call requires a confirmation. Nothing was changed."""

    code = "confirmation_needed"
    default_cause = "The call cannot be undone, and this client cannot ask a person to confirm it."
    default_solution = "Let a person do it in the browser, or restart the server with another --confirm."


class Declined(TfrunsError):
    """The person who was asked did not confirm. Nothing was changed."""

    code = "declined"
    default_cause = "The person declined. Nothing was changed."
    default_solution = "Do not call again unless the person asks for it."


class PlanDiffers(TfrunsError):
    """The plan does not match the fingerprint, or cannot be compared with it. Nothing was changed."""

    code = "plan_differs"
    default_cause = (
        "The fingerprint belongs to another run or to another server's review, or is mistyped. Nothing was changed."
    )
    default_solution = "Review the plan again, check it, and use its fingerprint."


class AuditFailed(TfrunsError):
    """The call could not be recorded in the audit log. Nothing was changed."""

    code = "audit_failed"
    default_cause = "The file or its directory is not writable (permissions, disk full). Nothing was changed."
    default_solution = "Make the audit log writable, or set TFRUNS_AUDIT_FILE to another file."


class NoCredentials(TfrunsError):
    """No API token was found for the host. Nothing was sent."""

    code = "no_credentials"
    default_cause = "Neither the environment nor the Terraform CLI configuration has a token for this host."
    default_solution = (
        "Run `tfruns login` or `terraform login`. Or set TFE_TOKEN (and TFE_ADDRESS for a host other than "
        "app.terraform.io), TF_TOKEN_<host> (with _ for each .), or a credentials block in ~/.terraformrc or the file "
        "in TF_CLI_CONFIG_FILE, and restart tfruns. Without an account, use the local backend: --local."
    )


# -- no usable response -----------------------------------------------------------------------------------------------


class ConnectionFailed(TfrunsError):
    """Connecting to the server failed. Nothing was sent."""

    code = "connection_failed"
    default_cause = "The server is down, the address or port is wrong, or a firewall or proxy blocks the connection."
    default_solution = "Check TFE_ADDRESS, the network and the proxy settings, then try again."
    is_retryable = True


class HostNotFound(ConnectionFailed):
    """The host name cannot be resolved. Nothing was sent."""

    code = "host_not_found"
    default_cause = "The host name is misspelled, or resolves only in another network (VPN?)."
    default_solution = "Check TFE_ADDRESS, the proxy settings and this machine's DNS, then try again."


class TlsFailed(ConnectionFailed):
    """The server's certificate was rejected. Nothing was sent."""

    code = "tls_failed"
    default_cause = "The certificate has expired, is for another name, or is signed by an unknown authority."
    default_solution = "If a private authority signed it, set TFE_CA_FILE (or SSL_CERT_FILE) to its bundle."
    is_retryable = False


class RequestTimedOut(TfrunsError):
    """The server did not respond in time."""

    code = "timeout"
    default_cause = "The server or the network is slow, or a proxy delays the response."
    default_solution = "Try again; a read is always safe to repeat."
    is_retryable = True


class ConnectionLost(TfrunsError):
    """The connection was lost before the response was complete."""

    code = "connection_lost"
    default_cause = "The server was restarted, or a proxy closed the connection."
    default_solution = "Try again; a read is always safe to repeat."
    is_retryable = True


class OutcomeUnknown(TfrunsError):
    """A change was sent, its response was lost, and the current state does not show whether it happened."""

    code = "outcome_unknown"
    default_cause = "The request was sent, and no response shows its effect: the change may or may not have happened."
    default_solution = "Read the run, or list the workspace's runs, before you repeat it."


class WaitTimedOut(TfrunsError):
    """A run did not reach the awaited state in time. It continues."""

    code = "wait_timed_out"
    default_cause = "The run is queued, Terraform is still working, or a person has to act."
    default_solution = "Wait again, with more time. The run was not changed."
    is_retryable = True


class UnexpectedResponse(TfrunsError):
    """The response does not come from the HCP Terraform API."""

    code = "unexpected_response"
    default_cause = "TFE_ADDRESS is not the address of a Terraform API, or a proxy or sign-in page responded instead."
    default_solution = "Check TFE_ADDRESS and any proxy between this machine and the API."


class TooLarge(TfrunsError):
    """An object exceeds the size limit."""

    code = "too_large"
    default_cause = "It exceeds the size that tfruns reads into memory."
    default_solution = "Open it in the browser."


# -- the API returned an error ----------------------------------------------------------------------------------------


class ApiError(TfrunsError):
    """The API returned an error without a more specific class."""

    code = "api_error"
    default_cause = "The API refused the request."
    default_solution = "See the message."


class BadRequest(ApiError):
    """400: the request is malformed."""

    default_status = 400
    code = "bad_request"
    default_cause = "A parameter is malformed or unsupported."
    default_solution = "See the message, and correct the parameter."


class Unauthorized(ApiError):
    """401: the token is invalid."""

    default_status = 401
    code = "unauthorized"
    default_cause = "The token is wrong, expired or revoked, or belongs to another host."
    default_solution = "Create a new token (`tfruns login`, or the user settings page), and restart tfruns."


class Forbidden(ApiError):
    """403: the token is valid but lacks a permission."""

    default_status = 403
    code = "forbidden"
    default_cause = "Insufficient permissions: the token's user or team lacks a permission on the workspace."
    default_solution = "Ask an administrator of the workspace for the permission, or use another token."


class NotFound(ApiError):
    """404: absent, or hidden from this token."""

    default_status = 404
    code = "not_found"
    default_cause = (
        "It does not exist, or it is hidden from this token (the API returns 404 for both). "
        "Organization tokens cannot read or change runs."
    )
    default_solution = "Verify the id. If it is right, use a user or team token that can read it."


class Conflict(ApiError):
    """409: the current state does not allow it."""

    default_status = 409
    code = "conflict"
    default_cause = "The current state does not allow this."
    default_solution = "Read it again and check its current state."


class TransitionNotAllowed(Conflict):
    """409: the run's status does not allow the action."""

    code = "transition_not_allowed"
    default_cause = "The run's current status does not allow this action."
    default_solution = "Verify that the run is in the right state: see its status and allowed actions."


class WorkspaceBusy(Conflict):
    """409: the workspace already has an active run."""

    code = "workspace_busy"
    default_cause = "Only one run can be active in a workspace at a time."
    default_solution = "Wait for the active run to finish, or cancel or discard it."


class UnprocessableEntity(ApiError):
    """422: the request is well-formed but cannot be carried out."""

    default_status = 422
    code = "unprocessable_entity"
    default_cause = "A value is invalid, or something the request requires is missing or not ready."
    default_solution = "See the message, and correct the value or provide what is missing."


class WorkspaceLocked(UnprocessableEntity):
    """422: the workspace is locked by another run or by a user."""

    code = "workspace_locked"
    default_cause = "The workspace is locked by another run or by a user."
    default_solution = (
        "Wait for the current run to finish or cancel it. Ask the user who locked the workspace to unlock it."
    )


class RateLimited(ApiError):
    """429: too many requests, and the retries did not succeed."""

    default_status = 429
    code = "rate_limited"
    default_cause = "This token's requests exceed the API's rate limit (30 a second; run lists 30 a minute)."
    default_solution = "Wait, then try again. List runs less often."
    is_retryable = True


class ServerError(ApiError):
    """5xx: the server failed."""

    default_status = 500
    code = "server_error"
    default_cause = "The server, or a proxy in front of it, failed."
    default_solution = "Try again later. If it persists, check the service's status page."
    is_retryable = True


def all_errors(root: type[TfrunsError] = TfrunsError) -> Iterator[type[TfrunsError]]:
    """All classes of the tree, parents first, in the order of this file."""
    yield root
    for child in root.__subclasses__():
        yield from all_errors(child)
