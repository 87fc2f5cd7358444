"""From the bytes of a log, or of a part of it, to lines for people."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from tfruns.logs.diagnostics import Diagnostic, diagnostics_in
from tfruns.logs.machine import parts_of
from tfruns.masking.text import sanitize

STX, ETX = b"\x02", b"\x03"
"""What HCP Terraform puts around a log. The end mark says that nothing more will come."""


@dataclass(frozen=True, slots=True)
class Line:
    """What a line of a log, or a message on it, is for people: none or more lines, and the diagnostic if it is one."""

    lines: list[str]
    diagnostic: Diagnostic | None = None
    is_message: bool = False


@dataclass(frozen=True, slots=True)
class Rendered:
    """A part of a log.

    Attributes:
        lines: for people, one after the other. An error that Terraform sent as a message of its own is not among them
            where errors were to be left out.
        diagnostics: what Terraform said to be wrong, errors and warnings.
    """

    lines: list[str]
    diagnostics: list[Diagnostic]

    @property
    def errors(self) -> list[Diagnostic]:
        return [diagnostic for diagnostic in self.diagnostics if diagnostic.is_error]


def parts_of_line(data: bytes) -> Iterator[Line]:
    """Render one line, whichever form it has: each message on it, and the texts between them."""
    for part in parts_of(text_of(data)):
        if isinstance(part, str):
            yield Line(sanitize(part).split("\n"))
        else:
            yield Line(part.lines, part.diagnostic, is_message=True)


def lines_of(data: bytes) -> list[str]:
    """The lines for people that one line of a log becomes."""
    return [line for part in parts_of_line(data) for line in part.lines]


def text_of(data: bytes) -> str:
    """The text of one line, without the marks around the log."""
    return data.replace(STX, b"").replace(ETX, b"").decode("utf-8", errors="replace").rstrip("\r")


def render(data: bytes, *, is_without_errors: bool = False) -> Rendered:
    """Render whole lines."""
    lines: list[str] = []
    found: list[Diagnostic] = []
    plain: list[str] = []  # lines since the last message, among which a diagnostic may stand
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
    """The lines of a part of a log, without their ends; the marks around the log are none."""
    lines = data.split(b"\n")
    return lines[:-1] if not lines[-1].strip(STX + ETX) else lines


def last_line(data: bytes) -> str:
    """The last line that says something; empty where none does."""
    lines = render(data).lines
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
