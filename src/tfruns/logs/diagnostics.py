"""A diagnostic of Terraform: what it says is wrong, and where.

Source: Terraform, "Machine-Readable UI", `diagnostic`. The text form is the one that Terraform prints for people.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tfruns.jsonapi import JSON
from tfruns.masking.text import sanitize

_MAX_SNIPPET_LINES = 5


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """An error or a warning.

    Attributes:
        severity: `error` or `warning`.
        summary: what is wrong, in short.
        detail: and at length.
        address: of the resource that it is about.
        where: file and line.
        context: the block there.
        code: the lines there.
    """

    severity: str
    summary: str
    detail: str = ""
    address: str = ""
    where: str = ""
    context: str = ""
    code: str = ""

    @property
    def is_error(self) -> bool:
        return self.severity == "error"


def diagnostic_of(value: JSON) -> Diagnostic | None:
    """Read the JSON form; None for what is not one."""
    if not isinstance(value, Mapping) or not isinstance(value.get("summary"), str):
        return None
    place = _object(value.get("range"))
    snippet = _object(value.get("snippet"))
    line = _object(place.get("start")).get("line")
    filename = _text(place.get("filename"))
    return Diagnostic(
        severity=_text(value.get("severity")) or "error",
        summary=_text(value.get("summary")).strip(),
        detail=_text(value.get("detail")).strip(),
        address=_text(value.get("address")),
        where=f"{filename}:{line}" if filename and isinstance(line, int) else filename,
        context=_text(snippet.get("context")),
        code=_text(snippet.get("code")),
    )


def rendered(diagnostic: Diagnostic) -> list[str]:
    """The lines in which Terraform prints it for people."""
    title = {"error": "Error", "warning": "Warning"}.get(diagnostic.severity, diagnostic.severity.title())
    lines = ["", f"{title}: {diagnostic.summary}"]
    if diagnostic.address:
        lines += ["", f"  with {diagnostic.address},"]
    if diagnostic.where:
        lines += [] if diagnostic.address else [""]
        filename, _, number = diagnostic.where.rpartition(":")
        place = f"{filename} line {number}" if filename else diagnostic.where
        lines.append(f"  on {place}{f', in {diagnostic.context}' if diagnostic.context else ''}:")
        first = int(number) if number.isdigit() else 0
        code = diagnostic.code.splitlines()[:_MAX_SNIPPET_LINES]
        lines += [f"  {first + offset:>3}: {line}" for offset, line in enumerate(code)]
    if diagnostic.detail:
        lines += ["", *diagnostic.detail.splitlines()]
    return lines


def diagnostics_in(lines: Sequence[str]) -> Iterator[Diagnostic]:
    """The diagnostics in text that was written for people, boxed (`╷ │ ╵`) or not."""
    block: list[str] | None = None
    is_boxed = False
    for line in lines:
        if line.startswith("╷"):
            yield from _parsed(block)
            block, is_boxed = [], True
        elif is_boxed and block is not None:
            if line.startswith("│"):
                block.append(line.removeprefix("│").removeprefix(" "))
            else:
                yield from _parsed(block)
                block, is_boxed = None, False
        elif line.startswith(("Error: ", "Warning: ")):
            yield from _parsed(block)
            block = [line]
        elif line.startswith("────"):
            yield from _parsed(block)
            block = None
        elif block is not None:
            block.append(line)
    yield from _parsed(block)


def _parsed(block: list[str] | None) -> Iterator[Diagnostic]:
    """What a block of text says: a title, then where, then the detail."""
    while block and not block[0].strip():
        block = block[1:]
    if not block:
        return
    title, _, summary = block[0].partition(": ")
    if title not in {"Error", "Warning"}:
        return
    rest = block[1:]
    address = where = context = ""
    code: list[str] = []
    start = 0
    for number, line in enumerate(rest):
        if line.startswith("  with ") and not address:
            address = line.removeprefix("  with ").rstrip(",")
        elif line.startswith("  on ") and " line " in line and not where:
            filename, _, tail = line.removeprefix("  on ").partition(" line ")
            number_text, _, block_name = tail.rstrip(":").partition(", in ")
            where, context = f"{filename}:{number_text.rstrip(':')}", block_name
        elif where and _is_code(line):
            code.append(line.split(":", 1)[1].removeprefix(" "))
        elif line.strip():
            break
        start = number + 1
    yield Diagnostic(
        severity=title.lower(),
        summary=summary.strip(),
        detail="\n".join(rest[start:]).strip(),
        address=address,
        where=where,
        context=context,
        code="\n".join(code),
    )


def _is_code(line: str) -> bool:
    number, colon, _ = line.strip().partition(":")
    return line.startswith("  ") and bool(colon) and number.isdigit()


def _object(value: JSON) -> Mapping[str, JSON]:
    return value if isinstance(value, Mapping) else {}


def _text(value: JSON) -> str:
    return sanitize(value) if isinstance(value, str) else ""
