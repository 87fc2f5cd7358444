"""Overriding what keeps a run from its apply: sent once, and looked into when the answer is lost."""

from collections.abc import Awaitable, Callable, Collection

from tfruns.client.belonging import IsAnswer
from tfruns.client.faults import Purpose
from tfruns.client.recovery import unknown_outcome
from tfruns.client.retries import AttemptFailed
from tfruns.client.transport import Expected, Transport
from tfruns.errors import OutcomeUnknown, TfrunsError, TransitionNotAllowed
from tfruns.jsonapi import JSON
from tfruns.wire.checks import PolicyCheck, TaskStage

_OVERRIDE = Purpose("manage policy overrides", errors=((409, "", TransitionNotAllowed),))


async def override(
    transport: Transport,
    path: str,
    body: JSON,
    read: Callable[[], Awaitable[PolicyCheck | TaskStage]],
    *,
    is_answer: IsAnswer,
    shown_by: Collection[str],
) -> None:
    """Send an override.

    Args:
        transport: the API.
        path: of the action.
        body: what goes with it.
        read: reads what is overridden.
        is_answer: whether a document is that of what is overridden.
        shown_by: the statuses that it can have only once it was.

    Raises:
        OutcomeUnknown: the answer was lost, and its status does not show it, or cannot be read.
        TfrunsError: the override was refused, or not sent.
    """
    try:
        await transport.post(path, body, expected=Expected(is_answer), purpose=_OVERRIDE)
    except AttemptFailed as failure:
        status = await _status(read)
        if status not in shown_by:
            raise _unknown(failure.error, status) from failure.error


async def _status(read: Callable[[], Awaitable[PolicyCheck | TaskStage]]) -> str | None:
    try:
        return (await read()).status
    except TfrunsError:
        return None


def _unknown(error: TfrunsError, status: str | None) -> OutcomeUnknown:
    now = f"its status is {status}" if status else "it could not be read"
    return unknown_outcome(
        error,
        f"It is not known whether the override will be carried out; {now}.",
        "Read the run again in a moment; if it still waits, the override can be asked for once more.",
    )
