"""Terraform's machine-readable output as text, for who cannot render it: the `remote` backend of the Terraform CLI.

The `cloud` block renders the log and the plan itself; the `remote` backend prints each line as it comes. Source:
Terraform, "Machine-Readable UI"; HCP Terraform, "Structured Run Output" does not work with the `remote` backend.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tfruns.local.terraform.output import Sink, message_of

_OF_THE_PLAN_ITSELF = {"version", "planned_change", "resource_drift"}  # the plan is shown as a whole behind them


def as_plain_text(sink: Sink) -> Sink:
    """A sink that passes lines on as Terraform would show them to a person; some not at all."""

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
    elif kind not in _OF_THE_PLAN_ITSELF:
        yield message.get("@message", "")


def _outputs(outputs: Mapping[str, Any]) -> Iterator[str]:
    """The outputs after an apply; those of a plan, which say what is done to them, are shown with it."""
    if any("action" in output for output in outputs.values()) or not outputs:
        return
    yield from ("", "Outputs:", "")
    for name, output in sorted(outputs.items()):
        yield f"{name} = {'<sensitive>' if output.get('sensitive') else json.dumps(output.get('value'))}"


def _diagnostic(diagnostic: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", f"{str(diagnostic.get('severity', 'error')).capitalize()}: {diagnostic.get('summary', '')}", "")
    place, snippet = diagnostic.get("range"), diagnostic.get("snippet") or {}
    if place:
        context = f", in {snippet['context']}" if snippet.get("context") else ""
        yield f"  on {place['filename']} line {place['start']['line']}{context}:"
        for number, code in enumerate(str(snippet.get("code", "")).splitlines(), snippet.get("start_line", 1)):
            yield f"  {number:>3}: {code}"
        yield ""
    if diagnostic.get("detail"):
        yield from (diagnostic["detail"], "")
