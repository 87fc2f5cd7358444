"""Rendering of the bytes of a log, or a part of it, as lines for people."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from tfruns.logs.diagnostics import Diagnostic, diagnostics_in
from tfruns.logs.machine import parts_of
from tfruns.masking.text import sanitize

STX, ETX = b"\x02", b"\x03"
"""HCP Terraform's marks at the start and end of a log. After the end mark, the log is complete."""


@dataclass(frozen=True, slots=True)
class Line:
    """The rendering of a log line, or of a message on it: zero or more lines, and the diagnostic if it is one."""

    lines: list[str]
    diagnostic: Diagnostic | None = None
    is_message: bool = False


@dataclass(frozen=True, slots=True)
class Rendered:
    """A rendered part of a log.

    Attributes:
        lines: the lines for people, without errors that were sent as separate messages if those were excluded.
        diagnostics: the errors and warnings of Terraform.
    """

    lines: list[str]
    diagnostics: list[Diagnostic]

    @property
    def errors(self) -> list[Diagnostic]:
        return [diagnostic for diagnostic in self.diagnostics if diagnostic.is_error]


def parts_of_line(data: bytes) -> Iterator[Line]:
    """Render one line of any form: the messages on it, and the texts between them."""
    for part in parts_of(text_of(data)):
        if isinstance(part, str):
            yield Line(sanitize(part).split("\n"))
        else:
            yield Line(part.lines, part.diagnostic, is_message=True)


def lines_of(data: bytes) -> list[str]:
    """The rendered lines of one log line."""
    return [line for part in parts_of_line(data) for line in part.lines]


def text_of(data: bytes) -> str:
    """The text of one line, without the log's start and end marks."""
    return data.replace(STX, b"").replace(ETX, b"").decode("utf-8", errors="replace").rstrip("\r")


def render(data: bytes, *, is_without_errors: bool = False) -> Rendered:
    """Render whole lines."""
    lines: list[str] = []
    found: list[Diagnostic] = []
    plain: list[str] = []  # lines since the last message, which may contain a diagnostic
    for line in chain.from_iterable(map(parts_of_line, whole_lines(data))):
        if not line.is_message:
            plain += line.lines
            lines += line.lines
            continue
        found += diagnostics_in(plain)
        plain.clear()
        found += [line.diagnostic] if line.diagnostic else []
        if not (is_without_errors and line.diagnostic and line.diagnostic.is_error):
            lines += line.lines
    found += diagnostics_in(plain)
    return Rendered(lines, list(dict.fromkeys(found)))


def whole_lines(data: bytes) -> list[bytes]:
    """The lines of a part of a log, without line ends and without the log's marks."""
    lines = data.split(b"\n")
    return lines[:-1] if not lines[-1].strip(STX + ETX) else lines


def last_line(data: bytes) -> str:
    """The last non-blank line; empty if all lines are blank."""
    lines = render(data).lines
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
