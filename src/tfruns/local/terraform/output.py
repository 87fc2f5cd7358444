"""Terraform's output on its way into the log: split into lines, masked, and summarized.

Source: Terraform, "Machine-Readable UI": one JSON object per line, with `type` and, for a diagnostic, `diagnostic`.
"""

import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tfruns.local.terraform.plan_json import ResourceCounts
from tfruns.masking.secrets import NO_SECRETS, Secrets

Sink = Callable[[bytes], None]

_MAX_LINE_BYTES = 1 << 20
_MAX_BUFFER_BYTES = 1 << 18
_MAX_ERRORS = 5

# Fields of Terraform's messages that contain one of its keywords or numbers, never a value of a configuration.
_KEYWORD_FIELDS = {
    *(
        "@level",
        "@module",
        "@timestamp",
        "type",
        "terraform",
        "tofu",
        "ui",
        "action",
        "reason",
        "severity",
        "sensitive",
    ),
    *("changes", "operation", "elapsed_seconds", "range"),
    *("resource_type", "implied_provider", "start_line", "highlight_start_offset", "highlight_end_offset"),
}


class LineSplitter:
    """Splits output into complete lines, which include their newline.

    A line that exceeds 1 MiB is forwarded in parts. Its secrets are masked before it is split.
    """

    def __init__(self, sink: Sink, secrets: Secrets = NO_SECRETS) -> None:
        self._sink = sink
        self._secrets = secrets
        self._rest = b""

    def __call__(self, data: bytes) -> None:
        lines = (self._rest + data).splitlines(keepends=True)
        self._rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        for line in lines:
            self._sink(line)
        if len(self._rest) >= _MAX_LINE_BYTES:
            begin, self._rest = self._secrets.mask_start(self._rest)
            self._sink(begin)

    def finish(self) -> None:
        """Forward the last line if it has no newline."""
        if self._rest:
            self._sink(self._rest + b"\n")
            self._rest = b""


def masked(sink: Sink, secrets: Secrets) -> Sink:
    """A sink that masks the values of sensitive variables and forwards the lines.

    Terraform masks the values that the configuration declares as sensitive. It does not know which variables of the
    workspace are sensitive, and quotes their lines in errors.
    """
    return (lambda line: sink(_masked_line(line, secrets))) if secrets else sink


def _masked_line(line: bytes, secrets: Secrets) -> bytes:
    """A line without secrets. Terraform's keywords are not masked, since a secret may be equal to one (`create`)."""
    message = message_of(line)
    if not message:
        return secrets.mask_bytes(line)
    try:
        shown = {key: _masked_field(key, value, secrets) for key, value in message.items()}
    except RecursionError:
        return secrets.mask_bytes(line)
    return line if shown == message else json.dumps(shown, separators=(",", ":")).encode() + b"\n"


def _masked_field(name: str, value: Any, secrets: Secrets) -> Any:
    """A field of a message without secrets. Terraform's keywords, in it or one level below, are kept."""
    if name in _KEYWORD_FIELDS:
        return value
    if isinstance(value, dict) and name != "outputs":
        return {key: item if key in _KEYWORD_FIELDS else secrets.mask_document(item) for key, item in value.items()}
    if isinstance(value, dict):
        return {secrets.mask(key): _masked_output(item, secrets) for key, item in value.items()}
    return secrets.mask_document(value)


def _masked_output(output: Any, secrets: Secrets) -> Any:
    if not isinstance(output, dict):
        return secrets.mask_document(output)
    return {key: item if key in _KEYWORD_FIELDS else secrets.mask_document(item) for key, item in output.items()}


class OutputSummary:
    """Forwards lines and collects their errors and the numbers of changed resources."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._errors: list[str] = []
        self._applied: Counter[str] = Counter()
        self._summary: ResourceCounts | None = None

    def __call__(self, line: bytes) -> None:
        self._sink(line)
        with suppress(AttributeError, KeyError, TypeError):  # a line of another program that resembles a message
            self._collect(message_of(line))

    def _collect(self, message: dict[str, Any]) -> None:
        kind = message.get("type")
        if kind == "diagnostic" and message.get("@level") == "error":
            self._errors.append(_error_text(message.get("diagnostic", {})))
        elif kind == "apply_complete":
            self._applied[message.get("hook", {}).get("action", "")] += 1
        elif kind == "change_summary":
            changes = message.get("changes", {})
            self._summary = ResourceCounts(*(changes.get(key, 0) for key in ("add", "change", "remove", "import")))

    @property
    def error(self) -> str | None:
        """The first errors, one paragraph each; None without errors."""
        return "\n\n".join(self._errors[:_MAX_ERRORS]) or None

    @property
    def counts(self) -> ResourceCounts:
        """Terraform's summary of the changes; after an error, which has no summary, the number of applied changes."""
        applied = self._applied
        return self._summary or ResourceCounts(applied["create"], applied["update"], applied["delete"], 0)


class InitOutput:
    """Forwards the diagnostics of `init` and buffers its other output.

    HCP Terraform's log does not contain the output of a successful `init` either. The output describes the overridden
    backend, and its advice on the next commands does not apply.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._has_forwarded = False
        self._buffer = b""

    def __call__(self, line: bytes) -> None:
        if message_of(line).get("type") == "diagnostic":
            self._has_forwarded = True
            self._sink(line)
        else:
            self._buffer = (self._buffer + line)[-_MAX_BUFFER_BYTES:]

    def release(self) -> None:
        """Forward the buffered output of a failed `init`, unless it reported a diagnostic."""
        if not self._has_forwarded:
            for line in self._buffer.splitlines(keepends=True):
                self._sink(line)


def message_of(line: bytes) -> dict[str, Any]:
    """The JSON object in a line; an empty one if the line is not a JSON object."""
    if not line.startswith(b"{"):
        return {}
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}


def _error_text(diagnostic: dict[str, Any]) -> str:
    source = diagnostic.get("range") or {}
    location = f" ({source['filename']}:{source['start']['line']})" if source else ""
    detail = diagnostic.get("detail") or ""
    return f"{diagnostic.get('summary', '')}{location}" + (f"\n{detail}" if detail else "")
