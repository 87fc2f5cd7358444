"""Runs. Source: HCP Terraform API, "Runs"."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from tfruns.client.activity import check_comment, read_account
from tfruns.client.conflict_details import explain_busy_workspace, explain_refused_action
from tfruns.client.creations import Creations
from tfruns.client.error_mapping import Purpose
from tfruns.client.listing import Listing, listing
from tfruns.client.lost_responses import LostRun, settle_action, unknown_outcome
from tfruns.client.parsing import parse_one
from tfruns.client.phase_logs import RunPhases
from tfruns.client.phases import Applies, Plans
from tfruns.client.references import api_path, check_id, check_organization, parse_run
from tfruns.client.response_matching import has_attributes, is_resource, related_id
from tfruns.client.retries import AttemptFailed
from tfruns.client.run_filters import RunFilters
from tfruns.client.run_wait import RunWait, Until, check_until
from tfruns.client.transport import ApiResponse, ExpectedResponse, Transport, include_param
from tfruns.client.workspaces import Workspaces
from tfruns.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    TfrunsError,
    TransitionNotAllowed,
    UnexpectedResponse,
    WaitTimedOut,
    WorkspaceBusy,
    WorkspaceLocked,
)
from tfruns.jsonapi import JSON, create_document
from tfruns.next_actions import Argument
from tfruns.vocabulary import RunAction
from tfruns.wire.run_params import RunParams, check_message
from tfruns.wire.runs import Run

_READ = Purpose("read runs")
_CREATE = Purpose("queue plans", errors=((422, r"\block", WorkspaceLocked), (409, "", WorkspaceBusy)))
_ACTIONS = {
    RunAction.APPLY: Purpose("apply runs", errors=((409, "", TransitionNotAllowed),)),
    RunAction.DISCARD: Purpose("apply runs", errors=((409, "", TransitionNotAllowed),)),
    RunAction.CANCEL: Purpose("apply runs", errors=((409, "", TransitionNotAllowed),)),
    RunAction.FORCE_CANCEL: Purpose("admin", errors=((409, "", TransitionNotAllowed),)),
    RunAction.FORCE_EXECUTE: Purpose("apply runs", errors=((409, "", TransitionNotAllowed),)),
}


_AS_SENT = {
    "message",
    "is-destroy",
    "refresh",
    "refresh-only",
    "save-plan",
    "target-addrs",
    "replace-addrs",
    "policy-paths",
    "invoke-action-addrs",
}


class Runs:
    """Runs. A run is given by its id or its browser address."""

    def __init__(self, transport: Transport, workspaces: Workspaces, plans: Plans, applies: Applies) -> None:
        self._transport = transport
        self._workspaces = workspaces
        self._plans = plans
        self._applies = applies
        self._creations = Creations(transport.settings.address, transport.clock)

    async def create(self, workspace: str, params: RunParams | None = None) -> Run:
        """Queue a new run in a workspace. One call creates at most one run.

        If the response is lost, the workspace's runs are searched; the run is returned if exactly one matches.

        Source: HCP Terraform API, "Create a Run".
        Wire: POST /runs -> 201, the run.

        Args:
            workspace: id, `organization/name`, bare name, or browser address.
            params: the run's options; omitted options are not sent.

        Raises:
            InvalidInput: an argument is malformed; nothing was sent.
            WorkspaceLocked, WorkspaceBusy: 422, 409, with the run or user that blocks the workspace.
            NotFound: 404, absent, or hidden from this token.
            OutcomeUnknown: the response was lost, and no run, or more than one, matches.
        """
        params = params or RunParams()
        check_message(params.message)
        configuration = params.configuration_version_id
        if configuration is not None:
            configuration = check_id("cv", configuration, what=(Argument("configuration_version_id"),))
        workspace_id = await self._workspaces.resolve(workspace)
        links = [("workspace", "workspaces", workspace_id)]
        if configuration is not None:
            links.append(("configuration-version", "configuration-versions", configuration))
        body = create_document("runs", params.as_attributes(), links)
        created = self._creations.created
        expected = ExpectedResponse(lambda document: _is_created(document, body["data"], known=created))
        with self._creations.begin(workspace_id, params) as creation:
            try:
                answer = await self._transport.post(api_path("runs"), body, expected=expected, purpose=_CREATE)
                run = _parse_created(answer)
            except AttemptFailed as failure:
                lost = LostRun(workspace_id, params, failure, known=created)
                run = await lost.find(
                    self._transport, is_only_one=lambda: not creation.is_ambiguous, read_user_id=self._user_id
                )
            except (WorkspaceLocked, WorkspaceBusy) as refusal:
                raise await explain_busy_workspace(refusal, self._workspaces, workspace_id) from None
            created.append(run.id)
        return run

    async def _user_id(self) -> str | None:
        try:
            return (await read_account(self._transport)).id
        except TfrunsError:
            return None

    def list_for_workspace(
        self, workspace: str, filters: RunFilters | None = None, *, include: Sequence[str] = ()
    ) -> Listing[Run]:
        """The runs of a workspace, newest first. Plan-only runs are included only if the operation filter names them.

        Source: HCP Terraform API, "List Runs in a Workspace".
        Wire: GET /workspaces/{workspace_id}/runs -> 200, a page, with totals.

        Raises:
            InvalidInput: immediately, if the API does not support a filter value.
        """
        filters = filters or RunFilters()
        if filters.workspace_names:
            raise InvalidInput(
                "workspace_names filters an organization's runs; this list is of a single workspace.",
                solution="Omit it, or list the organization's runs.",
            )

        async def path() -> str:
            return api_path("workspaces", await self._workspaces.resolve(workspace), "runs")

        query = {**filters.as_params(), **include_param(include)}
        return listing(self._transport, Run, path, query, purpose=_READ, is_run_list=True)

    def list_for_organization(
        self, organization: str, filters: RunFilters | None = None, *, include: Sequence[str] = ()
    ) -> Listing[Run]:
        """The runs of all workspaces that this token can read, newest first; by default of the last year.

        Source: HCP Terraform API, "List Runs in an Organization".
        Wire: GET /organizations/{organization}/runs -> 200, a page, without totals.

        Raises:
            InvalidInput: immediately, if the API does not support a filter value or the name is malformed.
        """
        path = api_path("organizations", check_organization(organization), "runs")
        query = {**(filters or RunFilters()).as_params(), **include_param(include)}
        return listing(self._transport, Run, path, query, purpose=_READ, is_run_list=True)

    async def read(self, run: str, *, include: Sequence[str] = ()) -> Run:
        """Read a run.

        Source: HCP Terraform API, "Get run details".
        Wire: GET /runs/{run_id} -> 200, the run.

        Args:
            run: id or browser address.
            include: related resources to include, such as `workspace`, `plan`, `created_by`; see `Run.follow`.

        Raises:
            NotFound: 404, absent, or hidden from this token.
        """
        run_id = self.id_of(run)
        answer = await self._transport.get(
            api_path("runs", run_id), include_param(include), purpose=_READ, matches=is_resource("runs", run_id)
        )
        return parse_one(Run, answer.document)

    async def apply(self, run: str, *, comment: str | None = None) -> Run:
        """Queue the apply of a run that waits for confirmation, and read the run again.

        On return, the apply is accepted. It may not have started.

        Source: HCP Terraform API, "Apply a Run".
        Wire: POST /runs/{run_id}/actions/apply -> 202, no body.

        Raises:
            TransitionNotAllowed: 409, the run is not confirmable; with its status and allowed actions.
            NotFound: 404, absent, or hidden from this token.
            OutcomeUnknown: the response was lost, and the run's status does not show the effect; or the action was
                accepted, and the run could not be read again.
        """
        return await self._act_and_read(run, RunAction.APPLY, comment)

    async def discard(self, run: str, *, comment: str | None = None) -> Run:
        """Discard a run that waits for confirmation or is pending.

        Source: HCP Terraform API, "Discard a Run".
        Wire: POST /runs/{run_id}/actions/discard -> 202, no body.

        Raises: as `apply`.
        """
        return await self._act_and_read(run, RunAction.DISCARD, comment)

    async def cancel(self, run: str, *, comment: str | None = None) -> Run:
        """Interrupt a run that is planning or applying. Its status changes when Terraform has stopped.

        Source: HCP Terraform API, "Cancel a Run".
        Wire: POST /runs/{run_id}/actions/cancel -> 202, no body.

        Raises: as `apply`.
        """
        return await self._act_and_read(run, RunAction.CANCEL, comment)

    async def force_cancel(self, run: str, *, comment: str | None = None) -> Run:
        """Stop a run immediately, after a cancel and the cool-off. Unsaved state may be lost.

        Source: HCP Terraform API, "Forcefully cancel a run".
        Wire: POST /runs/{run_id}/actions/force-cancel -> 202, no body.

        Raises: as `apply`; a `TransitionNotAllowed` before the cool-off has ended contains the time when it ends.
        """
        return await self._act_and_read(run, RunAction.FORCE_CANCEL, comment)

    async def force_execute(self, run: str) -> Run:
        """Discard the current run of the workspace, cancel all earlier pending runs, and start this run next.

        Source: HCP Terraform API, "Forcefully execute a run".
        Wire: POST /runs/{run_id}/actions/force-execute -> 202, no body.

        Raises: as `apply`; 403 if the run is not pending or no run locks the workspace.
        """
        return await self._act_and_read(run, RunAction.FORCE_EXECUTE, None)

    def id_of(self, run: str) -> str:
        """The id of a run, from its id or browser address.

        Raises:
            InvalidInput: neither, or an address of another host.
        """
        return parse_run(run, self._transport.settings.address)

    async def act(self, run: str, action: RunAction, *, comment: str | None = None) -> None:
        """Send an action, without reading the run afterwards. On return it is accepted, not completed.

        Wire: POST /runs/{run_id}/actions/{action} -> 202, no body.

        Raises: as the method for the action.
        """
        await self._act(run, action, comment)

    async def wait(
        self,
        run: str,
        *,
        until: Until = "attention",
        timeout_s: float | None = None,
        on_log: Callable[[str], object] | None = None,
        include: Sequence[str] = (),
    ) -> Run:
        """Wait until a run needs a person, is planned, or is final, and return it. Check its status.

        A run that needs a person waits for a confirmation or a policy override. The wait continues while the API is
        unavailable for up to a minute. Canceling it does not cancel the run.

        Args:
            run: id, or browser address.
            until: `attention`: needs a person, or is final; `planned`: also if the plan is complete; `final`.
            timeout_s: longest time to wait; by default unlimited.
            on_log: called with each line of the log, as plain text: of the current phase from its start, then of the
                next one. It may be a coroutine function.
            include: related resources to read with the run.

        Raises:
            InvalidInput: `until` is none of these; nothing was sent.
            WaitTimedOut: the timeout ended first.
            NotFound: 404, absent, or hidden from this token.
        """
        run_id = self.id_of(run)
        check_until(until)
        follower = None
        if on_log is not None:
            from tfruns.client.log_stream import LogFollower  # noqa: PLC0415  # imports the rendering of logs

            follower = LogFollower(RunPhases(self, self._plans, self._applies), on_log)
        wait = RunWait(lambda more: self.read(run_id, include=more), self._transport.clock, until, timeout_s, include)
        found, outcome = await wait.finish(follower.follow if follower else _ignore)
        if follower:
            await follower.finish(found)
        if outcome == "timeout":
            raise WaitTimedOut(
                f"{run_id} is still {found.status} after {wait.elapsed_s:.0f} s.",
                facts={"run_id": run_id, "run_status": str(found.status)},
            )
        return found

    async def _act_and_read(self, run: str, action: RunAction, comment: str | None) -> Run:
        """Send an action, and return the run as it is afterwards.

        Raises:
            OutcomeUnknown: the action was accepted, and the run could not be read afterwards.
        """
        found = await self._act(run, action, comment)
        if found is not None:
            return found
        try:
            return await self.read(run)
        except TfrunsError as error:
            raise unknown_outcome(
                error,
                f"The {action.value} was accepted, but the run could not be read afterwards.",
                f"Read the run. Do not repeat the {action.value}.",
                {"accepted": True},
            ) from error

    async def _act(self, run: str, action: RunAction, comment: str | None) -> Run | None:
        """Send an action. Returns the run if it had to be read, because the response was lost."""
        run_id = self.id_of(run)
        path = api_path("runs", run_id, "actions", action.value.replace("_", "-"))
        check_comment(comment or "")
        body = {"comment": comment} if comment and comment.strip() else {}
        read = partial(self.read, run_id)
        try:
            expected = ExpectedResponse(is_resource("runs", run_id), empty_status=202)
            await self._transport.post(path, body, expected=expected, purpose=_ACTIONS[action])
        except AttemptFailed as failure:
            return await settle_action(action, read, failure.error)
        except (Conflict, Forbidden) as refusal:
            raise await explain_refused_action(refusal, action, read) from None
        return None


async def _ignore(_: Run) -> None:
    """Do nothing between two reads of a run."""


def _is_created(document: JSON, sent: JSON, *, known: Collection[str]) -> bool:
    """Whether a document is the requested run: new, in the right workspace, with the given options.

    Only options that the server stores unchanged are compared: it may ignore auto_apply for a plan-only run.
    """
    resource = document.get("data") if isinstance(document, Mapping) else None
    attributes = {name: value for name, value in sent["attributes"].items() if name in _AS_SENT}
    if sent["attributes"].get("plan-only"):
        attributes["plan-only"] = True
    elif "auto-apply" in sent["attributes"] and not sent["attributes"].get("save-plan"):
        attributes["auto-apply"] = sent["attributes"]["auto-apply"]
    related = {name: link["data"]["id"] for name, link in sent["relationships"].items()}
    return (
        has_attributes("runs", attributes)(document)
        and all(related_id(resource, name) in {id_, None} for name, id_ in related.items())
        and document["data"]["id"] not in known
    )


def _parse_created(answer: ApiResponse) -> Run:
    """Parse the run in the response to its creation. The run exists even if that fails.

    Raises:
        AttemptFailed: the response cannot be parsed.
    """
    try:
        return parse_one(Run, answer.document)
    except UnexpectedResponse as error:
        raise AttemptFailed(error, was_sent=True, is_transient=True, sent_at=answer.sent_at) from None
