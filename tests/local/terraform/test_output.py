"""The processing of Terraform's output."""

import json
import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.tables import rows
from tfruns.local.terraform.output import InitOutput, LineSplitter, OutputSummary, masked
from tfruns.local.terraform.plan_json import ResourceCounts
from tfruns.masking.redaction import REMOVED
from tfruns.masking.secrets import Secrets


def secrets(*values: str) -> Secrets:
    return Secrets(of_variables=values, replacement=REMOVED)


class Sink:
    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def __call__(self, line: bytes) -> None:
        self.lines.append(line)


def message(type_: str, **fields: Any) -> bytes:
    return json.dumps({"@level": "info", "type": type_, **fields}).encode() + b"\n"


def diagnostic(summary: str, severity: str = "error", **fields: Any) -> bytes:
    return message(
        "diagnostic", **{"@level": severity}, diagnostic={"summary": summary, "severity": severity, **fields}
    )


@given(st.binary(max_size=60).map(lambda data: data.replace(b"\r", b"\n").replace(b"\x00", b"\n")), st.integers(1, 7))
def test_chunks_of_output_become_complete_lines(data: bytes, size: int) -> None:
    sink = Sink()
    lines = LineSplitter(sink)
    for at in range(0, len(data), size):
        lines(data[at : at + size])
    lines.finish()
    assert b"".join(sink.lines) == data + (b"" if not data or data.endswith(b"\n") else b"\n")
    assert all(line.endswith(b"\n") for line in sink.lines)


def test_endless_line_is_forwarded_in_parts() -> None:
    sink = Sink()
    lines = LineSplitter(sink)
    for _ in range(20):
        lines(b"x" * 100_000)
    assert sum(map(len, sink.lines)) > 900_000


MAX_LINE_BYTES = 1 << 20
SPLIT_SECRETS = ("hunter22", "größe-€-🔒", "aaaaaaaa", "ab" * 300, "".join(map(str, range(400))))


@settings(deadline=None)
@given(
    st.sampled_from(SPLIT_SECRETS),
    st.sampled_from([0, 500, MAX_LINE_BYTES]),
    st.integers(-1_600, 100),
    st.lists(st.integers(-400, 2_000), max_size=5),
)
def test_secret_is_masked_wherever_the_line_is_split(secret: str, line: int, shift: int, cuts: list[int]) -> None:
    position = max(0, line + shift)
    data = b"." * position + secret.encode() + b"." * 1_000
    sink = Sink()
    known = secrets(secret)
    lines = LineSplitter(masked(sink, known), known)
    ends = sorted({min(max(0, position + cut), len(data)) for cut in cuts})
    for start, end in pairwise([0, *ends, len(data)]):
        lines(data[start:end])
    lines.finish()
    assert b"".join(sink.lines).replace(REMOVED.encode(), b"") == b"." * (position + 1_000) + b"\n"


def test_masking_an_endless_line_takes_linear_time() -> None:
    for secret in ("a" * 60_000, "hunter22", "ab" * 40):
        spent = []
        for size in (MAX_LINE_BYTES // 2, MAX_LINE_BYTES + 65_536):
            sink = Sink()
            lines = LineSplitter(masked(sink, secrets(secret)), secrets(secret))
            data = (secret * (size // len(secret) + 1)).encode()
            began = time.process_time()
            for at in range(0, len(data), 65_536):
                lines(data[at : at + 65_536])
            lines.finish()
            spent.append(time.process_time() - began)
            assert b"".join(sink.lines).replace(REMOVED.encode(), b"") == b"\n"
        assert spent[1] < 3.3 * spent[0] + 0.3, (secret[:9], spent)


@pytest.mark.parametrize(
    ("secret", "line"),
    [
        ("hunter22", b"the value is hunter22, yes"),
        ("a<b>&c\u00e9d", json.dumps({"output": "a<b>&cxd"}).replace("x", "\u00e9").encode()),
        ("a<b>&cd", b'{"output":"a\\u003cb\\u003e\\u0026cd"}'),
        ('quo"ted\\text', json.dumps({"output": 'pw=quo"ted\\text'}).encode()),
        ('quo"ted\\text', json.dumps({"code": r'pw = "quo\"ted\\text"'}).encode()),
        ("first-line\nsecond-line", b"second-line"),
    ],
)
def test_secret_is_masked_in_every_encoding(secret: str, line: bytes) -> None:
    sink = Sink()
    masked(sink, secrets(secret))(line)
    (seen,) = sink.lines
    assert b"[removed]" in seen
    assert not any(part.encode() in seen for part in ("hunter22", "quo", "second", "cd", "a<b", "c\u00e9d"))


def test_secret_inside_another_secret_is_masked_completely() -> None:
    sink = Sink()
    masked(sink, secrets("secret", "secret-and-more"))(b"secret-and-more")
    assert sink.lines == [b"[removed]"]


def test_short_secret_is_not_masked() -> None:
    sink = Sink()
    masked(sink, secrets("true", ""))(b"it is true")
    assert sink.lines == [b"it is true"]


def test_errors_are_collected_with_their_location() -> None:
    sink = Sink()
    summary = OutputSummary(sink)
    lines = [
        diagnostic("Careful", "warn"),
        diagnostic("Bad thing", detail="It is bad.", range={"filename": "main.tf", "start": {"line": 3}}),
        diagnostic("Worse"),
        b"{ no json\n",
        b"[]\n",
    ]
    for line in lines:
        summary(line)
    assert summary.error == "Bad thing (main.tf:3)\nIt is bad.\n\nWorse"
    assert sink.lines == lines


def test_counts_prefer_terraforms_summary() -> None:
    summary = OutputSummary(Sink())
    summary(message("apply_complete", hook={"action": "create"}))
    assert summary.counts == ResourceCounts(additions=1)
    summary(message("change_summary", changes={"add": 5, "change": 4, "remove": 3, "import": 2, "operation": "apply"}))
    assert summary.counts == ResourceCounts(5, 4, 3, 2)


def test_init_output_forwards_only_diagnostics() -> None:
    sink = Sink()
    init = InitOutput(sink)
    bad = diagnostic("No such provider")
    for line in (message("version"), b"Successfully configured the backend!\n", bad):
        init(line)
    init.release()
    assert sink.lines == [bad]


def test_init_output_without_a_diagnostic_is_released() -> None:
    sink = Sink()
    init = InitOutput(sink)
    for line in (b"panic:\n", b"all is lost\n"):
        init(line)
    assert sink.lines == []
    init.release()
    assert sink.lines == [b"panic:\n", b"all is lost\n"]


@rows(
    "line",
    [
        b'{"type": "apply_complete", "hook": null}\n',
        b'{"type": "change_summary", "changes": []}\n',
        b'{"type": "diagnostic", "@level": "error", "diagnostic": {"range": {"start": 1}}}\n',
        b'{"type": ["x"]}\n',
    ],
)
def test_malformed_message_is_forwarded_and_ignored(line: bytes) -> None:
    sink = Sink()
    summary = OutputSummary(sink)
    summary(line)
    assert (sink.lines, summary.error, summary.counts) == ([line], None, ResourceCounts())
