"""Causes that many have met: each is known by the words of those who met it."""

import re

import pytest

from tfruns.logs.causes import CAUSES, hints_for
from tfruns.logs.diagnostics import Diagnostic

# What Terraform and its providers say, and a word of the hint.
MET = {
    "Error acquiring the state lock": "lock",
    "Saved plan is stale": "new run",
    "No value for required variable": "no value",
    "Invalid value for variable": "rule",
    "Unsupported Terraform Core version": "required_version",
    "Inconsistent dependency lock file": "lock file",
    "Failed to query available provider packages": "registry",
    "Module not installed": "module",
    "ThrottlingException: Rate exceeded": "limits requests",
    "VcpuLimitExceeded: You have requested more vCPU capacity": "quota",
    "No valid credential sources found": "credentials",
    "AccessDenied: User is not authorized to perform: s3:CreateBucket": "permission",
    "EntityAlreadyExists: Role with name x already exists": "Import",
    "Instance cannot be destroyed": "prevent_destroy",
    "Resource precondition failed": "condition",
    "local-exec provisioner error": "tainted",
    "Cycle: a.b, a.c": "circle",
    "Unsupported argument": "not valid",
    "dial tcp: lookup example.com: no such host": "reached",
    "The plugin did not respond": "crashed",
}


@pytest.mark.parametrize(("said", "word"), MET.items())
def test_a_cause_is_known_by_its_summary_or_its_detail(said: str, word: str) -> None:
    (hint,) = hints_for([Diagnostic("error", said)])
    assert word in hint
    assert hints_for([Diagnostic("error", "It failed", detail=said)]) == [hint]


def test_every_cause_has_been_met() -> None:
    assert {hint for said in MET for hint in hints_for([Diagnostic("error", said)])} == {cause.hint for cause in CAUSES}


def test_a_hint_is_told_once_and_nothing_about_what_is_not_known() -> None:
    twice = [Diagnostic("error", "Unsupported argument")] * 2
    assert len(hints_for(twice)) == 1
    assert hints_for([Diagnostic("error", "It is Tuesday")]) == []


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.hint[:30])
def test_a_pattern_is_one_and_a_hint_a_sentence(cause: object) -> None:
    pattern, hint = cause.pattern, cause.hint  # type: ignore[attr-defined]
    re.compile(pattern)
    assert hint.endswith(".")
    assert len(hint) <= 130
