"""The plan for readers: as JSON, and redacted as the Terraform CLI renders it."""

import json
import os
from pathlib import Path

from tfruns.local.execution.command import Commands, load_json
from tfruns.local.execution.plan_json import Document
from tfruns.local.execution.redacted_plan import providers_of, redacted_plan
from tfruns.local.execution.terraform import Terraform

_BUILT_IN = "terraform.io/builtin/terraform"
_SCHEMAS: tuple[str, ...] = ("providers", "schema", "-json")

# The schema of the provider that is part of Terraform does not change while this program runs.
_built_in_schemas: dict[Terraform, Document] = {}


def write_plan_files(commands: Commands) -> Document:
    """Write `plan.json` and `redacted.json` of the plan in the run's directory, and return the plan.

    Raises:
        Stopped: Terraform cannot read its plan, or the phase was canceled.
        OSError: the disk is full.
    """
    workdir = commands.workdir
    show: dict[Path, tuple[str, ...]] = {workdir.plan_json: ("show", "-json", "-no-color", str(workdir.plan_file))}
    schema_file = workdir.root / "schema.json"
    schema = {schema_file: _SCHEMAS}
    if (workdir.working / ".terraform.lock.hcl").exists():  # names every provider but the built-in one
        commands.read_json(show | schema)
        plan = load_json(workdir.plan_json)
        schemas = load_json(schema_file)
    else:
        commands.read_json(show)
        plan = load_json(workdir.plan_json)
        schemas = _schemas(commands, schema, schema_file, providers_of(plan))
    schema_file.unlink(missing_ok=True)
    redacted = redacted_plan(plan, schemas, secret_texts=commands.secrets)
    _write(workdir.redacted_json, json.dumps(redacted, separators=(",", ":")))
    return plan  # type: ignore[no-any-return]


def _schemas(
    commands: Commands, request: dict[Path, tuple[str, ...]], schema_file: Path, providers: set[str]
) -> Document:
    known = _built_in_schemas.get(commands.terraform)
    if known is not None and providers <= {_BUILT_IN}:
        return known
    commands.read_json(request)
    schemas: Document = load_json(schema_file)
    if set(schemas.get("provider_schemas") or {}) == {_BUILT_IN}:
        _built_in_schemas[commands.terraform] = schemas
    return schemas


def _write(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(text)
