"""From the bytes of a log, or of a part of it, to lines for people."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tfruns.logs.diagnostics import Diagnostic, diagnostics_in
from tfruns.logs.machine import message_of
from tfruns.logs.text import clean, cut_line

STX, ETX = b"\x02", b"\x03"
"""What HCP Terraform puts around a log. The end mark says that nothing more will come."""

MAX_LINE = 2_000  # characters of a line that are shown


@dataclass(frozen=True, slots=True)
class Rendered:
    """Lines for people.

    Attributes:
        lines: one after the other, each cut to a length that can be shown.
        diagnostics: what Terraform said to be wrong, errors and warnings.
    """

    lines: list[str]
    diagnostics: list[Diagnostic]

    @property
    def errors(self) -> list[Diagnostic]:
        return [diagnostic for diagnostic in self.diagnostics if diagnostic.is_error]


def render(data: bytes) -> Rendered:
    """Render whole lines, whichever form each has."""
    lines: list[str] = []
    found: list[Diagnostic] = []
    plain: list[str] = []  # lines since the last message, among which a diagnostic may stand
    for raw in _raw_lines(data):
        message = message_of(raw)
        if message is None:
            plain += (text := clean(raw).split("\n"))
            lines += text
            continue
        found += diagnostics_in(plain)
        plain.clear()
        lines += message.lines
        found += [message.diagnostic] if message.diagnostic else []
    found += diagnostics_in(plain)
    return Rendered([cut_line(line, MAX_LINE) for line in lines], list(dict.fromkeys(found)))


def last_line(data: bytes) -> str:
    """The last line that says something; empty where none does."""
    lines = render(data[-4 * MAX_LINE :].partition(b"\n")[2] or data[-4 * MAX_LINE :]).lines
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def text_of(diagnostics: Iterable[Diagnostic]) -> Iterator[str]:
    """Each diagnostic in short: `main.tf:3, aws_instance.web: summary`."""
    for diagnostic in diagnostics:
        place = ", ".join(part for part in (diagnostic.where, diagnostic.address) if part)
        yield f"{place}: {diagnostic.summary}" if place else diagnostic.summary


def _raw_lines(data: bytes) -> list[str]:
    text = data.replace(STX, b"").replace(ETX, b"").decode("utf-8", errors="replace")
    lines = text.split("\n")
    return lines[:-1] if lines and not lines[-1] else lines
