"""The demonstration as a page, and the part of it that the README shows."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

_CALL = re.compile(r"^> (?P<tool>\w+)\(")
_FIELD = re.compile(r"^ {4}(?P<name>\w+):")
_HEADING = re.compile(r"^== (?P<text>.*) ==$")
_ID = re.compile(r"\b(run|ws|cv|plan|apply)-[A-Za-z0-9]{16}\b")
_SHOWN = "Now a change that would cost the database"
_KEPT = frozenset({"status", "plan", "allowed_actions", "next", "outcome", "accepted", "rows"}) | frozenset(
    {"error", "message", "cause", "solution", "question", "at_stake", "confirmation", "fingerprint"}
)

_OF_THE_MOMENT = frozenset({"next", "note", "phase", "allowed_actions"})


def page(output: str, note: str) -> str:
    """The page of a recorded demonstration."""
    return (
        f"# The demonstration\n\n{note}\n"
        "What `make demo` prints: an assistant's calls over MCP, and their answers, with the local backend and real\n"
        "Terraform. Long values and lists are cut by the demonstration. `scripts/record_demo.py` records it anew.\n\n"
        f"```text\n{output.strip()}\n```\n"
    )


def recorded(page_text: str) -> str:
    """What was recorded, out of its page."""
    return page_text.split("```text\n", 1)[1].rsplit("\n```", 1)[0]


def excerpt(output: str) -> str:
    """One part of it, each answer without the fields that say nothing new."""
    return "```text\n" + "\n".join(_kept(_part(output.splitlines()))).strip() + "\n```"


def shape(output: str) -> list[str]:
    """What stays the same from one recording to the next: parts, calls without ids, names of fields.

    How far a run has come when it is read first differs, and so do the fields that depend on it.
    """
    shaped = (_shape_of(line) for line in output.splitlines())
    return [line for line in shaped if line is not None and line.strip() not in _OF_THE_MOMENT]


def _shape_of(line: str) -> str | None:
    if _HEADING.match(line):
        return line
    if _CALL.match(line):
        return re.sub(r"[0-9a-f]{20,}", "…", _ID.sub(r"\1-…", line))
    found = _FIELD.match(line)
    return f"    {found['name']}" if found else None


def _part(lines: Sequence[str]) -> list[str]:
    places = [index for index, line in enumerate(lines) if _HEADING.match(line)]
    for begin, end in pairwise([*places, len(lines)]):
        if _SHOWN in lines[begin]:
            return list(lines[begin + 1 : end])
    raise ValueError(f"the demonstration has no part {_SHOWN!r}")


def _kept(lines: Sequence[str]) -> Iterator[str]:
    is_kept, was_cut = True, False
    for line in lines:
        if field := _FIELD.match(line):
            is_kept = field["name"] in _KEPT
            was_cut |= not is_kept
        elif not line.startswith(" "):
            if was_cut:
                yield "    …"
            is_kept, was_cut = True, False
        if is_kept:
            yield line
