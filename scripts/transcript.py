"""The page of the recorded demo, and the excerpt in the README."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

_CALL = re.compile(r"^> (?P<tool>\w+)\(")
_FIELD = re.compile(r"^ {4}(?P<name>\w+):")
_HEADING = re.compile(r"^== (?P<text>.*) ==$")
_ID = re.compile(r"\b(run|ws|cv|plan|apply)-[A-Za-z0-9]{16}\b")
_EXCERPT = "Plan a change that would replace the database"
_EXCERPT_FIELDS = frozenset(
    {"status", "plan", "allowed_actions", "follows", "next_actions", "outcome", "accepted", "rows"}
) | frozenset({"error", "message", "cause", "solution", "question", "at_stake", "confirmation", "fingerprint"})
_STATUS_DEPENDENT = frozenset({"follows", "next_actions", "note", "phase", "allowed_actions"})


def demo_page(output: str, note: str) -> str:
    """The documentation page of a recorded demo."""
    return (
        f"# Demo\n\n{note}\n"
        "The output of `make demo`: the calls of an assistant over MCP and their results, with the local backend and\n"
        "real Terraform. The demo truncates long values and lists. `scripts/record_demo.py` updates this page.\n\n"
        f"```text\n{output.strip()}\n```\n"
    )


def recording(page_text: str) -> str:
    """The recorded output in a page."""
    return page_text.split("```text\n", 1)[1].rsplit("\n```", 1)[0]


def excerpt(output: str) -> str:
    """One section of the output. Results contain only the fields that matter in it."""
    return "```text\n" + "\n".join(_drop_fields(_section(output.splitlines()))).strip() + "\n```"


def outline(output: str) -> list[str]:
    """The part of the output that every recording has in common: headings, calls without ids, and field names.

    Fields that depend on the status are omitted: the status of a run when it is first read varies.
    """
    lines = (_outline_of(line) for line in output.splitlines())
    return [line for line in lines if line is not None and line.strip() not in _STATUS_DEPENDENT]


def _outline_of(line: str) -> str | None:
    if _HEADING.match(line):
        return line
    if _CALL.match(line):
        return re.sub(r"[0-9a-f]{20,}", "…", _ID.sub(r"\1-…", line))
    found = _FIELD.match(line)
    return f"    {found['name']}" if found else None


def _section(lines: Sequence[str]) -> list[str]:
    headings = [index for index, line in enumerate(lines) if _HEADING.match(line)]
    for begin, end in pairwise([*headings, len(lines)]):
        if _EXCERPT in lines[begin]:
            return list(lines[begin + 1 : end])
    raise ValueError(f"The demo has no section {_EXCERPT!r}")


def _drop_fields(lines: Sequence[str]) -> Iterator[str]:
    is_kept, was_cut = True, False
    for line in lines:
        if field := _FIELD.match(line):
            is_kept = field["name"] in _EXCERPT_FIELDS
            was_cut |= not is_kept
        elif not line.startswith(" "):
            if was_cut:
                yield "    …"
            is_kept, was_cut = True, False
        if is_kept:
            yield line
