"""The steps of an apply, from both formats of its log."""

import json
from typing import Any

from tfruns.logs.apply_steps import Outcome, Step, planned_steps_in, steps_in, steps_of


def hook(kind: str, address: str, action: str = "create") -> bytes:
    body: dict[str, Any] = {"resource": {"addr": address}, "action": action}
    return json.dumps({"@level": "info", "@message": "x", "type": kind, "hook": body}).encode() + b"\n"


def invocation(kind: str, address: str) -> bytes:
    body = {"action": {"addr": address}}
    return json.dumps({"@level": "info", "@message": "x", "type": kind, "hook": body}).encode() + b"\n"


def test_steps_come_from_messages_and_not_from_printed_text() -> None:
    log = (
        b"\x02Terraform v1\nx.fake: Creation complete after 1s\n"
        + hook("apply_start", "a.b", "delete")
        + hook("apply_complete", "a.b", "delete")
        + hook("apply_start", "a.b")
        + hook("apply_errored", "a.b")
        + hook("apply_start", "a.c", "update")
        + hook("apply_start", "data.d.e", "read")
        + invocation("action_start", "action.x.y")
        + invocation("action_errored", "action.x.y")
        + b'{"type":"apply_start","hook":{"resource":3}}\n{"type":"apply_\n'
    )
    assert steps_in(log) == {
        Step("a.b", "delete"): Outcome.DONE,
        Step("a.b", "create"): Outcome.FAILED,
        Step("a.c", "update"): Outcome.STARTED,
        Step("action.x.y", "invoke"): Outcome.FAILED,
    }


PRINTED = b"""\
aws_x.a: Creating...
aws_x.a: Still creating... [10s elapsed]
aws_x.a: Creation complete after 12s [id=i-1]
module.m.aws_x.b["k: v"]: Destroying... [id=i-2]
module.m.aws_x.b["k: v"]: Destruction complete after 0s
aws_x.c: Modifying... [id=i-3]
aws_x.d (deposed object 01234567): Destroying... [id=i-4]
aws_x.e (local-exec): aws_x.f: Creating...
data.aws_y.g: Reading...
"""


def test_steps_of_the_text_format_are_the_same() -> None:
    assert steps_in(PRINTED) == {
        Step("aws_x.a", "create"): Outcome.DONE,
        Step('module.m.aws_x.b["k: v"]', "delete"): Outcome.DONE,
        Step("aws_x.c", "update"): Outcome.STARTED,
        Step("aws_x.d", "delete"): Outcome.STARTED,
    }


def test_planned_steps_come_from_the_log_of_the_plan() -> None:
    changes = [
        ("a.b", "replace"),
        ("a.c", "create"),
        ("a.d", "noop"),
        ("data.e.f", "read"),
        ("a.g", "remove"),
        ("a.h", "forget"),
    ]
    log = b"".join(
        json.dumps(
            {"@level": "info", "type": "planned_change", "change": {"resource": {"addr": address}, "action": action}}
        ).encode()
        + b"\n"
        for address, action in changes
    )
    invocation = {"action_addr": {"addr": "action.h.i"}, "lifecycle_trigger": {"triggering_event": "AfterCreate"}}
    log += (
        json.dumps({"@level": "info", "type": "planned_action_invocation", "invocation": invocation}).encode() + b"\n"
    )
    expected = [
        ("a.b", "delete"),
        ("a.b", "create"),
        ("a.c", "create"),
        ("a.g", "remove"),
        ("a.h", "remove"),
        ("action.h.i", "invoke"),
    ]
    assert planned_steps_in(log) == [Step(address, action) for address, action in expected]
    assert steps_of("a.b", ["create", "delete"]) == [Step("a.b", "create"), Step("a.b", "delete")]


def _action_message(kind: str, text: str, **body: object) -> bytes:
    return (
        json.dumps({"@level": "info", "@message": text, "@module": "terraform.ui", "type": kind, **body}).encode()
        + b"\n"
    )


def test_action_in_a_log_of_terraform_1_15_is_a_step() -> None:
    address = {"addr": "action.example_notify.ops", "module": "", "action_type": "example_notify", "action_key": None}
    plan = _action_message(
        "planned_action_invocation",
        "planned action invocation: action.example_notify.ops",
        invocation={"action_addr": address, "action_trigger": {}},
    )
    log = b"".join(
        _action_message(f"action_{stage}", f"Action {stage}", hook={"action": address, "invoke": {}})
        for stage in ("start", "progress", "complete")
    )
    step = Step("action.example_notify.ops", "invoke")
    assert planned_steps_in(plan) == [step]
    assert steps_in(log) == {step: Outcome.DONE}
    assert steps_in(log.replace(b"action_complete", b"action_errored")) == {step: Outcome.FAILED}
