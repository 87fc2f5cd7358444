"""Terraform's machine-readable output as plain text, for the `remote` backend of the Terraform CLI.

The `cloud` block renders the log and the plan. The `remote` backend prints each line unchanged. Sources: Terraform,
"Machine-Readable UI"; HCP Terraform, "Structured Run Output", which the `remote` backend does not support.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tfruns.local.terraform.output import Sink, message_of

_OMITTED = {"version", "planned_change", "resource_drift"}  # the complete plan follows them


def as_plain_text(sink: Sink) -> Sink:
    """A sink that forwards messages as Terraform's text output, and omits those that the text output does not have."""

    def write(line: bytes) -> None:
        message = message_of(line)
        if not message:
            sink(line)
            return
        text = "".join(f"{part}\n" for part in _lines(message))
        if text:
            sink(text.encode())

    return write


def _lines(message: Mapping[str, Any]) -> Iterator[str]:
    kind = message.get("type")
    if kind == "diagnostic":
        yield from _diagnostic(message.get("diagnostic") or {})
    elif kind == "change_summary":
        if (message.get("changes") or {}).get("operation") != "plan":
            yield from ("", message.get("@message", ""))
    elif kind == "outputs":
        yield from _outputs(message.get("outputs") or {})
    elif kind not in _OMITTED:
        yield message.get("@message", "")


def _outputs(outputs: Mapping[str, Any]) -> Iterator[str]:
    """The outputs after an apply. The outputs of a plan, which have an action, are part of the plan's own text."""
    if any("action" in output for output in outputs.values()) or not outputs:
        return
    yield from ("", "Outputs:", "")
    for name, output in sorted(outputs.items()):
        yield f"{name} = {'<sensitive>' if output.get('sensitive') else json.dumps(output.get('value'))}"


def _diagnostic(diagnostic: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", f"{str(diagnostic.get('severity', 'error')).capitalize()}: {diagnostic.get('summary', '')}", "")
    source, snippet = diagnostic.get("range"), diagnostic.get("snippet") or {}
    if source:
        context = f", in {snippet['context']}" if snippet.get("context") else ""
        yield f"  on {source['filename']} line {source['start']['line']}{context}:"
        for number, code in enumerate(str(snippet.get("code", "")).splitlines(), snippet.get("start_line", 1)):
            yield f"  {number:>3}: {code}"
        yield ""
    if diagnostic.get("detail"):
        yield from (diagnostic["detail"], "")
