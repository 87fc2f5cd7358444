"""The directory of a run: configuration, state, plan and variables. It exists until the apply has finished.

config/                          the configuration; its working directory also has an override file or a link to state/
home/                            HOME of the commands
state/NAME/terraform.tfstate     the state of the workspace NAME, as Terraform's local backend expects it
initial.tfstate                  the state before the run
workspace.tfvars, run.tfvars     variables, in the order of precedence
plan.tfplan                      the plan that is applied
plan.json, redacted.json         the plan for clients
cli.tfrc, trusted.pem            the Terraform CLI configuration, with the token of the run, and certificates
reserve                          disk space for the state of an apply, in case the disk is full
generated.tf                     configuration that Terraform generated for imports
terraform.out, terraform.pid     output and process id of the current or last command
"""

import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tfruns.local.terraform.slug_process import ARCHIVES
from tfruns.local.terraform.state import BadState, State, newest_state

# The last override file takes precedence, and `~` sorts after all letters.
_OVERRIDE = "~tfruns_override.tf.json"
_OVERRIDES = ("override.tf", "override.tf.json", "override.tofu", "override.tofu.json")
_LAST_CHARACTER = "\U0010ffff"
_RESERVE_BYTES = 1 << 18
_CONFIGURATION = (".tf", ".tf.json", ".tofu", ".tofu.json")


class BadWorkingDirectory(ValueError):
    """The working directory is invalid, missing or empty."""


@dataclass(frozen=True)
class RunDirectory:
    """The directory of a run. It must not be moved between the plan and the apply.

    Attributes:
        root: the absolute path.
        workspace_name: the value of `terraform.workspace` in the configuration, as in HCP Terraform.
        working_directory: Terraform's working directory, relative to the configuration.
    """

    root: Path
    workspace_name: str
    working_directory: str = ""

    @property
    def config(self) -> Path:
        return self.root / "config"

    @property
    def working(self) -> Path:
        """Terraform's working directory."""
        return self.config / _relative(self.working_directory)

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def states(self) -> Path:
        return self.root / "state"

    @property
    def state_file(self) -> Path:
        return self.states / self.workspace_name / "terraform.tfstate"

    @property
    def errored_state(self) -> Path:
        """The file in which Terraform saves a state that it could not write to the state file."""
        return self.working / "errored.tfstate"

    @property
    def initial_state(self) -> Path:
        return self.root / "initial.tfstate"

    @property
    def var_files(self) -> tuple[Path, Path]:
        """The files for the variables of the workspace and of the run."""
        return self.root / "workspace.tfvars", self.root / "run.tfvars"

    @property
    def plan_file(self) -> Path:
        return self.root / "plan.tfplan"

    @property
    def plan_json(self) -> Path:
        return self.root / "plan.json"

    @property
    def redacted_json(self) -> Path:
        return self.root / "redacted.json"

    @property
    def generated(self) -> Path:
        return self.root / "generated.tf"

    @property
    def reserve(self) -> Path:
        """The file that reserves disk space."""
        return self.root / "reserve"

    @property
    def output(self) -> Path:
        return self.root / "terraform.out"

    def set_up(
        self,
        archive: Path,
        state: bytes | None,
        *,
        needs_configuration: bool = True,
        is_canceled: Callable[[], bool] = lambda: False,
    ) -> None:
        """Replace the directory by a new one that contains the configuration and the state.

        Args:
            archive: the archive of the configuration.
            state: the current state of the workspace; None if it has none.
            needs_configuration: whether an empty working directory is an error. Its plan would destroy everything, and
                because of the override file, Terraform would not report that it is empty.
            is_canceled: polled while a large configuration is unpacked.

        Raises:
            BadArchive, ArchiveInterrupted: see `ArchiveProcesses.unpack`.
            BadWorkingDirectory: the working directory is invalid, missing or empty.
            OSError: the disk is full.
        """
        self.remove()
        for directory in (self.root, self.home, self.state_file.parent):
            directory.mkdir(parents=True, mode=0o700)
        ARCHIVES.unpack(archive, self.config, is_canceled)
        self._check_working_directory(needs_configuration=needs_configuration)
        self.errored_state.unlink(missing_ok=True)  # it may be part of the upload
        if state is not None:
            self.state_file.write_bytes(state)
            self.initial_state.write_bytes(state)

    def override_backend(self) -> None:
        """Override the backend or `cloud` block of the configuration, so that the state is in this directory.

        Terraform must be initialized afterwards. The override also applies if the configuration has no such block. The
        state is outside the configuration, so an uploaded `terraform.tfstate` is ignored.
        """
        default = self.states / "default" / "terraform.tfstate"
        backend = {"local": {"path": str(default), "workspace_dir": str(self.states)}}
        override = self.working / self._last_name()
        override.write_text(json.dumps({"terraform": {"backend": backend}}))

    def link_states(self) -> None:
        """Link the states to the location that Terraform uses if the configuration has no backend.

        Terraform need not be initialized afterwards. Source: Terraform, "Workspaces", "Workspace Internals".
        """
        (self.working / "terraform.tfstate.d").symlink_to(self.states)

    def new_state(self) -> State | None:
        """The state that Terraform wrote; None if it is unchanged or missing.

        If Terraform cannot write the state, for example because the disk is full, it writes `errored.tfstate`.

        Raises:
            BadState: the state file is damaged, and no other file contains a new state.
        """
        state = newest_state([self.state_file, self.errored_state])
        if state is not None and not (self.initial_state.exists() and state.raw == self.initial_state.read_bytes()):
            return state
        if not self.is_state_complete():
            raise BadState(
                "The state of the apply cannot be read: Terraform's state file is incomplete, as a full disk or a kill "
                "leaves it. Check which resources the apply created, and import them."
            )
        return None

    def left_state(self) -> bytes | None:
        """The content of the state file, complete or not; None if it is unchanged or missing."""
        state = newest_state([self.state_file, self.errored_state])
        if state is not None:
            raw = state.raw
        elif self.state_file.exists():
            raw = self.state_file.read_bytes()
        else:
            return None
        is_initial = self.initial_state.exists() and raw == self.initial_state.read_bytes()
        return None if is_initial else raw

    def is_state_complete(self) -> bool:
        """Whether all existing state files are complete."""
        files = (self.state_file, self.errored_state)
        return not any(path.exists() and newest_state([path]) is None for path in files)

    def create_reserve(self) -> None:
        """Reserve disk space, so that Terraform can save the state if the disk becomes full.

        Raises:
            OSError: the disk is already full.
        """
        state_bytes = self.state_file.stat().st_size if self.state_file.exists() else 0
        with self.reserve.open("wb") as file:
            file.write(bytes(max(_RESERVE_BYTES, 4 * state_bytes)))

    def free_reserve(self) -> None:
        """Free the reserved disk space if the disk has less free space than that."""
        with suppress(FileNotFoundError):
            disk = os.statvfs(self.root)
            if disk.f_bavail * disk.f_frsize < self.reserve.stat().st_size:
                self.reserve.unlink()

    def remove(self) -> None:
        """Remove the directory and its contents."""
        remove_tree(self.root)

    def _check_working_directory(self, *, needs_configuration: bool) -> None:
        try:
            real = Path(os.path.realpath(self.working))
            is_inside = real.is_dir() and real.is_relative_to(os.path.realpath(self.config))
        except OSError:  # a name that is too long
            is_inside = False
        if not is_inside:
            raise BadWorkingDirectory(
                f"The working directory {self.working_directory!r} does not exist in the configuration."
            )
        if needs_configuration and not any(path.name.endswith(_CONFIGURATION) for path in real.iterdir()):
            raise BadWorkingDirectory("The working directory contains no Terraform configuration files.")

    def _last_name(self) -> str:
        """A name for the override file that sorts after all others."""
        others = [os.fsencode(path.name) for path in self.working.iterdir() if path.name.endswith(_OVERRIDES)]
        name = _OVERRIDE
        while others and max(others) >= name.encode():
            name = _LAST_CHARACTER + name
        return name


def remove_tree(root: Path) -> None:
    """Remove a directory and its contents, including directories that a configuration made read-only."""
    shutil.rmtree(root, ignore_errors=True)
    if not root.is_dir():
        return
    with suppress(OSError):
        root.chmod(0o700)
    for directory, names, _ in os.walk(root):  # top down, so the mode is changed before a directory is read
        for path in (Path(directory, name) for name in names):
            if not path.is_symlink():
                with suppress(OSError):
                    path.chmod(0o700)
    shutil.rmtree(root, ignore_errors=True)


def state_after_failure(run_dir: RunDirectory, error: str | None) -> tuple[State | None, str | None]:
    """The state of a phase that failed (see `RunDirectory.new_state`), and its error, extended if the state is lost.

    Raises:
        OSError: the state cannot be read now.
    """
    try:
        return run_dir.new_state(), error
    except BadState as lost:
        return None, "\n\n".join(filter(None, (error, str(lost))))


def _relative(working_directory: str) -> PurePosixPath:
    if "\0" in working_directory:
        raise BadWorkingDirectory(f"The working directory {working_directory!r} contains a NUL character.")
    path = PurePosixPath(working_directory)
    if ".." in path.parts:
        raise BadWorkingDirectory(f"The working directory {working_directory!r} is outside the configuration.")
    return PurePosixPath(*path.parts[1:]) if path.is_absolute() else path
