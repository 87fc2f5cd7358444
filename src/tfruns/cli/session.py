"""Calling tools from the command line: the same tools, guard and audit log as an assistant has.

A command is a coroutine that gets a `Session` and returns its exit code. What it prints on standard output is data.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from tfruns.cli.connection import connection_of
from tfruns.cli.exit_codes import ExitCode
from tfruns.cli.options import Options
from tfruns.cli.person import AgreedPerson, TerminalPerson
from tfruns.cli.progress_line import ProgressLine
from tfruns.cli.terminal import can_ask, errors_said, print_json
from tfruns.configuration.allowed_directories import resolve_allowed
from tfruns.errors import ConfirmationNeeded, RefusedByMode
from tfruns.gate.person import NoPerson
from tfruns.gate.pipeline import Gate
from tfruns.gate.registry import find_tool
from tfruns.policy import Confirm, Policy
from tfruns.progress import Progress
from tfruns.tool import View

_WORK = {"upload_configuration": "Uploading the configuration", "review_run": "Reading the plan"}


class Session:
    """The tools, as one command uses them.

    Attributes:
        gate: every call goes through it.
        is_json: the result is for a program.
        line: shows that something takes time.
    """

    def __init__(self, gate: Gate, *, is_json: bool, line: ProgressLine) -> None:
        self.gate = gate
        self.line = line
        self.is_json = is_json

    async def call(self, tool: str, **arguments: Any) -> View:
        """Call a tool; an argument that is None is omitted.

        Raises:
            ConfirmationNeeded: a person has to be asked, and there is none.
            TfrunsError: whatever the tool raises.
        """
        given = {name: value for name, value in arguments.items() if value is not None}
        try:
            with self.line.shown(_WORK.get(tool, f"Waiting for {self.gate.client.settings.address.hostname}")):
                return await self.gate.call(find_tool(tool), given)
        except RefusedByMode:
            self.require_person()
            raise

    def require_person(self) -> None:
        """Refuse what nobody can be asked about, and nobody has agreed to beforehand.

        Raises:
            ConfirmationNeeded: that is so.
        """
        if self.gate.policy.confirm is not Confirm.NEVER and not self.gate.person.can_be_asked:
            raise ConfirmationNeeded(
                "This needs a person's yes, and there is no terminal to ask at. Nothing was sent.",
                cause="Standard input and standard error have to be a terminal.",
                solution="Say --yes to agree beforehand.",
            )

    def allow(self, directory: Path) -> str:
        """Let a directory be uploaded that the person has named; its absolute path.

        Raises:
            InvalidInput: it is none.
        """
        allowed = resolve_allowed([directory])
        self.gate = replace(self.gate, allowed_directories=allowed)
        return str(allowed[0])

    def with_progress(self, progress: Progress) -> "Session":
        """The same session, whose tools report their progress: who shows that draws on the terminal itself."""
        quiet = ProgressLine(is_quiet=True)
        return Session(replace(self.gate, progress=progress), is_json=self.is_json, line=quiet)

    def with_agreement(self) -> "Session":
        """The same session, after the person has agreed to all that it will do."""
        return Session(replace(self.gate, person=AgreedPerson()), is_json=self.is_json, line=self.line)

    def show(self, view: View, printed: Callable[[View], None]) -> None:
        """Print a result: as JSON for a program, or with this for a person."""
        if self.is_json:
            print_json(view)
        else:
            printed(view)


Work = Callable[[Session], Awaitable[ExitCode | None]]


def command(work: Work, options: Options, *, is_agreed: bool = False) -> NoReturn:
    """Do the work of a command, and end with its exit code.

    Args:
        work: what to do.
        options: the options that all commands have.
        is_agreed: the person has agreed beforehand (--yes): nothing is asked.
    """
    finish(lambda: _work(work, options, is_agreed=is_agreed), is_json=options.json)


def finish(work: Callable[[], Awaitable[ExitCode | None]], *, is_json: bool) -> NoReturn:
    """Do this, and end with its exit code, or with that of its error."""

    async def awaited() -> ExitCode | None:
        return await work()

    with errors_said(is_json=is_json):
        code = asyncio.run(awaited())
    sys.exit(code or ExitCode.DONE)


async def _work(work: Work, options: Options, *, is_agreed: bool) -> ExitCode | None:
    options.check()
    connection = connection_of(options)
    line = ProgressLine(is_quiet=options.json)
    try:
        with line.shown("Starting the local backend"):
            client = await connection.client()
        gate = Gate(
            client,
            Policy(confirm=Confirm.NEVER if is_agreed else Confirm.ALWAYS),
            person=TerminalPerson(line) if can_ask() else NoPerson(),
        )
        return await work(Session(gate, is_json=options.json, line=line))
    finally:
        await connection.aclose()
