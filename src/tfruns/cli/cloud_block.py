"""The `cloud` block of a directory: which organization and workspace Terraform itself would use there."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# `terraform init` writes down what it was set up with; the name of the workspace that was selected stands beside it.
_SET_UP = Path(".terraform") / "terraform.tfstate"
_SELECTED = Path(".terraform") / "environment"


@dataclass(frozen=True, slots=True)
class CloudBlock:
    """What a directory is connected to, as far as it says.

    Attributes:
        organization: its name.
        workspace: its name.
        hostname: of HCP Terraform or Terraform Enterprise.
    """

    organization: str | None = None
    workspace: str | None = None
    hostname: str | None = None


def read_cloud_block(directory: Path) -> CloudBlock:
    """What `terraform init` has connected a directory to; nothing where it was not run, or to something else."""
    try:
        document: Any = json.loads((directory / _SET_UP).read_text(encoding="utf-8"))
        backend = document["backend"]
        config = backend["config"] if backend["type"] in {"cloud", "remote"} else {}
        workspaces = config.get("workspaces") or {}
        named = workspaces[0] if isinstance(workspaces, list) else workspaces
        return CloudBlock(config.get("organization"), named.get("name") or _selected(directory), config.get("hostname"))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return CloudBlock()


def _selected(directory: Path) -> str | None:
    path = directory / _SELECTED
    return path.read_text(encoding="utf-8").strip() or None if path.exists() else None
