"""Who did what to a run, and who we are.

Sources: HCP Terraform API, "Comments", "Account"; run events as HashiCorp's own clients read them.
"""

from collections.abc import Sequence

from tfruns.client.faults import Purpose
from tfruns.client.listing import Listing, listing
from tfruns.client.reading import read_one
from tfruns.client.references import api_path, parse_run
from tfruns.client.transport import Transport, include_param
from tfruns.wire.activity import Comment, RunEvent, User

_READ = Purpose("read runs")


class Comments:
    """The comments on runs."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_for_run(self, run: str, *, include: Sequence[str] = ()) -> Listing[Comment]:
        """The comments on a run.

        Wire: GET /runs/{run_id}/comments -> 200.
        """
        path = api_path("runs", parse_run(run, self._transport.settings.address), "comments")
        return listing(self._transport, Comment, path, include_param(include), purpose=_READ)


class RunEvents:
    """What happened to runs."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_for_run(self, run: str, *, include: Sequence[str] = ()) -> Listing[RunEvent]:
        """The events of a run, the oldest first. `include=["actor", "comment"]` brings who and what was said.

        Wire: GET /runs/{run_id}/run-events -> 200.
        """
        path = api_path("runs", parse_run(run, self._transport.settings.address), "run-events")
        return listing(self._transport, RunEvent, path, include_param(include), purpose=_READ)


class Account:
    """The account that the token belongs to."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def read(self) -> User:
        """Read who the token is; for a team's or organization's token a synthetic user.

        Source: HCP Terraform API, "Get your account details".
        Wire: GET /account/details -> 200.

        Raises:
            Unauthorized: 401, the token is not valid.
        """
        answer = await self._transport.get(api_path("account", "details"))
        return read_one(User, answer.document)
