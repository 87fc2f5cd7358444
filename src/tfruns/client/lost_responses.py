"""The outcome of a change whose response was lost.

A request that was sent but not answered by the API (a timeout, a broken connection, an HTML page from a proxy, the
response to another request) may have taken effect. Sending it again could create two runs or apply twice. The client
therefore reads the current state and reports either that the change happened, or that the outcome is unknown.

The API does not link a run to the request that created it. A run counts as the result of a lost response only if it
is the only match and no other call can have created it: `creations` tracks the calls of this process that could be
confused, and the run's author excludes other users.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from tfruns.client.error_mapping import Purpose
from tfruns.client.parsing import parse_many
from tfruns.client.references import api_path
from tfruns.client.response_matching import is_list_of
from tfruns.client.retries import AttemptFailed
from tfruns.client.transport import Transport
from tfruns.errors import Fact, OutcomeUnknown, TfrunsError, UnexpectedResponse
from tfruns.jsonapi import JSON
from tfruns.lifecycle import has_taken_effect
from tfruns.next_actions import LIST_RUNS_IN_WORKSPACE, NextAction
from tfruns.vocabulary import RunAction, RunOperation
from tfruns.wire.run_params import RunParams
from tfruns.wire.runs import Run

_SEARCH_DELAYS_S = (0.0, 1.0, 2.0, 3.0, 4.0)  # before each search: a proxy may time out before the server is done
_SEARCH_TIMEOUT_S = 120.0  # no search starts later than this after the request was sent
_CLOCK_SLACK = timedelta(seconds=1)  # the service's clocks may differ

ReadUserId = Callable[[], Awaitable[str | None]]

_ALL_OPERATIONS = ",".join(RunOperation)  # lists omit plan-only runs unless the filter names their operation

DEFAULT_MESSAGE = "Queued manually via the Terraform Enterprise API"

# Run API, "Create a Run": the defaults of omitted options, as far as they are the same everywhere.
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
    error: TfrunsError,
    what: str,
    solution: str,
    facts: dict[str, Fact] | None = None,
    *,
    next_actions: Sequence[NextAction] = (),
) -> OutcomeUnknown:
    """The error for a change whose outcome is unknown.

    Args:
        error: how the request failed.
        what: the unknown: "It is not known whether ...".
        solution: how to find out.
        facts: known details.
        next_actions: the calls that find out.
    """
    hint = error.solution if isinstance(error, UnexpectedResponse) else ""
    is_special = hint and hint != UnexpectedResponse.default_solution
    return OutcomeUnknown(
        f"{error.message} {what}",
        status=error.status,
        solution=f"{solution} {hint}" if is_special else solution,
        request_id=error.request_id,
        facts=facts,
        next_actions=next_actions,
    )


@dataclass(frozen=True, slots=True)
class LostRun:
    """A run that may have been created by a `POST /runs` whose response was lost.

    Attributes:
        workspace_id: the target workspace.
        params: the options that were sent.
        failure: how the request failed, and when it was sent.
        known: ids of runs that other calls created; they are excluded.
    """

    workspace_id: str
    params: RunParams
    failure: AttemptFailed
    known: Collection[str]

    async def find(self, transport: Transport, *, is_only_one: Callable[[], bool], read_user_id: ReadUserId) -> Run:
        """Search for the run until the search timeout.

        Args:
            transport: the API.
            is_only_one: returns whether no other call can have created a matching run.
            read_user_id: reads the id of the token's user; None if unknown.

        Raises:
            OutcomeUnknown: no run matches, or more than one does.
        """
        candidates: list[Run] = []
        since: datetime | None = None
        for wait_s in _SEARCH_DELAYS_S:
            await transport.clock.sleep(wait_s)
            with suppress(TfrunsError):  # the cause of the first failure may persist
                runs, sent_at = await self._newest_runs(transport)
                since = since or sent_at - _CLOCK_SLACK
                candidates = [run for run in runs if run.id not in self.known and _is_like(run, self.params, since)]
            if transport.clock.monotonic() - self.failure.sent_at > _SEARCH_TIMEOUT_S:
                break
        if len(candidates) == 1 and is_only_one() and not await _is_of_another(candidates[0], read_user_id):
            return candidates[0]
        found = ", ".join(run.id for run in candidates) or "none yet"
        raise unknown_outcome(
            self.failure.error,
            f"It is not known whether the run was created. Runs that match: {found}.",
            "Before creating another run, list the workspace's runs and its plan-only runs: this one may still appear.",
            {"candidate_run_ids": [run.id for run in candidates]},
            next_actions=self._lists(),
        ) from self.failure.error

    def _lists(self) -> tuple[NextAction, ...]:
        workspace = {"workspace_id": self.workspace_id}
        plan_only = workspace | {"filter_operation": RunOperation.PLAN_ONLY.value}
        return (
            NextAction(LIST_RUNS_IN_WORKSPACE, workspace, "lists the workspace's runs"),
            NextAction(LIST_RUNS_IN_WORKSPACE, plan_only, "lists its plan-only runs"),
        )

    async def _newest_runs(self, transport: Transport) -> tuple[list[Run], datetime]:
        """The newest runs of the workspace, and the time of the original request by the server's clock."""
        answer = await transport.get(
            api_path("workspaces", self.workspace_id, "runs"),
            {"filter[operation]": _ALL_OPERATIONS, "page[size]": 100},
            purpose=Purpose("read runs"),
            is_run_list=True,
            matches=is_list_of("runs", "workspace", self.workspace_id),
        )
        now = answer.date or transport.clock.now()
        elapsed = timedelta(seconds=transport.clock.monotonic() - self.failure.sent_at)
        return parse_many(Run, answer.document), now - elapsed


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
    return all(_is_same(asked[name], _option_of(run, name)) for name in asked if name in run.model_fields_set)


def _option_of(run: Run, name: str) -> JSON:
    value = getattr(run, name)
    return [{"key": item.key, "value": item.value} for item in value] if name == "variables" and value else value


def _is_same(asked: JSON, actual: JSON) -> bool:
    return asked == actual or (not asked and not actual)  # the API returns null, [] or false for omitted options


async def settle_action(action: RunAction, read: Callable[[], Awaitable[Run]], error: TfrunsError) -> Run:
    """Decide from the run's status whether an action whose response was lost took effect.

    Args:
        action: the action that was sent.
        read: reads the run.
        error: how the request failed.

    Returns:
        The run, which shows that the action took effect.

    Raises:
        OutcomeUnknown: the run does not show the effect, or cannot be read.
    """
    try:
        run = await read()
    except TfrunsError:
        raise _unknown_action(action, error, None) from error
    canceled = {"canceled-at"} if run.canceled_at else set()
    if not has_taken_effect(action, run.status, run.passed | canceled):
        raise _unknown_action(action, error, run) from error
    return run


def _unknown_action(action: RunAction, error: TfrunsError, run: Run | None) -> OutcomeUnknown:
    now = f"the run's status is {run.status}" if run else "the run could not be read"
    return unknown_outcome(
        error,
        f"It is not known whether the {action.value} will be carried out; {now}.",
        f"Read the run again in a moment. If it is unchanged, send the {action.value} again.",
        {"run_status": str(run.status) if run else None},
    )
