"""Plurals, truncated texts and lists, and the texts for Terraform's reasons."""

from collections.abc import Iterable, Sequence

CHANGE_REASONS = {
    "replace_because_tainted": "it is tainted",
    "replace_because_cannot_update": "it cannot be updated in place",
    "replace_by_request": "the run requested its replacement",
    "replace_by_triggers": "a reference in its replace_triggered_by changes",
    "delete_because_no_resource_config": "it is no longer in the configuration",
    "delete_because_wrong_repetition": "its key does not match the count or for_each of the configuration",
    "delete_because_count_index": "its index is out of range for count",
    "delete_because_each_key": "its key is no longer in for_each",
    "delete_because_no_module": "its module is no longer in the configuration",
    "delete_because_no_move_target": "its move target is not in the configuration",
    "read_because_config_unknown": "its configuration is known only after apply",
    "read_because_dependency_pending": "it depends on a resource with pending changes",
    "read_because_check_nested": "a check block reads it",
}
"""The text for each reason of a change, in plans and in logs. Source: Terraform, "JSON Output Format"."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: `1 line`, `2 lines`, `1,000 entries`."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def truncated(text: str, length: int) -> str:
    """A text of at most `length` characters, with an ellipsis if it is truncated."""
    return text if len(text) <= length else text[: length - 1] + "…"


def with_number_of_rest(shown: Iterable[str], rest: int) -> tuple[str, ...]:
    """The shown items of a list, and the number of omitted ones if there are any."""
    return (*shown, *((f"… {rest} more",) if rest > 0 else ()))


def listed(names: Sequence[str], at_most: int = 10) -> str:
    """The first names, and the number of the rest: `a, b and 7 more`."""
    rest = len(names) - at_most
    return ", ".join(names[:at_most]) + (f" and {rest:,} more" if rest > 0 else "")


def cut_line(line: str, length: int) -> str:
    """A line, truncated to `length` characters with a note of how many are omitted."""
    return line if len(line) <= length else f"{line[:length]}… [{counted(len(line) - length, 'character')} omitted]"
