"""A line of Terraform's machine-readable log, as Terraform prints the same for people.

Source: Terraform, "Machine-Readable UI". Most messages carry their own text; what is said here is what they do not. The
values of a plan are not in this log: a change is its address and what becomes of it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tfruns.jsonapi import JSON
from tfruns.logs.diagnostics import Diagnostic, diagnostic_of, rendered
from tfruns.masking.text import sanitize

_CHANGES = {
    "create": "will be created",
    "read": "will be read during apply",
    "update": "will be updated in-place",
    "delete": "will be destroyed",
    "replace": "must be replaced",
    "move": "has moved",
    "import": "will be imported",
    "remove": "will no longer be managed by Terraform",
    "forget": "will no longer be managed by Terraform",
}
_REASONS = {
    "tainted": "is tainted, so must be replaced",
    "requested": "will be replaced, as requested",
    "replace_triggered_by": "will be replaced due to changes in replace_triggered_by",
}
_BECAUSE = {
    "delete_because_no_resource_config": "it is not in configuration",
    "delete_because_no_module": "its module is not in configuration",
    "delete_because_no_move_target": "it was moved to an address that is not in configuration",
    "delete_because_wrong_repetition": "it no longer has the same count or for_each",
    "delete_because_count_index": "its index is out of range for count",
    "delete_because_each_key": "its key is not in the for_each map",
    "read_because_config_unknown": "its configuration refers to values not yet known",
    "read_because_dependency_pending": "a resource that it depends on has changes pending",
    "read_because_check_nested": "it is in a check block",
}
_DRIFT = {"update": "has changed", "delete": "has been deleted", "move": "has moved"}
_SIGNS = {"create": "+", "update": "~", "delete": "-", "replace": "-/+"}
_SILENT = {"refresh_complete"}  # Terraform prints nothing for people there
_MAX_VALUE = 1_000


@dataclass(frozen=True, slots=True)
class Message:
    """What a line says: the lines for people, and the diagnostic if it is one."""

    lines: list[str]
    diagnostic: Diagnostic | None = None


def message_of(line: str) -> Message | None:
    """Read a line of the machine-readable log; None for a line that is not one."""
    if not line.startswith("{"):
        return None
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, Mapping) or not isinstance(value.get("@message"), str):
        return None
    kind = _word(value.get("type"))
    if kind == "diagnostic" and (diagnostic := diagnostic_of(value.get("diagnostic"))):
        return Message(rendered(diagnostic), diagnostic)
    if kind in _SILENT:
        return Message([])
    renderer = _RENDERERS.get(kind)
    lines = renderer(value) if renderer else None
    return Message(_log_line(value, kind) if lines is None else lines)


def _log_line(value: Mapping[str, JSON], kind: str) -> list[str]:
    """The message's own text. A line of Terraform's internal log (TF_LOG) has its level and module before it."""
    text = sanitize(value["@message"])
    if kind in {"", "log"}:
        level, module = value.get("@level"), value.get("@module")
        names = [
            f"[{level.upper()}]" if isinstance(level, str) else "",
            f"{module}:" if isinstance(module, str) else "",
        ]
        text = " ".join([*(sanitize(name) for name in names if name), text])
    return text.splitlines() or [""]


def _planned_change(value: Mapping[str, JSON]) -> list[str] | None:
    change = _object(value.get("change"))
    address, action, reason = _address(change.get("resource")), change.get("action"), _word(change.get("reason"))
    what = _REASONS.get(reason) or _CHANGES.get(_word(action))
    if not address or what is None:
        return None
    previous = _address(change.get("previous_resource"))
    if previous and action == "move":
        return [f"  # {previous} has moved to {address}"]
    lines = [f"  # {address} {what}"]
    if reason in _BECAUSE:
        lines.append(f"  # (because {_BECAUSE[reason]})")
    if previous and previous != address:
        lines.append(f"  # (moved from {previous})")
    return lines


def _resource_drift(value: Mapping[str, JSON]) -> list[str] | None:
    change = _object(value.get("change"))
    address, what = _address(change.get("resource")), _DRIFT.get(_word(change.get("action")))
    return [f"  # {address} {what} outside of Terraform"] if address and what else None


def _summary(value: Mapping[str, JSON]) -> list[str]:
    return ["", *sanitize(value["@message"]).splitlines()]


def _outputs(value: Mapping[str, JSON]) -> list[str] | None:
    """Before an apply, outputs have an action and no value that is known; after it, a value."""
    outputs = value.get("outputs")
    if not isinstance(outputs, Mapping):
        return None
    is_plan = any("action" in _object(output) for output in outputs.values())
    lines = ["", "Changes to Outputs:" if is_plan else "Outputs:"] + ([] if is_plan else [""])
    for name, output in outputs.items():
        said = _object(output)
        shown = "(sensitive value)" if said.get("sensitive") else _value(said)
        if is_plan:
            sign = _SIGNS.get(_word(said.get("action")))
            lines += [f"  {sign} {sanitize(name)}{f' = {shown}' if shown else ''}"] if sign else []
        else:
            lines.append(f"{sanitize(name)} = {shown or 'null'}")
    return lines if len(lines) > (2 if is_plan else 3) else []


def _value(output: Mapping[str, JSON]) -> str:
    if "value" not in output:
        return ""
    text = sanitize(json.dumps(output["value"], ensure_ascii=False))
    return text if len(text) <= _MAX_VALUE else f"{text[:_MAX_VALUE]}… [{len(text) - _MAX_VALUE} characters left out]"


def _provisioner_output(value: Mapping[str, JSON]) -> list[str] | None:
    hook = _object(value.get("hook"))
    address, output = _address(hook.get("resource")), hook.get("output")
    if not address or not isinstance(output, str):
        return None
    name = _word(hook.get("provisioner")) or "provisioner"
    return [f"{address} ({name}): {line}" for line in sanitize(output).splitlines() or [""]]


_RENDERERS: Mapping[str, Callable[[Mapping[str, JSON]], list[str] | None]] = {
    "planned_change": _planned_change,
    "resource_drift": _resource_drift,
    "change_summary": _summary,
    "outputs": _outputs,
    "provision_progress": _provisioner_output,
}


def _address(resource: JSON) -> str:
    return _word(_object(resource).get("addr"))


def _word(value: JSON) -> str:
    return sanitize(value) if isinstance(value, str) else ""


def _object(value: JSON) -> Mapping[str, JSON]:
    return value if isinstance(value, Mapping) else {}
