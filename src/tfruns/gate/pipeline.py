"""The path of every call: one method with the stages in their order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from anyio import to_thread

from tfruns.client.client import Client
from tfruns.errors import RefusedByMode
from tfruns.gate.arguments import validated
from tfruns.gate.audit import AuditEntry, AuditLog, outcome_of
from tfruns.gate.codes import ConfirmationCodes
from tfruns.gate.defaults import with_organization
from tfruns.gate.existing import naming_what_exists
from tfruns.gate.person import NoPerson, Person
from tfruns.gate.scope import check_location, drop_out_of_scope, enforce_scope
from tfruns.jsonapi import JSON
from tfruns.masking.redaction import redact_document, safe_document, safe_text
from tfruns.policy import Mode, Policy
from tfruns.progress import NoProgress, Progress
from tfruns.tool import Context, Result, Role, Tool
from tfruns.views.base import View, with_texts

if TYPE_CHECKING:
    from tfruns.gate.confirmation import Confirmation
    from tfruns.gate.pending_call import PendingCall
    from tfruns.gate.requests import DecisionPages
    from tfruns.next_actions import NextAction


Document: TypeAlias = dict[str, JSON]
"""A document of the API."""


@dataclass(frozen=True, slots=True)
class Gate:
    """The gate for the calls of one caller.

    Attributes:
        client: the API.
        policy: the permissions of the caller.
        is_raw: return documents of the API instead of views.
        progress: receives the progress of slow tools.
        person: the person who can be asked to confirm a call.
        caller: the name of the calling program, for comments and the audit log; empty for the command line.
        caller_version: its version, for the page on which a person decides.
        codes: the confirmation codes that were issued and not used yet.
        pages: the pages on which people decide about calls; None if this process serves none.
        audit: records every change.
        allowed_directories: the directories that may be uploaded; absolute, without symbolic links.
    """

    client: Client
    policy: Policy
    is_raw: bool = False
    progress: Progress = NoProgress()  # noqa: RUF009  # stateless
    person: Person = NoPerson()  # noqa: RUF009  # stateless
    caller: str = ""
    caller_version: str = ""
    codes: ConfirmationCodes = field(default_factory=ConfirmationCodes)
    pages: "DecisionPages | None" = None
    audit: AuditLog = field(default_factory=AuditLog)
    allowed_directories: tuple[Path, ...] = ()

    async def call(self, tool: Tool, arguments: Mapping[str, JSON]) -> View | Document:
        """Call a tool, unless a stage refuses the call. A refused call changes nothing.

        Raises:
            InvalidInput: an argument is missing, unknown or of the wrong type.
            OutOfScope: the call names something outside the scope.
            RefusedByMode: the mode forbids the call.
            ConfirmationNeeded, Declined, PlanDiffers: the change is not confirmed.
            AuditFailed: the change cannot be recorded.
            TfrunsError: the tool fails.
        """
        scope, client = self.policy.scope, self.client
        values, proofs = validated(tool, arguments)
        values = await with_organization(tool, scope, client, values)
        async with naming_what_exists(tool, scope, client, values):
            values = await enforce_scope(tool, scope, client, values)
            values = _enforce_mode(tool, self.policy, values)
            if tool.is_read_only:
                view = await self._run(tool, values)
            else:
                # Imported here, because read-only calls do not need it.
                from tfruns.gate.confirmation import Sources, require_consent  # noqa: PLC0415
                from tfruns.gate.pending_call import PendingCall  # noqa: PLC0415

                values = attribute_comments(tool, values, self.caller)
                pending = PendingCall(tool, values, self.caller, proofs, self.caller_version)
                sources = Sources(self.person, self.codes, self.pages, self.progress)
                confirmation = await require_consent(pending, self.policy, sources, client)
                await check_location(tool, scope, client, values)  # consent may take minutes
                entry = await self._record(pending, confirmation)
                view = await self._run_recorded(tool, values, entry)
        view = _without_forbidden_steps(view, self.policy)
        view = await drop_out_of_scope(tool, scope, client, view, values)
        return await to_thread.run_sync(_sanitized, view)

    async def _run(self, tool: Tool, values: Mapping[str, Any]) -> View | Document:
        """Call the function of a tool, and return the view or the document of its result."""
        context = Context(self.client, self.policy.scope, self.progress, self.allowed_directories)
        result = await tool.function(context, **values)
        if not isinstance(result, Result):
            return result
        if not self.is_raw:
            view: View = await result.view()
            return view
        document = await result.document() if callable(result.document) else result.document
        raw: Document = await to_thread.run_sync(redact_document, document)
        return raw

    # -- the audit log ------------------------------------------------------------------------------------------------

    async def _record(self, call: "PendingCall", confirmation: "Confirmation") -> AuditEntry:
        """Write the first line of a change to the audit log."""
        from tfruns.gate.pending_call import describe  # noqa: PLC0415  # read-only calls do not need it

        described = await describe(call, self.client)
        return await self.audit.begin(
            {
                "tool": call.tool.name,
                "arguments": described.arguments,
                "run": described.run,
                "workspace": described.workspace,
                "confirmed": confirmation.consent.value,
                "confirmed_by": confirmation.by,
                "confirmed_plan": confirmation.plan,
                "caller": self.caller or None,
            }
        )

    async def _run_recorded(self, tool: Tool, values: Mapping[str, Any], entry: AuditEntry) -> View | Document:
        """Call the function of a tool, and record the outcome in the audit log."""
        try:
            view = await self._run(tool, values)
        except BaseException as error:
            await entry.end(outcome_of(error))
            raise
        await entry.end({"outcome": "accepted", **_changed(view)})
        return view


def _without_forbidden_steps(result: View | Document, policy: Policy) -> View | Document:
    """The result without next steps that the mode forbids."""
    steps: Sequence[NextAction] = getattr(result, "next_actions", ())
    if policy.mode is Mode.APPLY or not steps:
        return result
    from tfruns.gate.registry import find_tool  # noqa: PLC0415  # few calls need it

    changed: dict[str, Any] = {
        "next_actions": tuple(step for step in steps if policy.mode.includes(find_tool(step.tool).mode))
    }
    return replace(result, **changed)  # type: ignore[type-var]  # it has the field, so it is a view


def _sanitized(result: View | Document) -> View | Document:
    """The result with every text sanitized and masked."""
    if isinstance(result, View):
        return with_texts(result, safe_text)
    shown: Document = safe_document(result)
    return shown


def _changed(result: View | Document) -> dict[str, JSON]:
    """The ids of the run and the workspace of a result."""
    id_ = _field(result, "id")
    is_workspace = str(id_).startswith("ws-")
    return {"run": None if is_workspace else id_, "workspace": id_ if is_workspace else _field(result, "workspace_id")}


def _field(result: View | Document, name: str) -> Any:
    return result.get(name) if isinstance(result, dict) else getattr(result, name, None)


def _enforce_mode(tool: Tool, policy: Policy, values: dict[str, Any]) -> dict[str, Any]:
    """The arguments, adapted to the policy.

    Raises:
        RefusedByMode: the mode does not include the tool, or forbids one of its arguments.
    """
    if not policy.mode.includes(tool.mode):
        raise RefusedByMode(f'"{tool.title}" is forbidden in the mode of this server, which is {policy.mode}.')
    return dict(tool.apply_policy(policy, values)) if tool.apply_policy else values


def attribute_comments(tool: Tool, values: Mapping[str, Any], caller: str) -> dict[str, Any]:
    """The arguments with the name of the calling program appended to each non-empty comment."""
    comments = [name for name, role in tool.roles.items() if role is Role.COMMENT and caller and values[name].strip()]
    return {**values, **{name: f"{values[name].rstrip()} (via tfruns, {caller})" for name in comments}}
