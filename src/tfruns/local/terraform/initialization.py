"""The decision whether a run needs `terraform init` before it is planned.

`terraform init` installs providers and modules and configures the backend. A configuration that contains only
resources of Terraform's built-in provider needs none of these. `init` runs unless it is certainly unnecessary.
"""

import json
import os
from pathlib import Path

from tfruns.hcl.blocks import Block, read_blocks
from tfruns.local.terraform.inputs import PlanInputs

BUILT_IN = "terraform.io/builtin/terraform"

_MAX_BYTES = 1 << 20
_STATE_VERSION = 4
_OTHER_SYNTAXES = (".tf.json", ".tofu", ".tofu.json")
_LEFT_BY_INIT = (".terraform", ".terraform.lock.hcl")
_LOCAL_STATES = ("terraform.tfstate", "terraform.tfstate.d")
_PLAIN_BLOCKS = {"variable", "output", "locals", "moved"}  # need neither a provider nor a module
_RESOURCES = {"resource", "data"}


def needs_init(inputs: PlanInputs) -> bool:
    """Whether a run, whose configuration is unpacked, needs `terraform init`."""
    return (
        inputs.debugging_mode  # the log shows the output of init
        or inputs.run.workspace_name == "default"  # its state has another location; see `RunDirectory.link_states`
        or any(_is_terraform_setting(variable.key) for variable in inputs.environment)
        or not _is_plain_state(inputs.state)
        or not _is_plain_directory(inputs.run_dir.working)
    )


def _is_terraform_setting(name: str) -> bool:
    return name.startswith("TF_") and not name.startswith("TF_VAR_")


def _is_plain_state(state: bytes | None) -> bool:
    """Whether the state contains only resources of the built-in provider. Others need a provider to be destroyed."""
    if state is None:
        return True
    if len(state) > _MAX_BYTES:
        return False
    try:
        document = json.loads(state)
        providers = {resource["provider"] for resource in document["resources"]}
        return document["version"] == _STATE_VERSION and providers <= {f'provider["{BUILT_IN}"]'}
    except (ValueError, RecursionError, LookupError, TypeError):
        return False


def _is_plain_directory(directory: Path) -> bool:
    try:
        names = os.listdir(directory)  # noqa: PTH208  # includes names that are not Unicode
        if any(name in _LEFT_BY_INIT + _LOCAL_STATES or name.endswith(_OTHER_SYNTAXES) for name in names):
            return False
        files = [directory / name for name in names if name.endswith(".tf")]
        if not files or sum(file.stat().st_size for file in files) > _MAX_BYTES:
            return False
        return all(_is_plain(block) for file in files for block in read_blocks(file.read_text(encoding="utf-8")))
    except (OSError, ValueError):  # Terraform reports the error
        return False


def _is_plain(block: Block) -> bool:
    """Whether a block at the top level of a file needs no provider, no module and no backend."""
    kind = block.words[0]
    if kind == "terraform":
        return not block.blocks and block.arguments.keys() <= {"required_version"}
    if kind in _RESOURCES:  # the provider of a type `NAME_…` is NAME, unless another one is set
        is_built_in = block.words[1:2] and block.words[1].partition("_")[0] == "terraform"
        return bool(is_built_in) and "provider" not in block.arguments
    return kind in _PLAIN_BLOCKS
