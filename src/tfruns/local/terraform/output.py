"""What Terraform writes, on its way into the log: whole lines, without secrets, and what can be learned from them.

Source: Terraform, "Machine-Readable UI": one JSON object a line, with `type` and, for a diagnostic, `diagnostic`.
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
_MAX_HELD_BYTES = 1 << 18
_MAX_ERRORS = 5

# Fields of Terraform's messages that hold one of its own words or numbers, never a value of a configuration.
_OWN_WORDS = {
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
    """Cuts output into whole lines, each with its end.

    A line without an end in sight is passed on in parts, with the secrets that are in it masked before it is cut.
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
        """Pass on the last line, should it have no end."""
        if self._rest:
            self._sink(self._rest + b"\n")
            self._rest = b""


def masked(sink: Sink, secrets: Secrets) -> Sink:
    """A sink that passes lines on without the values of sensitive variables.

    Terraform hides what the configuration calls sensitive. It does not know that a variable of the workspace is, and
    quotes its line in an error.
    """
    return (lambda line: sink(_masked_line(line, secrets))) if secrets else sink


def _masked_line(line: bytes, secrets: Secrets) -> bytes:
    """A line without secrets. In a message, only its texts are masked: a value such as `create` is also its word."""
    message = message_of(line)
    if not message:
        return secrets.mask_bytes(line)
    try:
        shown = {key: _masked_field(key, value, secrets) for key, value in message.items()}
    except RecursionError:
        return secrets.mask_bytes(line)
    return line if shown == message else json.dumps(shown, separators=(",", ":")).encode() + b"\n"


def _masked_field(name: str, value: Any, secrets: Secrets) -> Any:
    """A field of a message. Terraform's own words in it, directly or one level below, stay as they are."""
    if name in _OWN_WORDS:
        return value
    if isinstance(value, dict) and name != "outputs":
        return {key: item if key in _OWN_WORDS else secrets.mask_document(item) for key, item in value.items()}
    if isinstance(value, dict):
        return {secrets.mask(key): _masked_output(item, secrets) for key, item in value.items()}
    return secrets.mask_document(value)


def _masked_output(output: Any, secrets: Secrets) -> Any:
    if not isinstance(output, dict):
        return secrets.mask_document(output)
    return {key: item if key in _OWN_WORDS else secrets.mask_document(item) for key, item in output.items()}


class OutputSummary:
    """Passes lines on and keeps what they say: errors, and how many resources were changed."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._errors: list[str] = []
        self._applied: Counter[str] = Counter()
        self._summary: ResourceCounts | None = None

    def __call__(self, line: bytes) -> None:
        self._sink(line)
        with suppress(AttributeError, KeyError, TypeError):  # a line that only looks like one of Terraform's
            self._learn(message_of(line))

    def _learn(self, message: dict[str, Any]) -> None:
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
        """The first errors, a paragraph each; None if there was none."""
        return "\n\n".join(self._errors[:_MAX_ERRORS]) or None

    @property
    def counts(self) -> ResourceCounts:
        """What was done: as Terraform sums it up, else (it does not after an error) counted one by one."""
        done = self._applied
        return self._summary or ResourceCounts(done["create"], done["update"], done["delete"], 0)


class InitOutput:
    """Passes on what `init` has to complain about, and holds the rest back.

    HCP Terraform's log has nothing of a successful init either: what init says of the backend is true only of the
    override, and of the next commands, wrong.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._has_passed = False
        self._held = b""

    def __call__(self, line: bytes) -> None:
        if message_of(line).get("type") == "diagnostic":
            self._has_passed = True
            self._sink(line)
        else:
            self._held = (self._held + line)[-_MAX_HELD_BYTES:]

    def release(self) -> None:
        """Init has failed: if it gave no reason in a form that would be passed on, pass on all it said."""
        if not self._has_passed:
            for line in self._held.splitlines(keepends=True):
                self._sink(line)


def message_of(line: bytes) -> dict[str, Any]:
    """A line's JSON object; an empty one for any other line."""
    if not line.startswith(b"{"):
        return {}
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}


def _error_text(diagnostic: dict[str, Any]) -> str:
    place = diagnostic.get("range") or {}
    at = f" ({place['filename']}:{place['start']['line']})" if place else ""
    detail = diagnostic.get("detail") or ""
    return f"{diagnostic.get('summary', '')}{at}" + (f"\n{detail}" if detail else "")
