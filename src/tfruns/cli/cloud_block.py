"""The `cloud` block of a directory: which organization and workspace Terraform itself would use there.

`terraform init` writes down what it was set up with. Before, or where that is something else, the configuration is
read. The older `backend "remote"` says the same in the same words.

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

_SET_UP = Path(".terraform") / "terraform.tfstate"
_SELECTED = Path(".terraform") / "environment"
_NATIVE = (".tf", ".tofu")
_JSON = (".tf.json", ".tofu.json")
_LARGEST = 1 << 20  # bytes of a file that is looked at
_KINDS = {"cloud", "remote"}


@dataclass(frozen=True, slots=True)
class CloudBlock:
    """What a directory is connected to, as far as it says.

    Attributes:
        is_there: whether there is a block at all.
        organization: its name.
        hostname: of HCP Terraform or Terraform Enterprise.
        workspace: the one workspace that the block names.
        prefix: of the workspaces' names; what is selected comes after it.
        selected: what `terraform workspace select` chose, where the block leaves a choice.
    """

    is_there: bool = False
    organization: str | None = None
    hostname: str | None = None
    workspace: str | None = None
    prefix: str | None = None
    selected: str | None = None

    def workspace_for(self, chosen: str | None) -> str | None:
        """The workspace's name, with what `TF_WORKSPACE` says.

        Raises:
            InvalidInput: the block names one workspace and `TF_WORKSPACE` another one, which Terraform refuses too.
        """
        if self.workspace and chosen and chosen != self.workspace:
            raise InvalidInput(
                f"TF_WORKSPACE is {chosen}, and the `cloud` block here names the workspace {self.workspace}.",
                cause="A block with a name leaves no choice. Terraform refuses this too.",
                solution="Unset TF_WORKSPACE, or say the workspace in the command.",
            )
        name = chosen or self.selected
        return self.workspace or (f"{self.prefix or ''}{name}" if name else None)


def read_cloud_block(directory: Path) -> CloudBlock:
    """What a directory is connected to. What cannot be read or understood says nothing."""
    settings = _settings_of_init(directory) or _settings_in_files(directory)
    if settings is None:
        return CloudBlock()
    workspaces = _one(settings.get("workspaces"))
    return CloudBlock(
        is_there=True,
        organization=_text(settings.get("organization")),
        hostname=_text(settings.get("hostname")),
        workspace=_text(workspaces.get("name")),
        prefix=_text(workspaces.get("prefix")),
        selected=_read(directory / _SELECTED).strip() or None,
    )


def _settings_of_init(directory: Path) -> Mapping[str, Any] | None:
    backend = _one(_json(directory / _SET_UP).get("backend"))
    return _one(backend.get("config")) if backend.get("type") in _KINDS else None


def _settings_in_files(directory: Path) -> Mapping[str, Any] | None:
    """The settings in the configuration; those of an override file come last, and win."""
    try:
        paths = sorted(path for path in directory.iterdir() if path.name.endswith((*_NATIVE, *_JSON)))
    except OSError:
        return None
    found = None
    for path in sorted(paths, key=lambda path: path.name.partition(".")[0].endswith("override")):
        of_file = _in_json(path) if path.name.endswith(_JSON) else _in_native(path)
        found = next(of_file, None) or found
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
        return path.read_text(encoding="utf-8") if path.stat().st_size <= _LARGEST else ""
    except (OSError, ValueError):
        return ""


def _one(value: Any) -> Mapping[str, Any]:
    """An object, or the first of a list of them: JSON writes a block in either way."""
    first = value[0] if isinstance(value, list) and value else value
    return first if isinstance(first, Mapping) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value and "${" not in value else None
