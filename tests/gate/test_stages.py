"""The documented refusals match the code: each stage raises exactly the listed errors."""

import ast
from importlib import import_module
from pathlib import Path

from tfruns import errors
from tfruns.gate.pipeline import Gate
from tfruns.gate.stages import STAGES

# Caught within the stage, or raised by the tool's own rules.
_NOT_REFUSALS = {errors.TfrunsError, errors.Forbidden, errors.NotFound}


def raised_in(module: str) -> set[type[errors.TfrunsError]]:
    """The errors that the source of a module of the gate constructs."""
    path = Path(str(import_module(f"tfruns.gate.{module}").__file__))
    calls = [node.func for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    names = {call.id for call in calls if isinstance(call, ast.Name)}
    return {error for error in errors.all_errors() if error.__name__ in names} - _NOT_REFUSALS


def test_each_stage_raises_its_listed_errors() -> None:
    for module in {stage.module for stage in STAGES}:
        listed = {refused.error for stage in STAGES if stage.module == module for refused in stage.refusals}
        assert raised_in(module) == listed, module


def test_no_other_module_of_the_gate_refuses_a_call() -> None:
    folder = Path(str(import_module("tfruns.gate").__file__)).parent
    others = {path.stem for path in folder.glob("*.py")} - {stage.module for stage in STAGES} - {"__init__"}
    assert others
    assert {module: raised_in(module) for module in others} == {module: set() for module in others}


def test_stages_are_listed_in_the_order_of_the_pipeline() -> None:
    tree = ast.parse(Path(str(import_module(Gate.__module__).__file__)).read_text(encoding="utf-8"))
    call = next(node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef) and node.name == "call")
    steps = ("validated", "enforce_scope", "_enforce_mode", "require_consent", "check_location", "_record")
    names = sorted(
        (node.lineno, name)
        for node in ast.walk(call)
        if (name := getattr(node, "id", getattr(node, "attr", ""))) in steps
        and isinstance(node, ast.Name | ast.Attribute)
    )
    assert [name for _, name in names] == list(steps)
    assert len(STAGES) == len(steps)
