"""Diagnostics in both formats of a log."""

import json
from typing import Any

from tests.support.tables import rows
from tfruns.logs.diagnostics import Diagnostic, code_lines, diagnostic_of, diagnostics_in
from tfruns.logs.lines import render

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


def test_long_code_shows_the_lines_around_the_location() -> None:
    snippet = {"code": "\n".join(f"line {number}" for number in range(1, 101)), "start_line": 1}
    location = {"filename": "main.tf", "start": {"line": 50}}
    found = diagnostic_of({"summary": "x", "range": location, "snippet": snippet})
    assert found is not None
    lines = code_lines(found)
    assert (lines[0], lines[1], lines[-2], lines[-1]) == ("   …", "  44: line 44", "  55: line 55", "   …")
