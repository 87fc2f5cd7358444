"""Terraform's machine-readable output as plain text."""

import json
from typing import Any

from tests.support.tables import rows
from tfruns.local.terraform.plain_text import as_plain_text


def text_of(*messages: dict[str, Any] | str) -> str:
    """The plain text of these lines."""
    written: list[bytes] = []
    write = as_plain_text(written.append)
    for message in messages:
        write((message if isinstance(message, str) else json.dumps(message)).encode() + b"\n")
    return b"".join(written).decode()


def test_other_lines_are_forwarded() -> None:
    assert text_of("Terraform will perform the following actions:", '{"not": json') == (
        'Terraform will perform the following actions:\n{"not": json\n'
    )


def test_message_becomes_its_text() -> None:
    assert text_of({"type": "apply_start", "@message": "terraform_data.a: Creating..."}) == (
        "terraform_data.a: Creating...\n"
    )


@rows("kind", ["version", "planned_change", "resource_drift"])
def test_messages_that_the_plan_repeats_are_omitted(kind: str) -> None:
    assert text_of({"type": kind, "@message": "something"}) == ""


def test_only_the_summary_of_an_apply_is_shown() -> None:
    summary = {"type": "change_summary", "@message": "Plan: 1 to add"}
    assert text_of({**summary, "changes": {"operation": "plan"}}) == ""
    assert text_of({**summary, "@message": "Apply complete!", "changes": {"operation": "apply"}}) == (
        "\nApply complete!\n"
    )


def test_outputs_of_an_apply_are_shown_and_masked() -> None:
    outputs = {"b": {"sensitive": True, "value": "hidden"}, "a": {"sensitive": False, "value": ["x"]}}
    assert text_of({"type": "outputs", "@message": "Outputs: 2", "outputs": outputs}) == (
        '\nOutputs:\n\na = ["x"]\nb = <sensitive>\n'
    )
    planned = {"a": {"sensitive": False, "action": "create"}}
    assert text_of({"type": "outputs", "@message": "Outputs: 1", "outputs": planned}) == ""


def test_diagnostic_contains_location_and_detail() -> None:
    diagnostic = {
        "severity": "error",
        "summary": "Reference to undeclared resource",
        "detail": "It has not been declared.",
        "range": {"filename": "main.tf", "start": {"line": 7}},
        "snippet": {"context": 'output "x"', "code": "  value = a.b", "start_line": 7},
    }
    assert text_of({"type": "diagnostic", "diagnostic": diagnostic}) == (
        "\nError: Reference to undeclared resource\n\n"
        '  on main.tf line 7, in output "x":\n    7:   value = a.b\n\n'
        "It has not been declared.\n\n"
    )
    assert text_of({"type": "diagnostic", "diagnostic": {"severity": "warning", "summary": "Old"}}) == (
        "\nWarning: Old\n\n"
    )
