"""Rendering of Terraform's machine-readable log as Terraform prints it for people.

Source: Terraform, "Machine-Readable UI"; `internal/command/views/json`. Most messages contain a text, to which these
functions add omitted details. The log does not contain the values of a plan: a change has an address and an action.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

from tfruns.jsonapi import JSON
from tfruns.logs.diagnostics import Diagnostic, diagnostic_of, rendered
from tfruns.masking.text import sanitize
from tfruns.wording import CHANGE_REASONS, cut_line

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
_DRIFT = {"update": "has changed", "delete": "has been deleted", "move": "has moved"}
_SIGNS = {"create": "+", "update": "~", "delete": "-", "replace": "-/+"}
_SILENT = {"refresh_complete", "version"}  # Terraform prints nothing for these; a log begins with the version
_MAX_VALUE = 1_000
_BETWEEN_MESSAGES = " \t\r\x02\x03\ufeff"
OF_A_PROGRAM = re.compile(r" \((?:local-exec|remote-exec|file)\)(?:: |$)")
"""The text between a resource's address and its provisioner's output."""


@dataclass(frozen=True, slots=True)
class Message:
    """The rendered lines of a message, and its diagnostic if it has one."""

    lines: list[str]
    diagnostic: Diagnostic | None = None


def parts_of(line: str) -> Iterator[Message | str]:
    """The messages on a line of the machine-readable log, and the texts between them; any other line unchanged."""
    for part in objects_in(line):
        yield part if isinstance(part, str) else _message(part)


def _message(value: Mapping[str, JSON]) -> Message:
    kind = _word(value.get("type"))
    if diagnostic := _diagnostic(value, kind):
        return Message(rendered(diagnostic), diagnostic)
    if kind in _SILENT:
        return Message([])
    renderer = _RENDERERS.get(kind)
    lines = renderer(value) if renderer else None
    return Message(_log_line(value, kind) if lines is None else lines)


def objects_in(line: str) -> Iterator[Mapping[str, JSON] | str]:
    """The JSON of each message on a line, and the texts between them; any other line unchanged.

    Usually a line has one message. After an interrupted write, the next message follows the truncated one on the same
    line, and a program that forwards the log may add a prefix.
    """
    rest, at, read = 0, 0, 0  # end of the yielded part, end of the last object, characters parsed without success
    for match in _BEGINNING.finditer(line):
        start = match.start()
        if start < at or read > _MAX_PARSED * len(line):
            continue
        value, end = _object_at(line, start)
        at = start if value is None else end
        if not _is_message(value):
            read += end - start
        elif OF_A_PROGRAM.search(line, rest, start):
            break  # output of a program, which may look like a message
        else:
            if before := line[rest:start].strip(_BETWEEN_MESSAGES):
                yield before
            yield value
            rest = end
    if not rest or line[rest:].strip(_BETWEEN_MESSAGES):
        yield line[rest:]


def _object_at(line: str, start: int) -> tuple[Any, int]:
    """The JSON value at a position and its end; None and the position of the error if it is not JSON."""
    try:
        return _DECODER.raw_decode(line, start)
    except json.JSONDecodeError as error:
        return None, error.pos
    except (ValueError, RecursionError):
        return None, len(line)


_DECODER = json.JSONDecoder()
_BEGINNING = re.compile(r"\{(?=\s{0,100}\"[@\w]{1,100}\"\s{0,100}:)")
_MAX_PARSED = 4  # times the length of the line


def _is_message(value: Any) -> TypeGuard[Mapping[str, JSON]]:
    """Whether a value is an object with a text, or with a type and a level."""
    if not isinstance(value, Mapping):
        return False
    is_typed = bool(_word(value.get("type"))) and isinstance(value.get("@level"), str)
    return is_typed or isinstance(value.get("@message"), str)


def _diagnostic(value: Mapping[str, JSON], kind: str) -> Diagnostic | None:
    """The diagnostic of a message of type `diagnostic`, `policy_diagnostic` or a future one.

    A message of an unknown type is an error if its level is `error`.
    """
    body = _object(value.get(kind))
    found = diagnostic_of(body) if isinstance(body.get("severity"), str) or kind == "diagnostic" else None
    if found is not None:
        target = _word(value.get("target_address"))
        by = _by_policy(value) if found.policy or "@policy" in value else ()
        return replace(found, address=found.address or target, policy=(*by, *found.policy))
    if value.get("@level") == "error" and kind not in {"", "log", *_RENDERERS}:
        text = "\n".join(_log_line(value, kind))
        return Diagnostic("error", text.removeprefix("Error: ")) if text else None
    return None


def _by_policy(value: Mapping[str, JSON]) -> tuple[str, ...]:
    """The policy that reported it, with its enforcement level."""
    policy = _object(value.get("policy_metadata"))
    name, level = _word(policy.get("policy_name")), _word(policy.get("enforcement_level"))
    from_set = _word(policy.get("policy_set_name"))
    if not name:
        return ()
    return (f"  by policy {name}{f' of {from_set}' if from_set else ''}{f' ({level})' if level else ''}",)


def _log_line(value: Mapping[str, JSON], kind: str) -> list[str]:
    """The message's text; for an unknown type, also the texts in its body.

    A line of Terraform's internal log (TF_LOG) is prefixed with its level and module.
    """
    text = sanitize(_word(value.get("@message")))
    if kind in {"", "log"}:
        level, module = _word(value.get("@level")), _word(value.get("@module"))
        names = [f"[{level.upper()}]" if level else "", f"{module}:" if module else ""]
        text = " ".join([*filter(None, names), text]) if text else ""
    else:
        body = _object(value.get(kind))
        more = [found for key in _TEXTS if (found := _word(body.get(key)).strip()) and found not in text]
        text = ": ".join(filter(None, [text, *more]))
    return text.split("\n") if text else []


_TEXTS = ("summary", "message", "detail", "error")


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
    if reason in CHANGE_REASONS:
        lines.append(f"  # (because {CHANGE_REASONS[reason]})")
    if previous and previous != address:
        lines.append(f"  # (moved from {previous})")
    return lines


def _resource_drift(value: Mapping[str, JSON]) -> list[str] | None:
    change = _object(value.get("change"))
    address, what = _address(change.get("resource")), _DRIFT.get(_word(change.get("action")))
    return [f"  # {address} {what} outside of Terraform"] if address and what else None


def _summary(value: Mapping[str, JSON]) -> list[str] | None:
    text = _word(value.get("@message"))
    return ["", *text.splitlines()] if text else None


def _outputs(value: Mapping[str, JSON]) -> list[str] | None:
    """Outputs have an action and no known value before an apply, and a value after it."""
    outputs = value.get("outputs")
    if not isinstance(outputs, Mapping):
        return None
    is_plan = any("action" in _object(output) for output in outputs.values())
    lines = ["", "Changes to Outputs:" if is_plan else "Outputs:"] + ([] if is_plan else [""])
    for name, output in outputs.items():
        fields = _object(output)
        shown = "(sensitive value)" if fields.get("sensitive") else _value(fields)
        if is_plan:
            sign = _SIGNS.get(_word(fields.get("action")))
            lines += [f"  {sign} {sanitize(name)}{f' = {shown}' if shown else ''}"] if sign else []
        else:
            lines.append(f"{sanitize(name)} = {shown or 'null'}")
    return lines if len(lines) > (2 if is_plan else 3) else []


def _value(output: Mapping[str, JSON]) -> str:
    if "value" not in output:
        return ""
    text = sanitize(json.dumps(output["value"], ensure_ascii=False))
    return cut_line(text, _MAX_VALUE)


def _provisioner_output(value: Mapping[str, JSON]) -> list[str] | None:
    hook = _object(value.get("hook"))
    address, output = _address(hook.get("resource")), hook.get("output")
    if not address or not isinstance(output, str):
        return None
    name = _word(hook.get("provisioner")) or "provisioner"
    return [f"{address} ({name}): {line}" for line in sanitize(output).splitlines() or [""]]


def _policy_info(value: Mapping[str, JSON]) -> list[str] | None:
    """A policy's message about a resource. Source: Terraform, `internal/command/views/json/policy.go`."""
    message = _word(_object(value.get("policy_info")).get("message"))
    return _of_target(value, message, f"policy result: {_word(value.get('result')) or 'unknown'}") if message else None


def _policy_result(value: Mapping[str, JSON]) -> list[str] | None:
    name, result = _word(value.get("policy_address")), _word(value.get("result"))
    return _of_target(value, f"policy {name}: {result}") if name and result else None


def _of_target(value: Mapping[str, JSON], text: str, note: str = "") -> list[str]:
    target = _word(value.get("target_address"))
    return f"{f'{target}: ' if target else ''}{text}{f' ({note})' if note else ''}".split("\n")


_RENDERERS: Mapping[str, Callable[[Mapping[str, JSON]], list[str] | None]] = {
    "planned_change": _planned_change,
    "resource_drift": _resource_drift,
    "change_summary": _summary,
    "outputs": _outputs,
    "provision_progress": _provisioner_output,
    "policy_info": _policy_info,
    "policy_result": _policy_result,
}


def _address(resource: JSON) -> str:
    return _word(_object(resource).get("addr"))


def _word(value: JSON) -> str:
    return sanitize(value) if isinstance(value, str) else ""


def _object(value: JSON) -> Mapping[str, JSON]:
    return value if isinstance(value, Mapping) else {}
