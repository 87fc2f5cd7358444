"""The `cloud` block of a directory, with the organization and the workspace that Terraform would use there.

It is read from the files that `terraform init` writes; without them, or with another backend in them, from the
configuration. The older `backend "remote"` has the same settings.

Source: Terraform, "Terraform Settings", "HCP Terraform settings", "Backend type: remote".
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfruns.errors import InvalidInput
from tfruns.hcl.blocks import Block, read_blocks
from tfruns.hcl.lexer import HclSyntaxError

_INITIALIZED = Path(".terraform") / "terraform.tfstate"
_SELECTED = Path(".terraform") / "environment"
_NATIVE = (".tf", ".tofu")
_JSON = (".tf.json", ".tofu.json")
_MAX_BYTES = 1 << 20  # larger files are ignored
_BACKENDS = {"cloud", "remote"}


@dataclass(frozen=True, slots=True)
class CloudBlock:
    """The settings of a `cloud` block.

    Attributes:
        exists: whether the directory has a block.
        organization: the name of the organization.
        hostname: the host of HCP Terraform or Terraform Enterprise.
        workspace: the one workspace that the block names.
        prefix: the prefix of workspace names, to which the selected name is appended.
        selected: the name that `terraform workspace select` chose, if the block allows several workspaces.
    """

    exists: bool = False
    organization: str | None = None
    hostname: str | None = None
    workspace: str | None = None
    prefix: str | None = None
    selected: str | None = None

    def workspace_for(self, chosen: str | None) -> str | None:
        """The name of the workspace.

        Args:
            chosen: the value of `TF_WORKSPACE`.

        Raises:
            InvalidInput: the block and `TF_WORKSPACE` name different workspaces, which Terraform refuses, too.
        """
        if self.workspace and chosen and chosen != self.workspace:
            raise InvalidInput(
                f"TF_WORKSPACE is {chosen}, but the `cloud` block in this directory names the workspace "
                f"{self.workspace}.",
                cause="A `cloud` block with a name permits no other workspace. Terraform also rejects this.",
                solution="Unset TF_WORKSPACE, or give the workspace in the command.",
            )
        name = chosen or self.selected
        return self.workspace or (f"{self.prefix or ''}{name}" if name else None)


def read_cloud_block(directory: Path) -> CloudBlock:
    """Read the block of a directory. Files that cannot be read or parsed are ignored."""
    settings = _settings_of_init(directory) or _settings_in_files(directory)
    if settings is None:
        return CloudBlock()
    workspaces = _one(settings.get("workspaces"))
    return CloudBlock(
        exists=True,
        organization=_text(settings.get("organization")),
        hostname=_text(settings.get("hostname")),
        workspace=_text(workspaces.get("name")),
        prefix=_text(workspaces.get("prefix")),
        selected=_read(directory / _SELECTED).strip() or None,
    )


def _settings_of_init(directory: Path) -> Mapping[str, Any] | None:
    backend = _one(_json(directory / _INITIALIZED).get("backend"))
    return _one(backend.get("config")) if backend.get("type") in _BACKENDS else None


def _settings_in_files(directory: Path) -> Mapping[str, Any] | None:
    """The settings in the configuration. Override files are read last, and take precedence."""
    try:
        paths = sorted(path for path in directory.iterdir() if path.name.endswith((*_NATIVE, *_JSON)))
    except OSError:
        return None
    found = None
    for path in sorted(paths, key=lambda path: path.name.partition(".")[0].endswith("override")):
        in_file = _in_json(path) if path.name.endswith(_JSON) else _in_native(path)
        found = next(in_file, None) or found
    return found


def _in_native(path: Path) -> Iterator[Mapping[str, Any]]:
    text = _read(path)
    if "cloud" not in text and "remote" not in text:
        return
    try:
        blocks = read_blocks(text)
    except HclSyntaxError:
        return
    for block in blocks:
        for inner in block.blocks if block.words == ("terraform",) else ():
            if inner.words in {("cloud",), ("backend", "remote")}:
                yield {**inner.settings, "workspaces": _first(inner, "workspaces")}


def _first(block: Block, name: str) -> Mapping[str, str]:
    return next((inner.settings for inner in block.blocks if inner.words == (name,)), {})


def _in_json(path: Path) -> Iterator[Mapping[str, Any]]:
    terraform = _one(_json(path).get("terraform"))
    for settings in (terraform.get("cloud"), _one(terraform.get("backend")).get("remote")):
        if settings is not None:
            yield _one(settings)


def _json(path: Path) -> Mapping[str, Any]:
    try:
        return _one(json.loads(_read(path)))
    except (ValueError, RecursionError):
        return {}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8") if path.stat().st_size <= _MAX_BYTES else ""
    except (OSError, ValueError):
        return ""


def _one(value: Any) -> Mapping[str, Any]:
    """An object, or the first object of a list. JSON configuration can contain a block in both forms."""
    first = value[0] if isinstance(value, list) and value else value
    return first if isinstance(first, Mapping) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value and "${" not in value else None
