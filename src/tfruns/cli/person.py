"""The person at the terminal, who is asked before anything that cannot be undone."""

import anyio.to_thread

from tfruns.cli.terminal import err, say
from tfruns.tools.guard import Answer, Question


class TerminalPerson:
    """Asks on standard error, and takes `yes` for a yes, as Terraform does."""

    can_be_asked = True

    async def ask(self, question: Question) -> Answer:
        """The answer; the end of the input, or Ctrl-C, is none."""
        say(question.text)
        try:
            answer = await anyio.to_thread.run_sync(self._read, abandon_on_cancel=True)
        except EOFError:
            return Answer.DISMISSED
        return Answer.YES if answer.strip().lower() == "yes" else Answer.NO

    @staticmethod
    def _read() -> str:
        return err().input("Only [bold]yes[/bold] is taken for a yes: ")
