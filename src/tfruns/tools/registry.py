"""The one registry of tools. A tool is a typed async function; everything a caller sees of it comes from the function.

    @tool(title="Read a run", toolset=Toolset.RUNS, is_read_only=True)
    async def get_run_details(
        context: Context,
        run_id: Annotated[str, Field(description="…")],
    ) -> View:
        \"\"\"Product text: the effect, when to use it, what follows.\"\"\"

The name is the function's, the description its docstring, the input schema its parameters after the context. A tool
that a code or a fingerprint can confirm takes these, too; the guard uses them, and the function does not see them.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, cast, get_type_hints

from anyio import to_thread
from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from tfruns.client.activity import check_comment
from tfruns.client.client import Client
from tfruns.errors import InvalidInput, TfrunsError
from tfruns.jsonapi import JSON, whole_text
from tfruns.masking.redaction import shown_document
from tfruns.tools.arguments import invalid_arguments
from tfruns.tools.audit import AuditLog, Entry, logged_arguments, outcome_of
from tfruns.tools.consent import Consent
from tfruns.tools.guard import Call, Confirmation, Fingerprint, NoPerson, Person, require_consent
from tfruns.tools.guard_codes import Codes
from tfruns.tools.guard_signature import attribute_comments
from tfruns.tools.impact import ImpactOf
from tfruns.tools.masks import masker_from_cache
from tfruns.tools.policy import Mode, Policy, Toolset
from tfruns.tools.progress import NoProgress, Progress
from tfruns.tools.schemas import compact_schema
from tfruns.tools.scope_calls import check_location, drop_out_of_scope, enforce_scope
from tfruns.wire.run_params import check_message
from tfruns.wire.runs import RunVariable

View = dict[str, JSON]
"""What a tool returns: a flat object in snake_case, made for the reader."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a tool works with.

    Attributes:
        client: the API.
        policy: what the caller may do.
        is_raw: answer with the API's own documents instead of views.
        progress: who is told how far a tool is that takes long.
        person: who can be asked before something that cannot be undone.
        caller: the name of the program that calls, for comments and the audit log; empty for our own.
        codes: the confirmations that were offered and not used yet.
        audit: where every change is written down.
        allowed_directories: where configurations may be uploaded from; absolute, without links.
    """

    client: Client
    policy: Policy
    is_raw: bool = False
    progress: Progress = NoProgress()  # noqa: RUF009  # it has no state
    person: Person = NoPerson()  # noqa: RUF009  # it has no state
    caller: str = ""
    codes: Codes = field(default_factory=Codes)
    audit: AuditLog = field(default_factory=AuditLog)
    allowed_directories: tuple[Path, ...] = ()


Function = Callable[..., Awaitable[View]]
ApplyPolicy = Callable[[Policy, Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True)
class Tool:
    """A tool and what is said about it.

    Attributes:
        function: what it does.
        title: its name for people.
        toolset: its group.
        mode: the least mode in which it is offered.
        is_read_only: it changes nothing.
        is_destructive: what it does cannot be undone.
        is_idempotent: to do it twice is to do it once.
        impact_of: reads what a call would do, which decides who has to agree; None if nobody ever has to.
        takes_code: the code of a refusal can confirm it.
        has_fingerprint: what is done is a plan, and the fingerprint of its review can confirm it.
        apply_policy: the arguments as the policy lets them be sent, or its refusal, before anybody is asked.
    """

    function: Function
    title: str
    toolset: Toolset
    mode: Mode
    is_read_only: bool
    is_destructive: bool
    is_idempotent: bool
    impact_of: ImpactOf | None = None
    takes_code: bool = False
    has_fingerprint: bool = False
    apply_policy: ApplyPolicy | None = None

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def requires_confirmation(self) -> bool:
        """Whether somebody may have to agree to it."""
        return self.impact_of is not None

    @cached_property
    def description(self) -> str:
        """The docstring, each paragraph on one line."""
        paragraphs = (inspect.getdoc(self.function) or "").split("\n\n")
        return "\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)

    @cached_property
    def input_schema(self) -> Mapping[str, JSON]:
        """The JSON Schema of the arguments, without what costs tokens and says nothing."""
        return compact_schema(self._arguments.model_json_schema())

    @cached_property
    def _arguments(self) -> type[BaseModel]:
        hints = get_type_hints(self.function, include_extras=True)
        parameters = list(inspect.signature(self.function).parameters.values())[1:]
        fields: dict[str, Any] = {
            parameter.name: (
                hints[parameter.name],
                ... if parameter.default is inspect.Parameter.empty else parameter.default,
            )
            for parameter in parameters
        }
        fields |= {name: (kind, None) for name, kind in self._guard_arguments.items()}
        config = ConfigDict(extra="forbid", hide_input_in_errors=True)
        return create_model(self.name, __config__=config, **fields)

    @property
    def _guard_arguments(self) -> dict[str, Any]:
        """The arguments that are not for the function but for the guard, with their types."""
        codes = {"confirmation": Confirmation} if self.takes_code else {}
        return codes | ({"fingerprint": Fingerprint} if self.has_fingerprint else {})

    async def call(self, context: Context, arguments: Mapping[str, JSON]) -> View:
        """Check the arguments, and do it.

        Raises:
            InvalidInput: an argument is missing, unknown or of the wrong type; nothing was done.
            OutOfScope: it names or reaches what may not be touched; nothing was changed.
            RefusedByMode, ConfirmationNeeded, Declined, PlanDiffers: nobody agreed to it; nothing was changed.
            AuditFailed: what would be changed cannot be written down; nothing was changed.
            TfrunsError: whatever the tool raises.
        """
        _check_size(arguments)
        _check_texts(arguments)
        try:
            checked = self._arguments.model_validate(self._said(arguments), strict=True)
        except ValidationError as error:
            raise invalid_arguments(error, self.input_schema) from None
        values = {name: getattr(checked, name) for name in type(checked).model_fields}
        scope = context.policy.scope
        values = await enforce_scope(scope, context.client, values)
        view = await (self._read(context, values) if self.is_read_only else self._change(context, values))
        view = await drop_out_of_scope(scope, context.client, view, values.get("organization"))
        return cast("View", await to_thread.run_sync(shown_document, view))

    async def _read(self, context: Context, values: Mapping[str, Any]) -> View:
        return await self.function(context, **values)

    async def _change(self, context: Context, values: Mapping[str, Any]) -> View:
        """Do what changes something: agreed to, and written down before and after."""
        guarding = {name: values[name] for name in self._guard_arguments}
        values = {name: value for name, value in values.items() if name not in guarding}
        if self.apply_policy is not None:
            values = self.apply_policy(context.policy, values)
        values = attribute_comments(values, context.caller)
        consent = await self._consent(context, values, guarding)
        await check_location(context.policy.scope, context.client, values)
        entry = await self._begin(context, values | {"fingerprint": guarding.get("fingerprint")}, consent)
        try:
            view = await self.function(context, **values)
        except BaseException as error:
            await entry.end(outcome_of(error))
            raise
        await entry.end({"outcome": "accepted", "run": view.get("id"), "workspace": view.get("workspace_id")})
        return view

    async def _consent(self, context: Context, values: Mapping[str, Any], guarding: Mapping[str, Any]) -> Consent:
        if self.impact_of is None:
            return Consent.NONE
        call = Call(
            self.name,
            self.title,
            values,
            self.impact_of,
            caller=context.caller,
            has_fingerprint=self.has_fingerprint,
            has_always_impact=self.mode is Mode.APPLY,
            **guarding,
        )
        return await require_consent(call, context.policy, context.person, context.codes, context.client)

    async def _begin(self, context: Context, values: Mapping[str, Any], consent: Consent) -> Entry:
        run = values.get("run_id")
        run = context.client.runs.id_of(run) if run else None
        workspace, own = values.get("workspace_id"), None
        if run is not None:
            with suppress(TfrunsError):  # it is only for the log
                found = await context.client.runs.read(run)
                workspace, own = found.workspace.id if found.workspace else None, found.variables
        hidden = values if run is None else await to_thread.run_sync(_hidden, context.client, run, own, values)
        return await context.audit.begin(
            {
                "tool": self.name,
                "arguments": await to_thread.run_sync(logged_arguments, hidden),
                "run": run,
                "workspace": workspace,
                "confirmed": consent.value,
                "caller": context.caller or None,
            }
        )

    def _said(self, arguments: Mapping[str, JSON]) -> dict[str, JSON]:
        """The arguments without nulls, which assistants often send for what they leave out."""
        known = self._arguments.model_fields
        return {name: value for name, value in arguments.items() if value is not None or name not in known}


def _hidden(
    client: Client, run_id: str, own: Iterable[RunVariable] | None, values: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments of a call without what is known to be sensitive in the run's plan, or may be before that."""
    mask = masker_from_cache(client, run_id, own)
    return {name: mask(value) if isinstance(value, str) else value for name, value in values.items()}


_MAX_ARGUMENTS = 4_000_000  # characters of all texts together; the largest are values of variables


def _check_size(arguments: Mapping[str, JSON]) -> None:
    """Refuse what is too large before it is copied, asked about or written down.

    Raises:
        InvalidInput: the arguments are too large together, or a comment is.
    """
    size, rest = 0, list[JSON](arguments.values())
    while rest:
        node = rest.pop()
        if isinstance(node, str):
            size += len(node)
        elif isinstance(node, Mapping):
            rest += [*node.keys(), *node.values()]
        elif isinstance(node, list):
            rest += node
        if size > _MAX_ARGUMENTS:
            raise InvalidInput(f"The arguments have more than {_MAX_ARGUMENTS:,} characters. Nothing was sent.")
    comment = arguments.get("comment")
    if isinstance(comment, str):
        check_comment(comment)
    params = arguments.get("params")
    message = params.get("message") if isinstance(params, Mapping) else None
    check_message(message if isinstance(message, str) else None)


def _check_texts(arguments: Mapping[str, JSON]) -> None:
    try:
        is_whole = arguments == whole_text(arguments)
    except RecursionError:
        raise InvalidInput("The arguments are nested too deep.") from None
    if not is_whole:
        raise InvalidInput("A text among the arguments has half of a character in it, which no text can hold.")


_FILES = (
    "runs",
    "waiting",
    "review",
    "logs",
    "history",
    "diagnosis",
    "comments",
    "workspaces",
    "configuration",
    "policy_override",
)
_TOOLS: dict[str, Tool] = {}


def tool(
    *,
    title: str,
    toolset: Toolset,
    mode: Mode = Mode.APPLY,
    is_read_only: bool = False,
    is_destructive: bool = False,
    is_idempotent: bool = False,
    impact_of: ImpactOf | None = None,
    takes_code: bool = False,
    has_fingerprint: bool = False,
    apply_policy: ApplyPolicy | None = None,
) -> Callable[[Function], Function]:
    """Put a function into the registry. What is said here are its annotations; the rest is in the function itself."""

    def register(function: Function) -> Function:
        _TOOLS[function.__name__] = Tool(
            function=function,
            title=title,
            toolset=toolset,
            mode=Mode.READ if is_read_only else mode,
            is_read_only=is_read_only,
            is_destructive=is_destructive,
            is_idempotent=is_idempotent or is_read_only,
            impact_of=impact_of,
            takes_code=takes_code,
            has_fingerprint=has_fingerprint,
            apply_policy=apply_policy,
        )
        return function

    return register


def all_tools() -> list[Tool]:
    """Every tool: the nine of the mission's text in its order, then the others by file."""
    for name in _FILES:
        import_module(f"tfruns.tools.{name}")  # its functions register themselves, in whatever order files are imported
    return sorted(_TOOLS.values(), key=lambda tool: _FILES.index(tool.function.__module__.rpartition(".")[2]))


def offered_tools(policy: Policy) -> list[Tool]:
    """The tools that a policy's mode and toolsets permit."""
    return [tool for tool in all_tools() if policy.mode.includes(tool.mode) and tool.toolset in policy.toolsets]
