"""The output of a result for programs: JSON, selected fields of it, filtered with jq, or rendered with a template.

Libraries are imported only if their option is given.
"""

import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from tfruns.cli.terminal import print_json
from tfruns.errors import InvalidInput
from tfruns.jsonapi import JSON
from tfruns.masking.redaction import safe_document
from tfruns.views.base import View, as_json

V = TypeVar("V", bound=View)
Printer = Callable[[JSON], None]


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """How results are printed for programs.

    Attributes:
        names: the fields to print; empty for all that are not empty.
        jq: a jq expression.
        template: a Jinja template.
    """

    names: tuple[str, ...] = ()
    jq: str = ""
    template: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether the output is the whole document, and not what the person selected of it."""
        return not (self.names or self.jq or self.template)

    def printer(self) -> Printer:
        """The function that prints a document.

        Raises:
            InvalidInput: the expression or the template is invalid, or there are both.
        """
        if self.jq and self.template:
            raise InvalidInput("--jq and --template cannot be used together.", solution="Omit one.")
        if self.jq:
            return _jq_printer(self.jq)
        return _template_printer(self.template) if self.template else print_json


_WHOLE = OutputFormat()
FORMAT = ContextVar("FORMAT", default=_WHOLE)
"""The format of the current command."""


def print_document(document: JSON) -> None:
    """Print a result that is a JSON document."""
    output = FORMAT.get()
    names = output.names
    output.printer()({name: document.get(name) for name in names} if names else document)


def print_view(view: View) -> None:
    """Print a result. Of a list, the selected fields are those of its rows."""
    output = FORMAT.get()
    if not output.names:
        document = as_json(view, is_complete=bool(output.template))
    elif view.ROWS:
        document = [_selected(row, output.names) for row in getattr(view, view.ROWS)]
    else:
        document = _selected(view, output.names)
    output.printer()(document)


def show(view: V, print_for_person: Callable[[V], None], *, is_json: bool) -> None:
    """Print a result, for a program or for a person."""
    if is_json:
        print_view(view)
    else:
        print_for_person(view)


def _selected(view: View, names: tuple[str, ...]) -> Mapping[str, JSON]:
    """Some fields of a view, also if they are empty."""
    return {name: as_json(getattr(view, name, None)) for name in names}


def _jq_printer(expression: str) -> Printer:
    try:
        import jq  # type: ignore[import-not-found]  # noqa: PLC0415
    except ImportError:
        raise InvalidInput(
            "--jq needs the Python package jq.",
            cause="tfruns does not install it on this platform, because no prebuilt package exists.",
            solution="Install it, or pipe the output of --json to the program jq.",
        ) from None
    try:
        program = jq.compile(expression)
    except ValueError as error:
        raise InvalidInput(
            f"The expression of --jq is invalid: {_first_line(error)}", solution="Correct it. Nothing was sent."
        ) from None

    def print_matches(document: JSON) -> None:
        try:
            with _interruptible():
                for value in program.input_value(safe_document(document)):
                    if isinstance(value, str):
                        print(value)
                    else:
                        print_json(value)
        except ValueError as error:
            raise InvalidInput(
                f"The expression of --jq failed on the result: {_first_line(error)}",
                cause="The command itself succeeded.",
                solution="Compare the expression with the output of --json.",
            ) from None

    return print_matches


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end the process at once: the library does not return to Python during an endless expression."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _template_printer(text: str) -> Printer:
    from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError  # noqa: PLC0415
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415

    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
    environment.filters["timeago"] = _timeago
    try:
        template = environment.from_string(text)
    except TemplateSyntaxError as error:
        raise InvalidInput(
            f"The template is invalid: {error.message}", solution="Correct it. Nothing was sent."
        ) from None

    def render(document: JSON) -> None:
        safe = safe_document(document)
        members: Mapping[str, Any] = safe if isinstance(safe, Mapping) else {}
        try:
            rendered = template.render({**members, "result": safe})
        except Exception as error:  # noqa: BLE001  # a template can fail like any program
            reason = f"{error}" if isinstance(error, TemplateError) else f"{type(error).__name__}: {error}"
            raise InvalidInput(
                f"The template failed on the result: {reason}",
                cause="The command itself succeeded.",
                solution="Compare the template with the output of --json.",
            ) from None
        sys.stdout.write(rendered if rendered.endswith("\n") or not rendered else f"{rendered}\n")

    return render


def _timeago(text: str) -> str:
    """A time relative to now; empty for an unknown time."""
    from tfruns.cli.moments import relative  # noqa: PLC0415

    return relative(datetime.fromisoformat(text), datetime.now(UTC)) if text else ""


def _first_line(error: ValueError) -> str:
    return str(error).removeprefix("jq: error: ").partition("\n")[0]
