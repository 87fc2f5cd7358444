"""Messages of the machine-readable log that share a line with a truncated message, with text, or with others."""

import json
import time
from typing import Any

from tfruns.logs.apply_steps import Outcome, Step, planned_steps_in, steps_in
from tfruns.logs.lines import lines_of, render


def message(text: str, **fields: Any) -> str:
    return json.dumps({"@level": "info", "@message": text, "@module": "terraform.ui"} | fields)


def error(summary: str) -> str:
    return message(
        f"Error: {summary}",
        type="diagnostic",
        diagnostic={"severity": "error", "summary": summary, "detail": "Because."},
    ).replace('"info"', '"error"')


ONE, OTHER, TEXT = error("One"), error("Other"), message("a text", type="outputs_changed")
TRUNCATED = TEXT[:40]


def summaries(line: str | bytes) -> list[str]:
    return [found.summary for found in render(line if isinstance(line, bytes) else line.encode()).errors]


def test_every_error_on_a_shared_line_is_found() -> None:
    for line, found in {
        ONE: ["One"],
        ONE + OTHER: ["One", "Other"],
        f"{ONE} \t {OTHER}\r": ["One", "Other"],
        f"{ONE}\ufeff{OTHER}\r\n": ["One", "Other"],
        f"\ufeff{ONE}": ["One"],
        f"\x02{ONE}\x03": ["One"],
        TRUNCATED + ONE: ["One"],
        ONE[:-1] + OTHER: ["Other"],
        ONE[: ONE.index("Because")] + OTHER: ["Other"],
        ONE[: ONE.index("detail") + 9] + OTHER: ["Other"],
        '{"@level":"error","@message":"Error: \\' + ONE: ["One"],
        f"{TRUNCATED}{TRUNCATED}{ONE}{TRUNCATED}": ["One"],
        f"2026-11-28T08:32:54Z stdout F {ONE}": ["One"],
        f"terraform | {ONE} trailing {OTHER}": ["One", "Other"],
        f"{{not json}} {ONE}": ["One"],
        # Not messages of Terraform: an object that contains one, and output of a program in the configuration.
        json.dumps({"log": json.loads(ONE)}): [],
        json.dumps({"log": ONE}): [],
        f"terraform_data.a (local-exec): {ONE}": [],
        f'terraform_data.a["k"] (remote-exec): x {ONE}{OTHER}': [],
        message("x", type="provision_progress", hook={"output": ONE}): [],
        '{"a": 1} {"b": 2}': [],
    }.items():
        assert summaries(line) == found, line


def test_invalid_utf_8_between_messages_hides_none() -> None:
    assert summaries(ONE.encode() + b"\xff\xfe" + OTHER.encode()) == ["One", "Other"]


def test_text_between_messages_is_shown() -> None:
    assert lines_of(f"before {TEXT} between {TEXT}after".encode()) == ["before", "a text", "between", "a text", "after"]
    assert lines_of(f"{TRUNCATED}{TEXT}".encode()) == [TRUNCATED, "a text"]
    for plain in ("", "  text", '{"a": 1}', TRUNCATED, "{", '{"@message"'):
        assert lines_of(plain.encode()) == [plain]


def test_steps_on_a_shared_line_are_found() -> None:
    resource = {"addr": "a.b"}
    start = message("x", type="apply_start", hook={"resource": resource, "action": "create"})
    end = message("x", type="apply_complete", hook={"resource": resource, "action": "create"})
    plan = message("x", type="planned_change", change={"resource": resource, "action": "create"})
    step = Step("a.b", "create")
    assert steps_in(f"{TRUNCATED}{start}\n".encode()) == {step: Outcome.STARTED}
    assert steps_in(f"{start}{end}\n".encode()) == {step: Outcome.DONE}
    assert planned_steps_in(f"{TRUNCATED}{plan}\n".encode()) == [step]


def test_time_is_proportional_to_the_length_of_a_line() -> None:
    for piece in (
        '{"a":',
        '{"a":[',
        '{"@message":"x',
        '{"type":"a"',
        "{",
        '{"a":1}',
        TRUNCATED,
        f"{TRUNCATED}{ONE}",
        '{"a" ' * 9,
    ):
        spent = []
        for size in (100_000, 200_000):
            data = (piece * (size // len(piece))).encode()
            began = time.process_time()
            lines_of(data)
            spent.append(time.process_time() - began)
        assert spent[1] < 3 * spent[0] + 0.2, (piece, spent)
