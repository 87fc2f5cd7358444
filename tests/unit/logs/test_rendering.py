"""Terraform's machine-readable logs, rendered as Terraform prints them in a terminal."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.tables import rows
from tfruns.logs.diagnostics import Diagnostic, code_lines, diagnostic_of, diagnostics_in
from tfruns.logs.lines import last_line, render
from tfruns.logs.machine import Message, parts_of
from tfruns.masking.text import sanitize

CONFIGURATION = """
variable "password" {
  default   = "correct-horse-battery"
  sensitive = true
}
resource "terraform_data" "app" {
  input = "one"
  provisioner "local-exec" { command = "echo made" }
}
resource "terraform_data" "secret" {
  count = 2
  input = var.password
}
resource "terraform_data" "broken" {
  depends_on = [terraform_data.app, terraform_data.secret]
  provisioner "local-exec" { command = "echo boom; exit 3" }
}
output "app" { value = terraform_data.app.output }
output "password" {
  value     = var.password
  sensitive = true
}
"""

PLAN = """\
Terraform V
  # terraform_data.app will be created
  # terraform_data.broken will be created
  # terraform_data.secret[0] will be created
  # terraform_data.secret[1] will be created

Plan: 4 to add, 0 to change, 0 to destroy.

Changes to Outputs:
  + app
  + password = (sensitive value)"""

ERROR = """\

Error: local-exec provisioner error

  with terraform_data.broken,
  on main.tf line 16, in resource "terraform_data" "broken":
  16:   provisioner "local-exec" { command = "echo boom; exit 3" }

Error running command 'echo boom; exit 3': exit status 3. Output: boom"""


@pytest.fixture(scope="module")
def logs(processes: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The logs of a plan, of an apply that fails, and of a plan after it, in both formats."""
    directory = tmp_path_factory.mktemp("terraform")
    (directory / "main.tf").write_text(CONFIGURATION, encoding="utf-8")
    _terraform(directory, "init")
    return {
        "plan": _terraform(directory, "plan", "-json", "-out=plan.bin"),
        "apply": _terraform(directory, "apply", "-json", "plan.bin"),
        "second": _terraform(directory, "plan", "-json", "-destroy"),
        "text": _terraform(directory, "apply", "-no-color", "-auto-approve"),
    }


def _terraform(directory: Path, *arguments: str) -> bytes:
    completed = subprocess.run(
        ["terraform", *arguments],
        cwd=directory,
        env={"PATH": os.environ["PATH"], "HOME": str(directory), "CHECKPOINT_DISABLE": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=60,
    )
    return completed.stdout + completed.stderr


def rendered(data: bytes) -> str:
    text = "\n".join(render(data).lines)
    text = re.sub(r"^Terraform \d\S+", "Terraform V", text)
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", text)


def test_plan_log_shows_changes_summary_and_outputs(logs: dict[str, bytes]) -> None:
    head, *lines = rendered(logs["plan"]).split("\n")
    order = sorted(line for line in lines if line.startswith("  #"))
    assert "\n".join([head, *order, *(line for line in lines if not line.startswith("  #"))]) == PLAN


def test_apply_log_shows_the_progress_of_each_resource(logs: dict[str, bytes]) -> None:
    text = re.sub(r"after \d+s", "after 0s", rendered(logs["apply"]))
    for line in (
        "terraform_data.app: Creating...",
        "terraform_data.app: Provisioning with 'local-exec'...",
        "terraform_data.app (local-exec): made",
        "terraform_data.app: Creation complete after 0s [id=ID]",
        "terraform_data.broken (local-exec): boom",
        "terraform_data.broken: Creation errored after 0s",
    ):
        assert line in text.split("\n")
    assert text.endswith(ERROR)


def test_error_is_the_same_in_both_formats(logs: dict[str, bytes]) -> None:
    (error,) = render(logs["apply"]).errors
    assert error == Diagnostic(
        severity="error",
        summary="local-exec provisioner error",
        detail="Error running command 'echo boom; exit 3': exit status 3. Output: boom",
        address="terraform_data.broken",
        where="main.tf:16",
        context='resource "terraform_data" "broken"',
        code='  provisioner "local-exec" { command = "echo boom; exit 3" }',
        first_line=16,
    )
    (plain,) = render(logs["text"]).errors
    # In the text format, lines are wrapped at the width of the terminal.
    assert (plain.summary, plain.address, plain.where) == (error.summary, error.address, error.where)
    assert plain.detail.split() == error.detail.split()


def test_lines_omit_errors_that_are_shown_separately(logs: dict[str, bytes]) -> None:
    found = render(logs["apply"], is_without_errors=True)
    assert len(found.errors) == 1
    assert not any("provisioner error" in line for line in found.lines)


# Invalid configurations, and the lines that show the location of the error.
INVALID = {
    'locals {\n  ports = [\n    "one",\n    "two"\n    "three",\n  ]\n}\n': [
        "  on main.tf line 5, in locals:",
        "   2:   ports = [",
        '   3:     "one",',
        '   4:     "two"',
        '   5:     "three",',
    ],
    'output "x" { value = cidrsubnet("10.0.0.0/8", 2, 100) }': [
        '  on main.tf line 1, in output "x":',
        '   1: output "x" { value = cidrsubnet("10.0.0.0/8", 2, 100) }',
        "    ├────────────────",
        "    │ while calling cidrsubnet(prefix, newbits, netnum)",
    ],
    'variable "f" { default = "%d" }\noutput "y" { value = format(var.f, "abc") }': [
        '  on main.tf line 2, in output "y":',
        '   2: output "y" { value = format(var.f, "abc") }',
        "    ├────────────────",
        "    │ while calling format(format, args...)",
        '    │ var.f is "%d"',
    ],
    'resource "terraform_data" "t" {\n  for_each = { b = "" }\n  input = 1 + each.value\n}\n': [
        '  on main.tf line 3, in resource "terraform_data" "t":',
        "   3:   input = 1 + each.value",
        "    ├────────────────",
        '    │ each.value is ""',
    ],
}


@pytest.mark.processes
def test_diagnostic_is_rendered_as_terraform_prints_it(tmp_path: Path) -> None:
    for number, (configuration, expected) in enumerate(INVALID.items()):
        directory = tmp_path / str(number)
        directory.mkdir()
        (directory / "main.tf").write_text(configuration, encoding="utf-8")
        _terraform(directory, "init")
        machine = render(_terraform(directory, "plan", "-json"))
        people = render(_terraform(directory, "plan", "-no-color"))
        boxed = render(_terraform(directory, "plan"))
        (error,) = machine.errors
        begin = machine.lines.index(expected[0])
        assert machine.lines[begin : begin + len(expected)] == expected, configuration
        begin = people.lines.index(expected[0])
        assert people.lines[begin : begin + len(expected)] == expected, configuration
        for (found,) in (people.errors, boxed.errors):
            fields = ("summary", "address", "where", "context", "code", "first_line", "values")
            assert [getattr(found, name) for name in fields] == [getattr(error, name) for name in fields]
            assert found.detail.split() == error.detail.split()


def test_destroy_plan_is_rendered_as_terraform_prints_it(logs: dict[str, bytes]) -> None:
    text = rendered(logs["second"])
    assert "  # terraform_data.app will be destroyed" in text
    assert "terraform_data.app: Refreshing state... [id=ID]" in text
    assert "Plan: 0 to add, 0 to change, 4 to destroy." in text
    assert "refresh" not in text  # a message that Terraform does not print in a terminal


def test_text_format_is_unchanged(logs: dict[str, bytes]) -> None:
    assert "\n".join(render(logs["text"]).lines) == logs["text"].decode().removesuffix("\n")


# -- the messages of the machine-readable log -------------------------------------------------------------------------


def change(action: str, **more: Any) -> dict[str, Any]:
    return {"type": "planned_change", "change": {"resource": {"addr": "a.b"}, "action": action, **more}}


def drift(action: str) -> dict[str, Any]:
    return {"type": "resource_drift", "change": {"resource": {"addr": "a.b"}, "action": action}}


def outputs(**values: Any) -> dict[str, Any]:
    return {"type": "outputs", "outputs": values}


@rows(
    ("message", "expected"),
    [
        (change("update"), "  # a.b will be updated in-place"),
        (change("replace"), "  # a.b must be replaced"),
        (change("replace", reason="tainted"), "  # a.b is tainted, so must be replaced"),
        (change("replace", reason="requested"), "  # a.b will be replaced, as requested"),
        (change("replace", reason="cannot_update"), "  # a.b must be replaced"),
        (
            change("delete", reason="delete_because_count_index"),
            "  # a.b will be destroyed\n  # (because its index is out of range for count)",
        ),
        (
            change("read", reason="read_because_check_nested"),
            "  # a.b will be read during apply\n  # (because it is in a check block)",
        ),
        (change("move", previous_resource={"addr": "a.c"}), "  # a.c has moved to a.b"),
        (change("update", previous_resource={"addr": "a.c"}), "  # a.b will be updated in-place\n  # (moved from a.c)"),
        (change("import"), "  # a.b will be imported"),
        (change("remove"), "  # a.b will no longer be managed by Terraform"),
        (change("warp"), "text"),
        (drift("update"), "  # a.b has changed outside of Terraform"),
        (drift("delete"), "  # a.b has been deleted outside of Terraform"),
        (drift("warp"), "text"),
        ({"type": "change_summary"}, "\ntext"),
        (outputs(a={"value": [1], "type": ["list", "number"], "sensitive": False}), "\nOutputs:\n\na = [1]"),
        (outputs(a={"value": "x", "sensitive": True}), "\nOutputs:\n\na = (sensitive value)"),
        (outputs(a={"action": "noop", "sensitive": False}), ""),
        (outputs(a={"action": "update", "value": 1, "sensitive": False}), "\nChanges to Outputs:\n  ~ a = 1"),
        (outputs(), ""),
        ({"type": "refresh_complete"}, ""),
        ({"type": "refresh_start"}, "text"),
        ({"type": "apply_progress"}, "text"),
        ({"type": "warp_started"}, "text"),
        ({"type": "init_output"}, "text"),
        ({"@level": "trace", "@module": "core.graph"}, "[TRACE] core.graph: text"),
        ({"type": "log", "@level": "error", "@module": "provider"}, "[ERROR] provider: text"),
        ({"type": ["strange"], "@level": "info"}, "[INFO] text"),
        ({"type": "outputs", "outputs": "strange"}, "text"),
        ({"type": "planned_change", "change": None}, "text"),
        ({"type": "provision_progress", "hook": {"resource": {"addr": "a.b"}, "provisioner": "x", "output": "1\n2"}},
         "a.b (x): 1\na.b (x): 2"),
        ({"type": "diagnostic", "diagnostic": "strange"}, "text"),
    ],
)  # fmt: skip
def test_message_is_rendered_as_terraform_prints_it(message: dict[str, Any], expected: str) -> None:
    (line,) = parts_of(json.dumps({"@message": "text", **message}))
    assert isinstance(line, Message)
    assert "\n".join(line.lines) == expected


@rows("line", ["", "{", "{}", '{"a": 1}', '{"@message": 1}', "[1]", "text", '{"@message": "x"'])
def test_line_without_a_message_is_unchanged(line: str) -> None:
    assert [*parts_of(line)] == [line]


def test_json_printed_by_a_program_is_unchanged() -> None:
    assert render(b'{"level":"info","msg":"from a script"}\n').lines == ['{"level":"info","msg":"from a script"}']


POLICY = b"""\
{"@level":"info","@message":"Policy info","@policy":"true","type":"policy_info","target_address":"aws_s3_bucket.a",\
"policy_info":{"message":"bucket must be encrypted"},"result":"deny"}
{"@level":"error","@message":"Error: Not encrypted","@policy":"true","type":"policy_diagnostic",\
"target_address":"aws_s3_bucket.a","policy_diagnostic":{"severity":"error","summary":"Not encrypted",\
"detail":"Set it.","range":{"filename":"main.tf","start":{"line":3}},"snippet":{"code":"  a = 1","start_line":3,\
"context":"locals"},"policy_range":{"filename":"p.policy","start":{"line":8}},"policy_snippet":{"code":"x\\ny",\
"start_line":7}},"policy_metadata":{"policy_name":"encrypted","policy_set_name":"s3","enforcement_level":"mandatory"}}
{"@level":"warn","@message":"Warning: Soon","@policy":"true","type":"policy_diagnostic",\
"policy_diagnostic":{"severity":"warning","summary":"Soon","detail":""}}
{"@level":"info","@message":"Policy Result","@policy":"true","type":"policy_result","result":"deny",\
"target_address":"aws_s3_bucket.a","policy_address":"policy.encrypted"}
"""


def test_policy_messages_keep_their_details() -> None:
    found = render(POLICY)
    assert found.lines == [
        "aws_s3_bucket.a: bucket must be encrypted (policy result: deny)",
        "",
        "Error: Not encrypted",
        "",
        "  by policy encrypted of s3 (mandatory)",
        "  on p.policy line 8:",
        "   7: x",
        "   8: y",
        "",
        "  with aws_s3_bucket.a,",
        "  while evaluating policy for main.tf line 3, in locals:",
        "   3:   a = 1",
        "",
        "Set it.",
        "",
        "Warning: Soon",
        "aws_s3_bucket.a: policy policy.encrypted: deny",
    ]
    (error,) = found.errors
    assert (error.summary, error.detail, error.address) == ("Not encrypted", "Set it.", "aws_s3_bucket.a")


def test_messages_of_unknown_types_are_not_lost() -> None:
    error = {
        "@level": "error",
        "@message": "Error: It broke",
        "type": "warp_errored",
        "warp_errored": {"detail": "why"},
    }
    silent = {"@level": "error", "type": "warp_errored", "warp_errored": {"message": "boom"}}
    text = {"@level": "info", "@message": "Warp", "type": "warp_told", "warp_told": {"message": "factor 9"}}
    found = render("\n".join(map(json.dumps, (error, silent, text))).encode())
    assert [diagnostic.summary for diagnostic in found.errors] == ["It broke: why", "boom"]
    assert found.lines[-1] == "Warp: factor 9"
    internal = {"@level": "error", "@message": "retrying", "@module": "provider"}
    assert render(json.dumps(internal).encode()).errors == []


def test_long_code_shows_the_lines_around_the_location() -> None:
    snippet = {"code": "\n".join(f"line {number}" for number in range(1, 101)), "start_line": 1}
    location = {"filename": "main.tf", "start": {"line": 50}}
    found = diagnostic_of({"summary": "x", "range": location, "snippet": snippet})
    assert found is not None
    lines = code_lines(found)
    assert (lines[0], lines[1], lines[-2], lines[-1]) == ("   …", "  44: line 44", "  55: line 55", "   …")


# -- diagnostics ------------------------------------------------------------------------------------------------------

BOXED = """\
╷
│ Error: Unsupported argument
│
│   on modules/net/main.tf line 4, in resource "terraform_data" "x":
│    4:   inptu = 1
│
│ An argument named "inptu" is not expected here. Did you mean "input"?
╵
╷
│ Warning: Deprecated
│
│   with terraform_data.y,
│   on main.tf line 9, in resource "terraform_data" "y":
│    9:   a = 1
│   10:   b = 2
│
│ Use another.
╵
Operation failed: failed running terraform plan (exit 1)
"""


def test_boxed_diagnostics_are_found() -> None:
    error, warning = diagnostics_in(BOXED.splitlines())
    assert error.is_error
    assert (error.summary, error.where, error.code) == ("Unsupported argument", "modules/net/main.tf:4", "  inptu = 1")
    assert error.detail == 'An argument named "inptu" is not expected here. Did you mean "input"?'
    assert not warning.is_error
    assert (warning.address, warning.where, warning.detail) == ("terraform_data.y", "main.tf:9", "Use another.")
    assert warning.code == "  a = 1\n  b = 2"


@rows("value", [None, "x", [], {}, {"summary": 1}])
def test_invalid_diagnostic_is_none(value: Any) -> None:
    assert diagnostic_of(value) is None


def test_diagnostic_without_a_location_is_valid() -> None:
    found = diagnostic_of({"severity": "error", "summary": "Failed", "detail": "", "range": {"start": 1}})
    assert found == Diagnostic("error", "Failed")


def test_last_line_is_the_last_one_with_content() -> None:
    assert last_line(b"\x02one\ntwo\n\n\x03") == "two"
    assert last_line(b"") == ""
    assert last_line(b'{"@message":"a","type":"apply_start"}\n{"@message":"b","type":"refresh_complete"}\n') == "a"


@given(st.binary(max_size=2_000))
def test_any_bytes_are_rendered_safely(data: bytes) -> None:
    text = "\n".join(render(data).lines)
    assert sanitize(text) == text
    text.encode()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_TYPES = st.sampled_from(["planned_change", "resource_drift", "outputs", "diagnostic", "provision_progress", "log"])
_KEYS = [
    "change",
    "outputs",
    "diagnostic",
    "hook",
    "resource",
    "addr",
    "action",
    "range",
    "snippet",
    "summary",
    "output",
]


@given(_TYPES, st.dictionaries(st.sampled_from(_KEYS), _JSON | st.dictionaries(st.sampled_from(_KEYS), _JSON)))
def test_message_of_any_structure_is_rendered(kind: str, fields: dict[str, Any]) -> None:
    (message,) = parts_of(json.dumps({"@message": "text", **fields, "type": kind}))
    assert isinstance(message, Message)
    assert all(isinstance(line, str) for line in message.lines)


def test_message_without_content_has_no_lines() -> None:
    for line in (
        '{"@level":"info","type":"change_summary","changes":{"add":1}}',
        '{"@level":"info","@message":5,"type":"change_summary"}',
        '{"@level":"info","@message":null,"type":"outputs","outputs":[]}',
    ):
        assert render(line.encode() + b"\n").lines == []


def test_copied_log_keeps_its_diagnostics() -> None:
    body = {"severity": "error", "summary": "Denied", "detail": "why", "address": "a.b"}
    message = json.dumps({"@level": "error", "@message": "Error: Denied", "type": "diagnostic", "diagnostic": body})
    expected = [Diagnostic("error", "Denied", "why", "a.b")]
    for text in (f"{message}\r\n", f"\ufeff{message}\n", f"  {message}\n"):
        assert render(text.encode()).diagnostics == expected
    box = ["╷", "│ Error: Denied", "│ ", "│   with a.b,", "│ ", "│ why", "╵"]
    assert render("".join(f"{line}\r\n" for line in box).encode()).diagnostics == expected
    assert render("".join(f"{line}\r\n" for line in box).encode()).lines == box


def test_multi_line_title_does_not_hide_the_location() -> None:
    box = ["╷", "│ Error: creating Role: https", "│ response error: exists", "│ ", "│   with a.b,", "│ ", "│ why", "╵"]
    text = "\n".join(box).encode()
    assert render(text).diagnostics == [
        Diagnostic("error", "creating Role: https\nresponse error: exists", "why", "a.b")
    ]
    plain = b"Error: first\nsecond\n\nthird\n"
    assert render(plain).diagnostics == [Diagnostic("error", "first", "second\n\nthird")]
