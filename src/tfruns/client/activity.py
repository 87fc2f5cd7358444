"""Comments and events of runs, and the account of the token.

Sources: HCP Terraform API, "Comments", "Account"; run events as HashiCorp's own clients read them.
"""

from collections.abc import Sequence

from tfruns.client.error_mapping import Purpose
from tfruns.client.listing import Listing, listing
from tfruns.client.lost_responses import unknown_outcome
from tfruns.client.parsing import parse_one
from tfruns.client.references import api_path, parse_run
from tfruns.client.response_matching import has_attributes, is_kind
from tfruns.client.retries import AttemptFailed
from tfruns.client.transport import ExpectedResponse, Transport, include_param
from tfruns.errors import InvalidInput, OutcomeUnknown, TfrunsError, UnexpectedResponse
from tfruns.jsonapi import create_document
from tfruns.wire.activity import Comment, RunEvent, User

_READ = Purpose("read runs")
_COMMENT = Purpose("read runs")
_MAX_COMMENT = 10_000  # characters


def check_comment(text: str) -> None:
    """Refuse a comment that is too long. The limit is ours: the API documents none.

    Raises:
        InvalidInput: the comment is too long; nothing was sent.
    """
    if len(text) > _MAX_COMMENT:
        raise InvalidInput(
            f"The comment has {len(text):,} characters; at most {_MAX_COMMENT:,} are allowed.", solution="Shorten it."
        )


class Comments:
    """The comments on runs."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def create(self, run: str, body: str) -> Comment:
        """Comment on a run. One call creates at most one comment.

        Source: HCP Terraform API, "Create Comment".
        Wire: POST /runs/{run_id}/comments -> 201, the comment.

        Raises:
            InvalidInput: the text is empty or too long; nothing was sent.
            NotFound: 404, absent, or hidden from this token.
            OutcomeUnknown: the response was lost. Identical comments cannot be told apart, so none is searched for.
        """
        text = body.strip()
        if not text:
            raise InvalidInput("The comment is empty.")
        check_comment(text)
        path = api_path("runs", parse_run(run, self._transport.settings.address), "comments")
        document = create_document("comments", {"body": text})
        expected = ExpectedResponse(has_attributes("comments", {"body": text}))
        try:
            answer = await self._transport.post(path, document, expected=expected, purpose=_COMMENT)
            return parse_one(Comment, answer.document)
        except AttemptFailed as failure:
            raise _unknown_comment(failure.error) from failure.error
        except UnexpectedResponse as error:
            raise _unknown_comment(error) from error

    def list_for_run(self, run: str, *, include: Sequence[str] = ()) -> Listing[Comment]:
        """The comments on a run.

        Wire: GET /runs/{run_id}/comments -> 200.
        """
        path = api_path("runs", parse_run(run, self._transport.settings.address), "comments")
        return listing(self._transport, Comment, path, include_param(include), purpose=_READ)


def _unknown_comment(error: TfrunsError) -> OutcomeUnknown:
    return unknown_outcome(
        error, "It is not known whether the comment was recorded.", "Read the run's comments before writing it again."
    )


class RunEvents:
    """The events of runs."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_for_run(self, run: str, *, include: Sequence[str] = ()) -> Listing[RunEvent]:
        """The events of a run, oldest first. `include=["actor", "comment"]` adds the users and comments.

        Wire: GET /runs/{run_id}/run-events -> 200.
        """
        path = api_path("runs", parse_run(run, self._transport.settings.address), "run-events")
        return listing(self._transport, RunEvent, path, include_param(include), purpose=_READ)


class Account:
    """The account of the token."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def read(self) -> User:
        """Read the token's user; a synthetic user for a team's or organization's token.

        Source: HCP Terraform API, "Get your account details".
        Wire: GET /account/details -> 200.

        Raises:
            Unauthorized: 401, the token is invalid.
        """
        return await read_account(self._transport)


async def read_account(transport: Transport) -> User:
    """Read the token's user. Raises: as `Account.read`."""
    answer = await transport.get(api_path("account", "details"), matches=is_kind("users"))
    return parse_one(User, answer.document)
