"""A run's own directory: configuration, state, plan and variables, from the plan until the apply has ended.

config/                          the configuration, with our override, or a link to state/, in the working directory
home/                            HOME of what runs
state/NAME/terraform.tfstate     the state of the workspace NAME, where Terraform's local backend looks for it
initial.tfstate                  the state that was put in
workspace.tfvars, run.tfvars     variables, in the order of precedence
plan.tfplan                      what is applied
plan.json, redacted.json         the plan for readers
cli.tfrc, trusted.pem            the Terraform CLI configuration, with the run's own token, and certificates
reserve                          room for the state of an apply, should the disk be full
generated.tf                     configuration that Terraform has written for imports
terraform.out, terraform.pid     output and process of the command that runs, or ran last
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

# The last of all override files counts, and `~` sorts behind all letters.
_OVERRIDE = "~tfruns_override.tf.json"
_OVERRIDES = ("override.tf", "override.tf.json", "override.tofu", "override.tofu.json")
_LAST_CHARACTER = "\U0010ffff"
_RESERVE_BYTES = 1 << 18
_CONFIGURATION = (".tf", ".tf.json", ".tofu", ".tofu.json")


class BadWorkingDirectory(ValueError):
    """The configuration has no such working directory, or nothing in it."""


@dataclass(frozen=True)
class RunDirectory:
    """The directory of a run. It has to stay where it is from the plan to the apply.

    Attributes:
        root: its absolute path.
        workspace_name: `terraform.workspace` in the configuration, as in HCP Terraform.
        working_directory: where in the configuration Terraform runs.
    """

    root: Path
    workspace_name: str
    working_directory: str = ""

    @property
    def config(self) -> Path:
        return self.root / "config"

    @property
    def working(self) -> Path:
        """Where Terraform runs."""
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
        """Where Terraform puts a state that it could not put where it belongs."""
        return self.working / "errored.tfstate"

    @property
    def initial_state(self) -> Path:
        return self.root / "initial.tfstate"

    @property
    def var_files(self) -> tuple[Path, Path]:
        """Those of the workspace's and of the run's variables."""
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
        """Room on the disk that is given back when there is no other left."""
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
        """Make the directory anew, with the configuration and the state in it.

        Args:
            archive: the configuration.
            state: the workspace's current state, if it has one.
            needs_configuration: whether an empty working directory is an error. It would plan to destroy everything,
                and the override hides from Terraform that it is empty.
            is_canceled: asked while a large configuration is unpacked.

        Raises:
            BadArchive, ArchiveInterrupted: see `ArchiveProcesses.unpack`.
            BadWorkingDirectory: the configuration does not have it, or it is empty.
            OSError: the disk is full.
        """
        self.remove()
        for directory in (self.root, self.home, self.state_file.parent):
            directory.mkdir(parents=True, mode=0o700)
        ARCHIVES.unpack(archive, self.config, is_canceled)
        self._check_working_directory(needs_configuration=needs_configuration)
        self.errored_state.unlink(missing_ok=True)  # one that was uploaded is none of this run's
        if state is not None:
            self.state_file.write_bytes(state)
            self.initial_state.write_bytes(state)

    def override_backend(self) -> None:
        """Put the state where we want it, whatever backend, or HCP Terraform, the configuration names.

        Terraform has to be initialized then. Without a block to override it is simply the backend. A path outside keeps
        a `terraform.tfstate` that was uploaded out of the way.
        """
        default = self.states / "default" / "terraform.tfstate"
        backend = {"local": {"path": str(default), "workspace_dir": str(self.states)}}
        override = self.working / self._last_name()
        override.write_text(json.dumps({"terraform": {"backend": backend}}))

    def link_states(self) -> None:
        """Put the states where Terraform looks for them where the configuration names no backend.

        Terraform need not be initialized then. Source: Terraform, "Workspaces", "Workspace Internals".
        """
        (self.working / "terraform.tfstate.d").symlink_to(self.states)

    def new_state(self) -> State | None:
        """The state as Terraform has left it; None if it is still the one that was put in, or there is none.

        Where Terraform could not write the state (a full disk), it leaves `errored.tfstate`; where the file is cut
        off, the one before stands.

        Raises:
            BadState: Terraform has left a file in which there is no state, and no new one beside it.
        """
        state = newest_state([self.state_file, self.errored_state])
        if state is not None and not (self.initial_state.exists() and state.raw == self.initial_state.read_bytes()):
            return state
        if not self.is_state_whole():
            raise BadState("Terraform's state file is damaged, as a full disk or a kill in mid-write leaves it.")
        return None

    def left_state(self) -> bytes | None:
        """The bytes of the state as Terraform has left it, complete or not; None if it is the one that was put in."""
        state = newest_state([self.state_file, self.errored_state])
        if state is not None:
            raw = state.raw
        elif self.state_file.exists():
            raw = self.state_file.read_bytes()
        else:
            return None
        is_initial = self.initial_state.exists() and raw == self.initial_state.read_bytes()
        return None if is_initial else raw

    def is_state_whole(self) -> bool:
        """Whether there is no state file, at this moment, that is only half written."""
        files = (self.state_file, self.errored_state)
        return not any(path.exists() and newest_state([path]) is None for path in files)

    def reserve_room(self) -> None:
        """Set room aside, so that Terraform can still save the state when the disk is full.

        Raises:
            OSError: it is full already.
        """
        state_bytes = self.state_file.stat().st_size if self.state_file.exists() else 0
        with self.reserve.open("wb") as file:
            file.write(bytes(max(_RESERVE_BYTES, 4 * state_bytes)))

    def give_room(self) -> None:
        """Give the reserve back if the disk is about to be full: what is left may be too little for the state."""
        with suppress(FileNotFoundError):
            disk = os.statvfs(self.root)
            if disk.f_bavail * disk.f_frsize < self.reserve.stat().st_size:
                self.reserve.unlink()

    def remove(self) -> None:
        """Remove the directory and all that is in it."""
        remove_tree(self.root)

    def _check_working_directory(self, *, needs_configuration: bool) -> None:
        try:
            real = Path(os.path.realpath(self.working))
            is_inside = real.is_dir() and real.is_relative_to(os.path.realpath(self.config))
        except OSError:  # a name that is too long
            is_inside = False
        if not is_inside:
            raise BadWorkingDirectory(f"The configuration has no directory {self.working_directory!r}.")
        if needs_configuration and not any(path.name.endswith(_CONFIGURATION) for path in real.iterdir()):
            raise BadWorkingDirectory("The working directory has no Terraform configuration files.")

    def _last_name(self) -> str:
        """The name of an override file that comes after all others."""
        others = [os.fsencode(path.name) for path in self.working.iterdir() if path.name.endswith(_OVERRIDES)]
        name = _OVERRIDE
        while others and max(others) >= name.encode():
            name = _LAST_CHARACTER + name
        return name


def remove_tree(root: Path) -> None:
    """Remove a directory with all that is in it, also from directories that a configuration made read-only."""
    shutil.rmtree(root, ignore_errors=True)
    if not root.is_dir():
        return
    with suppress(OSError):
        root.chmod(0o700)
    for directory, names, _ in os.walk(root):  # into each one only after its mode was changed
        for path in (Path(directory, name) for name in names):
            if not path.is_symlink():
                with suppress(OSError):
                    path.chmod(0o700)
    shutil.rmtree(root, ignore_errors=True)


def state_after_failure(run_dir: RunDirectory, error: str | None) -> tuple[State | None, str | None]:
    """The new state, as `new_state`; and the error, which says so where there is none that is whole.

    Raises:
        OSError: it cannot be read at the moment.
    """
    try:
        return run_dir.new_state(), error
    except BadState as lost:
        return None, "\n\n".join(filter(None, (error, str(lost))))


def _relative(working_directory: str) -> PurePosixPath:
    if "\0" in working_directory:
        raise BadWorkingDirectory(f"The working directory {working_directory!r} has a NUL character.")
    path = PurePosixPath(working_directory)
    if ".." in path.parts:
        raise BadWorkingDirectory(f"The working directory {working_directory!r} leads out of the configuration.")
    return PurePosixPath(*path.parts[1:]) if path.is_absolute() else path
