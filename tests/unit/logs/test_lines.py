"""Terraform's logs, rendered as Terraform prints them in a terminal."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfruns.logs.diagnostics import Diagnostic
from tfruns.logs.lines import last_line, render
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
    lines = rendered(logs["plan"]).split("\n")
    order = sorted(line for line in lines if line.startswith("  #"))
    assert "\n".join([*order, *(line for line in lines if not line.startswith("  #"))]) == PLAN


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


def test_last_line_is_the_last_one_with_content() -> None:
    assert last_line(b"\x02one\ntwo\n\n\x03") == "two"
    assert last_line(b"") == ""
    assert last_line(b'{"@message":"a","type":"apply_start"}\n{"@message":"b","type":"refresh_complete"}\n') == "a"


@given(st.binary(max_size=2_000))
def test_any_bytes_are_rendered_safely(data: bytes) -> None:
    text = "\n".join(render(data).lines)
    assert sanitize(text) == text
    text.encode()
