"""The outcome of a change whose answer was lost.

A request that was sent and not answered by the API (a timeout, a broken connection, a page of a proxy, an answer to
another request) may have been carried out. To send it again could make two runs, or apply something twice. So the
client looks, and reports what it knows: that it happened, or that nobody can say.

The API gives a run nothing by which its request could be recognized. A run is taken for that of a lost answer only if
it is the only one that is like it, and no other call can have made it: calls of this process that could be confused
are kept apart by `creations`, and those of other users by the run's author.
"""

from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from tfruns.client.belonging import is_list_of
from tfruns.client.faults import Purpose
from tfruns.client.reading import read_many
from tfruns.client.references import api_path
from tfruns.client.retries import AttemptFailed
from tfruns.client.transport import Transport
from tfruns.errors import Fact, OutcomeUnknown, TfrunsError, UnexpectedResponse
from tfruns.jsonapi import JSON
from tfruns.lifecycle import has_taken_effect
from tfruns.vocabulary import RunAction, RunOperation
from tfruns.wire.run_params import RunParams
from tfruns.wire.runs import Run

_LOOKS_S = (0.0, 1.0, 2.0, 3.0, 4.0)  # waits before each look: a proxy gives up before the server does
_PATIENCE_S = 120.0  # no further look begins later than this after the request was sent
_CLOCK_SLACK = timedelta(seconds=1)  # a service has more than one clock

ReadUserId = Callable[[], Awaitable[str | None]]

_ALL_OPERATIONS = ",".join(RunOperation)  # plan-only runs are listed only when their operation is asked for

DEFAULT_MESSAGE = "Queued manually via the Terraform Enterprise API"

# Run API, "Create a Run": what holds where the caller said nothing, as far as it is the same everywhere.
_DEFAULTS: dict[str, JSON] = {
    "message": DEFAULT_MESSAGE,
    "is_destroy": False,
    "refresh": True,
    "refresh_only": False,
    "save_plan": False,
    "debugging_mode": False,
    "allow_config_generation": False,
    "allow_empty_apply": False,
    "target_addrs": None,
    "replace_addrs": None,
    "variables": None,
    "policy_paths": None,
    "invoke_action_addrs": None,
}


def unknown_outcome(
    error: TfrunsError, what: str, solution: str, facts: dict[str, Fact] | None = None
) -> OutcomeUnknown:
    """The error for a change of which nobody can say whether it happened.

    Args:
        error: how the request failed.
        what: what is not known: "It is not known whether ...".
        solution: how to find out.
        facts: what else is known.
    """
    hint = error.solution if isinstance(error, UnexpectedResponse) else ""
    is_special = hint and hint != UnexpectedResponse.default_solution
    return OutcomeUnknown(
        f"{error.message} {what}",
        status=error.status,
        solution=f"{solution} {hint}" if is_special else solution,
        request_id=error.request_id,
        facts=facts,
    )


@dataclass(frozen=True, slots=True)
class LostRun:
    """A run that a `POST /runs` without an answer may have created.

    Attributes:
        workspace_id: where it was to be created.
        params: the options that were sent.
        failure: how the request failed, and when it was sent.
        known: ids of runs that other calls created, and that this one therefore did not.
    """

    workspace_id: str
    params: RunParams
    failure: AttemptFailed
    known: Collection[str]

    async def find(self, transport: Transport, *, is_only_one: Callable[[], bool], read_user_id: ReadUserId) -> Run:
        """Find the run. It is looked for until a later one would not be this one's any more.

        Args:
            transport: the API.
            is_only_one: whether no other call can have created a run that looks the same.
            read_user_id: reads the id of the token's user; None if it is not known.

        Raises:
            OutcomeUnknown: there is no run or more than one that it can be.
        """
        candidates: list[Run] = []
        since: datetime | None = None
        for wait_s in _LOOKS_S:
            await transport.clock.sleep(wait_s)
            with suppress(TfrunsError):  # the same trouble may still be there
                runs, sent_at = await self._newest_runs(transport)
                since = since or sent_at - _CLOCK_SLACK
                candidates = [run for run in runs if run.id not in self.known and _is_like(run, self.params, since)]
            if transport.clock.monotonic() - self.failure.sent_at > _PATIENCE_S:
                break
        if len(candidates) == 1 and is_only_one() and not await _is_of_another(candidates[0], read_user_id):
            return candidates[0]
        found = ", ".join(run.id for run in candidates) or "none yet"
        raise unknown_outcome(
            self.failure.error,
            f"It is not known whether the run was created; runs that it could be: {found}.",
            "List the workspace's runs (with filter_operation=plan_only too, if it may be one) before creating "
            "another: this one may still appear.",
            {"candidate_run_ids": [run.id for run in candidates]},
        ) from self.failure.error

    async def _newest_runs(self, transport: Transport) -> tuple[list[Run], datetime]:
        """The newest runs of the workspace, and when the request was sent by the server's clock."""
        answer = await transport.get(
            api_path("workspaces", self.workspace_id, "runs"),
            {"filter[operation]": _ALL_OPERATIONS, "page[size]": 100},
            purpose=Purpose("read runs"),
            is_run_list=True,
            is_answer=is_list_of("runs", "workspace", self.workspace_id),
        )
        now = answer.date or transport.clock.now()
        elapsed = timedelta(seconds=transport.clock.monotonic() - self.failure.sent_at)
        return read_many(Run, answer.document), now - elapsed


async def _is_of_another(run: Run, read_user_id: ReadUserId) -> bool:
    author = run.created_by
    if author is None or author.type != "users":
        return False
    user_id = await read_user_id()
    return user_id is not None and user_id != author.id


def _is_like(run: Run, params: RunParams, since: datetime) -> bool:
    if run.created_at is None or run.created_at < since:
        return False
    configuration = params.configuration_version_id
    if configuration and run.configuration_version and run.configuration_version.id != configuration:
        return False
    asked = {**_DEFAULTS, **params.model_dump(exclude_none=True, exclude={"configuration_version_id"})}
    return all(_is_same(asked[name], _said(run, name)) for name in asked if name in run.model_fields_set)


def _said(run: Run, name: str) -> JSON:
    value = getattr(run, name)
    return [{"key": item.key, "value": item.value} for item in value] if name == "variables" and value else value


def _is_same(asked: JSON, said: JSON) -> bool:
    return asked == said or (not asked and not said)  # the API answers null, [] or false for what was not given


async def settle_action(action: RunAction, read: Callable[[], Awaitable[Run]], error: TfrunsError) -> None:
    """Judge by the run's status whether an action took effect whose answer was lost.

    Args:
        action: what was sent.
        read: reads the run.
        error: how the request failed.

    Raises:
        OutcomeUnknown: the run does not show it, or cannot be read.
    """
    try:
        run = await read()
    except TfrunsError:
        raise _unknown_action(action, error, None) from error
    canceled = {"canceled-at"} if run.canceled_at else set()
    if not has_taken_effect(action, run.status, run.passed | canceled):
        raise _unknown_action(action, error, run) from error


def _unknown_action(action: RunAction, error: TfrunsError, run: Run | None) -> OutcomeUnknown:
    now = f"the run's status is {run.status}" if run else "the run could not be read"
    return unknown_outcome(
        error,
        f"It is not known whether the server will carry out the {action.value}; {now}.",
        f"Read the run again in a moment; if it is unchanged, the {action.value} can be asked for once more.",
        {"run_status": str(run.status) if run else None},
    )
