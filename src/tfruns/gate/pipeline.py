"""The path of every call: one function, the stages in their order."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from anyio import to_thread

from tfruns.client.client import Client
from tfruns.errors import RefusedByMode, TfrunsError
from tfruns.gate.arguments import validated
from tfruns.gate.audit import AuditLog, Entry, logged_arguments, outcome_of
from tfruns.gate.codes import Codes
from tfruns.gate.person import NoPerson, Person
from tfruns.gate.scope import check_location, drop_out_of_scope, enforce_scope
from tfruns.jsonapi import JSON
from tfruns.masking.redaction import redact_document, safe_document, safe_text
from tfruns.policy import Policy
from tfruns.progress import NoProgress, Progress
from tfruns.tool import Context, Proof, Result, Role, Tool
from tfruns.views.base import View, with_texts
from tfruns.wire.runs import RunVariable

if TYPE_CHECKING:
    from tfruns.gate.confirmation import Pending
    from tfruns.gate.consent import Consent


Document: TypeAlias = dict[str, JSON]
"""A document of the API itself."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Everything that decides about the calls of one caller.

    Attributes:
        client: the API.
        policy: what the caller may do.
        is_raw: answer with the API's own documents instead of views.
        progress: receives the progress of tools that take long.
        person: who can be asked to confirm a call.
        caller: the name of the calling program, for comments and the audit log; empty for our own.
        codes: the confirmation codes that were issued and not used yet.
        audit: records every change.
        allowed_directories: the directories that may be uploaded; absolute, without links.
    """

    client: Client
    policy: Policy
    is_raw: bool = False
    progress: Progress = NoProgress()  # noqa: RUF009  # stateless
    person: Person = NoPerson()  # noqa: RUF009  # stateless
    caller: str = ""
    codes: Codes = field(default_factory=Codes)
    audit: AuditLog = field(default_factory=AuditLog)
    allowed_directories: tuple[Path, ...] = ()

    async def call(self, tool: Tool, arguments: Mapping[str, JSON]) -> View | Document:
        """Call a tool, unless a stage refuses the call. After a refusal, nothing was changed.

        Raises:
            InvalidInput: an argument is missing, unknown or of the wrong type.
            OutOfScope: the call names or reaches something outside the scope.
            RefusedByMode, ConfirmationNeeded, Declined, PlanDiffers: nobody agreed to the change.
            AuditFailed: the change cannot be recorded.
            TfrunsError: the tool itself fails.
        """
        scope, client = self.policy.scope, self.client
        values, proofs = validated(tool, arguments)
        values = await enforce_scope(tool, scope, client, values)
        values = _enforce_mode(tool, self.policy, values)
        if tool.is_read_only:
            view = await self._run(tool, values)
        else:
            # A call that only reads does not import what it does not need.
            from tfruns.gate.confirmation import Pending, require_consent  # noqa: PLC0415

            values = attribute_comments(tool, values, self.caller)
            pending = Pending(tool, values, self.caller, proofs)
            consent = await require_consent(pending, self.policy, self.person, self.codes, client)
            await check_location(tool, scope, client, values)  # consent may take minutes
            entry = await self._record(pending, consent)
            view = await self._run_recorded(tool, values, entry)
        view = await drop_out_of_scope(tool, scope, client, view, values)
        return await to_thread.run_sync(_shown, view)

    async def _run(self, tool: Tool, values: Mapping[str, Any]) -> View | Document:
        """Call the function of a tool, and make the form of its answer that is asked for."""
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

    async def _record(self, call: "Pending", consent: "Consent") -> Entry:
        """Write the first line of a change to the audit log."""
        values = {**call.values, "fingerprint": call.proofs.get(Proof.FINGERPRINT)}
        run = values.get("run_id")
        run = self.client.runs.id_of(run) if run else None
        workspace, own = values.get("workspace_id"), None
        if run is not None:
            with suppress(TfrunsError):  # needed for the log alone
                found = await self.client.runs.read(run)
                workspace, own = found.workspace.id if found.workspace else None, found.variables
        hidden = values if run is None else await to_thread.run_sync(_hidden, self.client, run, own, values)
        return await self.audit.begin(
            {
                "tool": call.tool.name,
                "arguments": await to_thread.run_sync(logged_arguments, hidden),
                "run": run,
                "workspace": workspace,
                "confirmed": consent.value,
                "caller": self.caller or None,
            }
        )

    async def _run_recorded(self, tool: Tool, values: Mapping[str, Any], entry: Entry) -> View | Document:
        """Call the function of a tool, and write the outcome to the audit log."""
        try:
            view = await self._run(tool, values)
        except BaseException as error:
            await entry.end(outcome_of(error))
            raise
        await entry.end({"outcome": "accepted", "run": _field(view, "id"), "workspace": _field(view, "workspace_id")})
        return view


def _shown(result: View | Document) -> View | Document:
    """The result with every text as it may leave the program."""
    if isinstance(result, View):
        return with_texts(result, safe_text)
    shown: Document = safe_document(result)
    return shown


def _field(result: View | Document, name: str) -> Any:
    return result.get(name) if isinstance(result, dict) else getattr(result, name, None)


def _enforce_mode(tool: Tool, policy: Policy, values: dict[str, Any]) -> dict[str, Any]:
    """The arguments as the policy permits them.

    Raises:
        RefusedByMode: the policy does not offer the tool, or forbids one of its arguments.
    """
    if not policy.mode.includes(tool.mode):
        raise RefusedByMode(f'"{tool.title}" is not possible in this server\'s mode, which is {policy.mode}.')
    return dict(tool.apply_policy(policy, values)) if tool.apply_policy else values


def attribute_comments(tool: Tool, values: Mapping[str, Any], caller: str) -> dict[str, Any]:
    """The arguments with the name of the calling program at the end of each comment that is not empty."""
    comments = [name for name, role in tool.roles.items() if role is Role.COMMENT and caller and values[name].strip()]
    return {**values, **{name: f"{values[name].rstrip()} (via tfruns, {caller})" for name in comments}}


def _hidden(
    client: Client, run_id: str, own: Iterable[RunVariable] | None, values: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments without values that are sensitive in the run's plan, or may be before the plan is known."""
    from tfruns.runs.masks import masker_from_cache  # noqa: PLC0415

    mask = masker_from_cache(client, run_id, own)
    return {name: mask(value) if isinstance(value, str) else value for name, value in values.items()}
