"""The page of the recorded demo."""

import re

_CALL = re.compile(r"^> (?P<tool>\w+)\(")
_FIELD = re.compile(r"^ {4}(?P<name>\w+):")
_HEADING = re.compile(r"^== (?P<text>.*) ==$")
_ID = re.compile(r"\b(run|ws|cv|plan|apply)-[A-Za-z0-9]{16}\b")
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
