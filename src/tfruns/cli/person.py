"""The person at the terminal, who is asked before an action that cannot be undone."""

import os
import select
import signal
import sys

from tfruns.cli.progress_line import ProgressLine
from tfruns.cli.terminal import err, say
from tfruns.gate.person import Answer, Question

_POLL_S = 0.2


class TerminalPerson:
    """Asks on standard error. Only `yes` confirms, as in Terraform.

    Args:
        line: the progress line, which is cleared during the question.

    Attributes:
        answer: the last answer; None if nothing was asked.
    """

    can_be_asked = True
    name = ""

    def __init__(self, line: ProgressLine) -> None:
        self._line = line
        self.answer: Answer | None = None

    async def ask(self, question: Question) -> Answer:
        """Ask, and return the answer. The end of the input and Ctrl-C mean no."""
        with self._line.hidden():
            self.answer = ask(question.text)
        return self.answer


class ConsentingPerson:
    """A person who has already confirmed every action of the command."""

    can_be_asked = True
    name = ""

    async def ask(self, question: Question) -> Answer:  # noqa: ARG002
        """Answer yes."""
        return Answer.YES


def ask(question: str) -> Answer:
    """Ask a question, and block until it is answered.

    The input is not read in another thread, because a thread that waits for input cannot be stopped. The default SIGINT
    handler is restored meanwhile: Ctrl-C has to abort the input, and the handler of the event loop would only set a
    flag.
    """
    say(question)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    from rich.text import Text  # noqa: PLC0415

    try:
        err().print(Text.assemble("Only ", ("yes", "bold"), " is accepted to confirm: "), end="")
        answer = _read_line()
    except (EOFError, KeyboardInterrupt):
        say("")
        return Answer.NO
    finally:
        signal.signal(signal.SIGINT, before)
    return Answer.YES if answer.strip().lower() == "yes" else Answer.NO


def _read_line() -> str:
    """The next line of the input.

    A signal that arrives just before a read blocks would be handled only after the read. So the input is polled, and
    read when it is ready.
    """
    while os.name == "posix" and not select.select([sys.stdin], [], [], _POLL_S)[0]:
        pass
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line
