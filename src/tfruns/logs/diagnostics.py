"""A diagnostic of Terraform: an error or a warning, and its location.

Sources: Terraform, "Machine-Readable UI", `diagnostic`; for the text form, `internal/command/format/diagnostic.go`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tfruns.jsonapi import JSON
from tfruns.masking.text import sanitize

_MAX_CODE_LINES = 12
_OMITTED = "   …"
_RULE = "    ├────────────────"
_NO_CODE = "  (source code not available)"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """An error or a warning.

    Attributes:
        severity: `error` or `warning`.
        summary: a short description of the problem.
        detail: a longer one.
        address: the resource that it concerns.
        where: file and line.
        context: the block that contains the line.
        code: the lines of code that Terraform shows. They often begin above the line in `where`.
        first_line: the number of the first line of code; 0 if unknown.
        values: statements about the expressions in the code (`each.key is "a"`), and the called function.
        policy: the lines about the policy that reported it.
    """

    severity: str
    summary: str
    detail: str = ""
    address: str = ""
    where: str = ""
    context: str = ""
    code: str = ""
    first_line: int = 0
    values: tuple[str, ...] = ()
    policy: tuple[str, ...] = ()

    @property
    def is_error(self) -> bool:
        return self.severity == "error"


def diagnostic_of(value: JSON) -> Diagnostic | None:
    """Parse the JSON form; None for anything else."""
    if not isinstance(value, Mapping) or not isinstance(value.get("summary"), str):
        return None
    snippet = _object(value.get("snippet"))
    policy = _source(value.get("policy_range"), value.get("policy_snippet"))
    return Diagnostic(
        severity=_text(value.get("severity")) or "error",
        summary=_text(value.get("summary")).strip(),
        detail=_text(value.get("detail")).strip(),
        address=_text(value.get("address")),
        where=_where(value.get("range")),
        context=_text(snippet.get("context")),
        code=_text(snippet.get("code")),
        first_line=_first_line(value.get("range"), snippet),
        values=(*_called(snippet.get("function_call")), *_values(snippet.get("values"))),
        policy=tuple(policy),
    )


def rendered(diagnostic: Diagnostic) -> list[str]:
    """The diagnostic as Terraform prints it."""
    title = {"error": "Error", "warning": "Warning"}.get(diagnostic.severity, diagnostic.severity.title())
    lines = ["", *f"{title}: {diagnostic.summary}".split("\n")]
    if diagnostic.policy:
        lines += ["", *diagnostic.policy]
    if diagnostic.address:
        lines += ["", f"  with {diagnostic.address},"]
    if diagnostic.where:
        lines += [] if diagnostic.address else [""]
        verb = "while evaluating policy for" if diagnostic.policy else "on"
        lines += [_location(verb, diagnostic.where, diagnostic.context), *code_lines(diagnostic)]
        lines += [_RULE, *(f"    │ {line}" for line in diagnostic.values)] if diagnostic.values else []
    if diagnostic.detail:
        lines += ["", *diagnostic.detail.split("\n")]
    return lines


def code_lines(diagnostic: Diagnostic) -> list[str]:
    """The code with line numbers; of long code, the lines around the location."""
    number = diagnostic.where.rpartition(":")[2]
    return _numbered(diagnostic.code, diagnostic.first_line, int(number) if number.isdecimal() else 0)


def _numbered(code: str, first: int, line: int) -> list[str]:
    if not code:
        return [_NO_CODE]
    lines = [
        f"{number:>4}: {text}" if first else f"      {text}" for number, text in enumerate(code.split("\n"), first)
    ]
    begin = max(0, min(line - first - _MAX_CODE_LINES // 2, len(lines) - _MAX_CODE_LINES))
    shown = lines[begin : begin + _MAX_CODE_LINES]
    return [_OMITTED] * (begin > 0) + shown + [_OMITTED] * (begin + len(shown) < len(lines))


def _location(verb: str, where: str, context: str) -> str:
    filename, _, number = where.rpartition(":")
    location = f"{filename} line {number}" if filename else where
    return f"  {verb} {location}{f', in {context}' if context else ''}:"


def _source(range_: JSON, snippet: JSON) -> list[str]:
    """The lines for a location and its code; empty without a location."""
    where = _where(range_)
    if not where:
        return []
    found = _object(snippet)
    number = where.rpartition(":")[2]
    code = _numbered(_text(found.get("code")), _first_line(range_, found), int(number) if number.isdecimal() else 0)
    return [_location("on", where, _text(found.get("context"))), *code]


def _where(range_: JSON) -> str:
    source = _object(range_)
    filename, line = _text(source.get("filename")), _object(source.get("start")).get("line")
    return f"{filename}:{line}" if filename and isinstance(line, int) else filename


def _first_line(range_: JSON, snippet: Mapping[str, JSON]) -> int:
    """The number of the first line of the code. Old Terraform versions omit it and show a single line."""
    for number in (snippet.get("start_line"), _object(_object(range_).get("start")).get("line")):
        if isinstance(number, int) and not isinstance(number, bool) and 0 < number < _MAX_LINE_NUMBER:
            return number
    return 0


_MAX_LINE_NUMBER = 10_000_000  # a larger number is invalid


def _called(call: JSON) -> Iterator[str]:
    """The function whose call failed, with the names of its parameters."""
    signature = _object(call).get("signature")
    name = _text(_object(call).get("called_as"))
    if not name or not isinstance(signature, Mapping):
        return
    listed = signature.get("params")
    names = [_text(_object(item).get("name")) for item in (listed if isinstance(listed, list) else ())]
    variadic = _text(_object(signature.get("variadic_param")).get("name"))
    yield f"while calling {name}({', '.join([*names, f'{variadic}...'] if variadic else names)})"


def _values(values: JSON) -> Iterator[str]:
    """Terraform's statements about the expressions in the code, in the order in which it prints them."""
    pairs = [
        (_text(item.get("traversal")), _text(item.get("statement")))
        for item in (values if isinstance(values, list) else ())
        if isinstance(item, Mapping)
    ]
    for traversal, statement in sorted(pairs):
        first, *more = statement.split("\n")
        yield f"{traversal} {first}"
        yield from (f"  {line}" for line in more)


def diagnostics_in(lines: Sequence[str]) -> Iterator[Diagnostic]:
    """The diagnostics in text for people, boxed (`╷ │ ╵`) or not."""
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
    """The diagnostic in a block of text: a title, the location, and the detail."""
    begin = next((number for number, line in enumerate(block or ()) if line.strip()), None)
    if block is None or begin is None:
        return
    title, _, summary = block[begin].partition(": ")
    if title not in {"Error", "Warning"}:
        return
    more = _more_of_title(block[begin + 1 :])
    rest = block[begin + 1 + len(more) :]
    location = _Location()
    start = next((number for number, line in enumerate(rest) if not location.takes(line)), len(rest))
    yield Diagnostic(
        severity=title.lower(),
        summary="\n".join([summary, *more]).strip(),
        detail="\n".join(rest[start:]).strip(),
        address=location.address,
        where=location.where,
        context=location.context,
        code="\n".join(location.code),
        first_line=location.first_line,
        values=tuple(location.values),
    )


def _more_of_title(lines: Sequence[str]) -> Sequence[str]:
    """The continuation lines of a title, which has some only if a blank line and the location follow."""
    end = next((number for number, line in enumerate(lines) if not line.strip()), len(lines))
    return lines[:end] if any(line.startswith(("  with ", "  on ")) for line in lines[end + 1 : end + 2]) else ()


@dataclass(slots=True)
class _Location:
    """The lines between the title and the detail, consumed one by one."""

    address: str = ""
    where: str = ""
    context: str = ""
    code: list[str] = field(default_factory=list)
    first_line: int = 0
    values: list[str] = field(default_factory=list)

    def takes(self, line: str) -> bool:
        """Consume a line. Returns False for the first line of the detail."""
        if line.startswith("  with ") and not self.address:
            self.address = line.removeprefix("  with ").rstrip(",")
        elif line.startswith("  on ") and " line " in line and not self.where:
            filename, _, tail = line.removeprefix("  on ").partition(" line ")
            number, _, self.context = tail.rstrip(":").partition(", in ")
            self.where = f"{filename}:{number.rstrip(':')}"
        elif self.where and (match := _CODE.match(line)):
            self.first_line = self.first_line or int(match["number"])
            self.code.append(line[match.end() :])
        elif self.where and line.startswith("    │ "):
            self.values.append(line.removeprefix("    │ "))
        else:
            return not line.strip() or line in {_RULE, _NO_CODE}
        return True


_CODE = re.compile(r" {1,10}(?P<number>[0-9]{1,7}): ?")


def _object(value: JSON) -> Mapping[str, JSON]:
    return value if isinstance(value, Mapping) else {}


def _text(value: JSON) -> str:
    return sanitize(value) if isinstance(value, str) else ""
