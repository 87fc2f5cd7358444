"""The JSON plan, and the redacted plan that the Terraform CLI renders."""

import os
from dataclasses import dataclass
from pathlib import Path

from tfruns.local.exact_json import write_json
from tfruns.local.terraform.command import Commands, NestedTooDeep, load_json
from tfruns.local.terraform.executable import Terraform
from tfruns.local.terraform.initialization import BUILT_IN
from tfruns.local.terraform.json_scan import top_level_scalars
from tfruns.local.terraform.plan_json import Document, ResourceCounts, counts, has_changes
from tfruns.local.terraform.redacted_plan import providers_of, redacted_plan

_SCHEMAS: tuple[str, ...] = ("providers", "schema", "-json")

# The schema of the built-in provider does not change while the server runs.
_built_in_schemas: dict[Terraform, Document] = {}


@dataclass(frozen=True)
class PlanSummary:
    """The summary of a plan.

    Attributes:
        counts: the numbers of changed resources.
        has_changes: whether the plan has something to apply.
        is_redacted: whether a redacted plan was written.
    """

    counts: ResourceCounts
    has_changes: bool
    is_redacted: bool = True


def write_plan_files(commands: Commands, *, reported: ResourceCounts, is_refresh_only: bool = False) -> PlanSummary:
    """Write `plan.json` and `redacted.json` in the directory of the run, and summarize the plan.

    A plan that is nested too deep to be parsed is stored unchanged, without a redacted form.

    Args:
        commands: the commands of the phase.
        reported: the numbers of changes that Terraform reported while it planned.
        is_refresh_only: whether the plan is refresh-only.

    Raises:
        PhaseStopped: Terraform cannot read its plan, or the phase was canceled.
        OSError: the disk is full.
    """
    run_dir = commands.run_dir
    try:
        plan, schemas = _read(commands)
        redacted = redacted_plan(plan, schemas, secret_texts=commands.secret_texts)
        _write(run_dir.redacted_json, write_json(redacted))
        return PlanSummary(counts(plan), has_changes(plan, is_refresh_only=is_refresh_only))
    except (NestedTooDeep, RecursionError):
        applyable = (top_level_scalars(run_dir.plan_json.read_bytes()) or {}).get(b"applyable", b"true")
        return PlanSummary(reported, applyable == b"true", is_redacted=False)


def _read(commands: Commands) -> tuple[Document, Document]:
    """The plan, which is also written to its file, and the schemas of its providers."""
    run_dir = commands.run_dir
    show: dict[Path, tuple[str, ...]] = {run_dir.plan_json: ("show", "-json", "-no-color", str(run_dir.plan_file))}
    schema_file = run_dir.root / "schema.json"
    schema = {schema_file: _SCHEMAS}
    if (run_dir.working / ".terraform.lock.hcl").exists():  # lists every provider except the built-in one
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
