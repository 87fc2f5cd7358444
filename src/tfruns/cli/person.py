"""The person at the terminal, who is asked before anything that cannot be undone."""

import os
import select
import signal
import sys

from tfruns.cli.progress_line import ProgressLine
from tfruns.cli.terminal import err, say
from tfruns.gate.person import Answer, Question

_LOOK_S = 0.2


class TerminalPerson:
    """Asks on standard error, and takes `yes` for a yes, as Terraform does.

    Args:
        line: what is drawn on the terminal meanwhile, and must not be.
    """

    can_be_asked = True

    def __init__(self, line: ProgressLine) -> None:
        self._line = line

    async def ask(self, question: Question) -> Answer:
        """The answer; the end of the input, or Ctrl-C, is none."""
        with self._line.hidden():
            return ask(question.text)


class AgreedPerson:
    """Has been shown all that will be done, and has agreed to it at once."""

    can_be_asked = True

    async def ask(self, question: Question) -> Answer:  # noqa: ARG002
        """Yes."""
        return Answer.YES


def ask(question: str) -> Answer:
    """Ask a question and wait for its answer; meanwhile, nothing else happens here.

    Not in another thread: a thread that waits for input can be stopped by nobody. And Ctrl-C has to end the input,
    where the event loop would only take note of it.
    """
    say(question)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    from rich.text import Text  # noqa: PLC0415

    try:
        err().print(Text.assemble("Only ", ("yes", "bold"), " is taken for a yes: "), end="")
        answer = _read_line()
    except (EOFError, KeyboardInterrupt):
        say("")
        return Answer.DISMISSED
    finally:
        signal.signal(signal.SIGINT, before)
    return Answer.YES if answer.strip().lower() == "yes" else Answer.NO


def _read_line() -> str:
    """The next line of the input.

    A signal that comes just before a read blocks is noticed only after it. So the input is looked at now and then, and
    read when there is a line.
    """
    while os.name == "posix" and not select.select([sys.stdin], [], [], _LOOK_S)[0]:
        pass
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line
