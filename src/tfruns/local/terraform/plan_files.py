"""The plan for readers: as JSON, and redacted as the Terraform CLI renders it."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from tfruns.local.terraform.command import Commands, NestedTooDeep, load_json
from tfruns.local.terraform.executable import Terraform
from tfruns.local.terraform.initialization import BUILT_IN
from tfruns.local.terraform.json_scan import top_level_scalars
from tfruns.local.terraform.plan_json import Document, ResourceCounts, counts, has_changes
from tfruns.local.terraform.redacted_plan import providers_of, redacted_plan

_SCHEMAS: tuple[str, ...] = ("providers", "schema", "-json")

# The schema of the provider that is part of Terraform does not change while this program runs.
_built_in_schemas: dict[Terraform, Document] = {}


@dataclass(frozen=True)
class PlanSummary:
    """What a plan would change, and whether that is anything.

    Attributes:
        counts: numbers of resources.
        has_changes: whether there is something to apply.
        is_redacted: whether there is a redacted plan.
    """

    counts: ResourceCounts
    has_changes: bool
    is_redacted: bool = True


def write_plan_files(commands: Commands, *, reported: ResourceCounts, is_refresh_only: bool = False) -> PlanSummary:
    """Write `plan.json` and `redacted.json` of the plan in the run's directory, and sum it up.

    A plan that is nested too deep for this program is stored as Terraform wrote it, without a redacted form.

    Args:
        commands: those of the phase.
        reported: what Terraform itself said that it would change, while it planned.
        is_refresh_only: whether the plan is one for drift alone.

    Raises:
        PhaseStopped: Terraform cannot read its plan, or the phase was canceled.
        OSError: the disk is full.
    """
    run_dir = commands.run_dir
    try:
        plan, schemas = _read(commands)
        redacted = redacted_plan(plan, schemas, secret_texts=commands.secret_texts)
        _write(run_dir.redacted_json, json.dumps(redacted, separators=(",", ":")))
        return PlanSummary(counts(plan), has_changes(plan, is_refresh_only=is_refresh_only))
    except (NestedTooDeep, RecursionError):
        applyable = (top_level_scalars(run_dir.plan_json.read_bytes()) or {}).get(b"applyable", b"true")
        return PlanSummary(reported, applyable == b"true", is_redacted=False)


def _read(commands: Commands) -> tuple[Document, Document]:
    """The plan, which is written to its file, and the schemas of its providers."""
    run_dir = commands.run_dir
    show: dict[Path, tuple[str, ...]] = {run_dir.plan_json: ("show", "-json", "-no-color", str(run_dir.plan_file))}
    schema_file = run_dir.root / "schema.json"
    schema = {schema_file: _SCHEMAS}
    if (run_dir.working / ".terraform.lock.hcl").exists():  # names every provider but the built-in one
        commands.read_json(show | schema)
        plan = load_json(run_dir.plan_json)
        schemas = load_json(schema_file)
    else:
        commands.read_json(show)
        plan = load_json(run_dir.plan_json)
        schemas = _schemas(commands, schema, schema_file, providers_of(plan))
    schema_file.unlink(missing_ok=True)
    return plan, schemas


def _schemas(
    commands: Commands, request: dict[Path, tuple[str, ...]], schema_file: Path, providers: set[str]
) -> Document:
    known = _built_in_schemas.get(commands.terraform)
    if known is not None and providers <= {BUILT_IN}:
        return known
    commands.read_json(request)
    schemas: Document = load_json(schema_file)
    if set(schemas.get("provider_schemas") or {}) == {BUILT_IN}:
        _built_in_schemas[commands.terraform] = schemas
    return schemas


def _write(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(text)
