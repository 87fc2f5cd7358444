"""Tool calls from the command line, through the same gate and audit log as those of an assistant.

A command is a coroutine that takes a `Session` and returns an exit code. It writes only data to standard output.

The client and the gate are imported when a command runs, not when its options are read: a usage error and the help of a
command need neither, and cyclopts validates each option with pydantic once pydantic is imported.
"""

import asyncio
import shlex
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from tfruns.cli.exit_codes import ExitCode
from tfruns.cli.next_commands import next_text
from tfruns.cli.options import CommonOptions, OutputOptions
from tfruns.cli.output import show
from tfruns.cli.person import ConsentingPerson, TerminalPerson
from tfruns.cli.profiles import NO_PROFILE, Profile, active_profile
from tfruns.cli.progress_line import ProgressLine
from tfruns.cli.terminal import can_ask
from tfruns.configuration.allowed_directories import resolve_allowed
from tfruns.errors import ConfirmationNeeded, Declined, RefusedByMode
from tfruns.gate.person import Answer, NoPerson
from tfruns.next_actions import NextAction
from tfruns.policy import Confirm, Policy
from tfruns.progress import Progress
from tfruns.views.base import View

if TYPE_CHECKING:
    from tfruns.gate.pipeline import Gate

V = TypeVar("V", bound=View)

_PARTICIPLES = {
    "apply_run": "applied",
    "cancel_run": "canceled",
    "create_run": "created",
    "discard_run": "discarded",
    "force_cancel_run": "canceled",
    "force_execute_run": "executed",
    "override_policy_check": "overridden",
    "roll_back_state": "rolled back",
    "set_workspace_lock": "unlocked",
}
_ACTIVITIES = {"upload_configuration": "Uploading the configuration", "review_run": "Reading the plan"}


class Session:
    """The tool calls and the output of one command.

    Attributes:
        gate: the gate that every call passes.
        is_json: print results as JSON, for a program.
        line: shows that a call takes time.
        api_options: the options that select the API and the organization, for the commands that follow.
        profile: the settings for the organization and the workspace.
    """

    def __init__(
        self,
        gate: "Gate",
        *,
        is_json: bool,
        line: ProgressLine,
        api_options: list[str] | None = None,
        profile: Profile = NO_PROFILE,
    ) -> None:
        self.gate = gate
        self.profile = profile
        self.line = line
        self.is_json = is_json
        self.api_options = api_options if api_options is not None else []

    async def call(self, tool: str, kind: type[V], **arguments: Any) -> V:
        """Call a tool.

        Args:
            tool: its name.
            kind: the view that it returns.
            arguments: its arguments; one that is None is omitted.

        Raises:
            ConfirmationNeeded: the call needs confirmation, and there is no terminal.
            TfrunsError: the gate refuses the call, or the tool fails.
        """
        from tfruns.gate.registry import find_tool  # noqa: PLC0415

        given = {name: value for name, value in arguments.items() if value is not None}
        try:
            with self.line.shown(_ACTIVITIES.get(tool, f"Waiting for {self.gate.client.settings.address.hostname}")):
                view = await self.gate.call(find_tool(tool), given)
        except (RefusedByMode, ConfirmationNeeded, Declined) as error:
            if isinstance(self.gate.person, TerminalPerson) and self.gate.person.answer in {
                Answer.NO,
                Answer.DISMISSED,
            }:
                raise Declined(not_done(tool)) from None
            if isinstance(error, RefusedByMode):
                self.require_person()
            raise
        if not isinstance(view, kind):
            raise TypeError(f"{tool} returns {type(view).__name__}, not {kind.__name__}")
        return view

    @property
    def can_confirm(self) -> bool:
        """Whether the command can be confirmed: with --yes, or at a terminal."""
        return self.gate.policy.confirm is Confirm.NEVER or self.gate.person.can_be_asked

    def require_person(self) -> None:
        """Require a terminal to ask at, or the option --yes.

        Raises:
            ConfirmationNeeded: neither is available.
        """
        if not self.can_confirm:
            raise ConfirmationNeeded(
                "This command needs confirmation, and there is no terminal. Nothing was sent.",
                cause="Standard input or standard error is not a terminal.",
                solution="Run it in a terminal, or confirm with --yes.",
            )

    def allow(self, directory: Path) -> str:
        """Allow uploads from a directory that the person named, and return its absolute path.

        Raises:
            InvalidInput: it is not a directory.
        """
        allowed = resolve_allowed([directory])
        self.gate = replace(self.gate, allowed_directories=allowed)
        return str(allowed[0])

    def with_progress(self, progress: Progress) -> "Session":
        """The same session, with a recipient for the progress of tools. The recipient owns the terminal."""
        return self._changed(gate=replace(self.gate, progress=progress), line=ProgressLine(is_quiet=True))

    def with_consent(self) -> "Session":
        """The same session, after the person confirmed everything that it will do."""
        return self._changed(gate=replace(self.gate, person=ConsentingPerson()))

    def remember_organization(self, organization: str) -> None:
        """Add the organization that the person gave to the commands that follow."""
        if "--organization" not in self.api_options:
            self.api_options += ["--organization", organization]

    def _changed(self, **attributes: Any) -> "Session":
        changed = copy(self)
        for name, value in attributes.items():
            setattr(changed, name, value)
        return changed

    def show(self, view: V, print_view: Callable[[V], None]) -> None:
        """Print a result, as JSON or with `print_view`."""
        show(view, print_view, is_json=self.is_json)

    def command(self, *words: str) -> str:
        """A command line for the same API, for a message."""
        return shlex.join(["tfruns", *words, *self.api_options])

    def next_text(self, follows: str, actions: Iterable[NextAction]) -> str:
        """The next steps as one paragraph: a text, and the commands."""
        return next_text(follows, actions, self.api_options)


def not_done(tool: str) -> str:
    """The message for an action that the person did not confirm."""
    return f"Not {_PARTICIPLES.get(tool, 'changed')} (type yes to confirm)."


Work = Callable[[Session], Awaitable[ExitCode | None]]


def run_command(work: Work, options: CommonOptions, *, is_confirmed: bool = False) -> NoReturn:
    """Run a command that calls tools, and exit with its exit code.

    Args:
        work: the command.
        options: the common options.
        is_confirmed: the person gave --yes, so that nothing is asked.
    """
    api_options = options.api_options()
    run_and_exit(
        lambda: _run_in_session(work, options, api_options, is_confirmed=is_confirmed), options, api_options=api_options
    )


def run_and_exit(
    work: Callable[[], Awaitable[ExitCode | None]], options: OutputOptions, *, api_options: Sequence[str] = ()
) -> NoReturn:
    """Run a coroutine function, and exit with its exit code, or with that of its error."""

    async def awaited() -> ExitCode | None:
        return await work()

    with options.active(api_options):
        code = asyncio.run(awaited())
    sys.exit(code or ExitCode.DONE)


async def _run_in_session(
    work: Work, options: CommonOptions, api_options: list[str], *, is_confirmed: bool
) -> ExitCode | None:
    from tfruns.cli.connection import select_connection  # noqa: PLC0415
    from tfruns.gate.pipeline import Gate  # noqa: PLC0415
    from tfruns.mcp.connection import LocalConnection  # noqa: PLC0415

    profile = active_profile(options.profile)
    connection = select_connection(options, profile)
    options.check(is_local=isinstance(connection, LocalConnection))
    is_confirmed = is_confirmed or profile.confirm == Confirm.NEVER
    line = ProgressLine(is_quiet=options.json)
    try:
        with line.shown("Starting the local backend"):
            client = await connection.client()
        gate = Gate(
            client,
            Policy(confirm=Confirm.NEVER if is_confirmed else Confirm.ALWAYS),
            person=TerminalPerson(line) if can_ask() else NoPerson(),
        )
        used = profile.for_api(client.settings.address, is_local=isinstance(connection, LocalConnection))
        return await work(Session(gate, is_json=options.json, line=line, api_options=api_options, profile=used))
    finally:
        await connection.aclose()
