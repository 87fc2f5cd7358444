"""The messages of the machine-readable log."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.support.tables import rows
from tfruns.logs.lines import render
from tfruns.logs.machine import Message, parts_of


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
            "  # a.b will be read during apply\n  # (because a check block reads it)",
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
