"""A directory as HCP Terraform takes a configuration: a gzip tar, the same for the same files.

Source: HCP Terraform API, "Upload Configuration Files"; hashicorp/go-slug, which the Terraform CLI packs with. Links
inside of the directory stay links. What differs: a link that leads out is an error, and not replaced by what it leads
to; Terraform's own files (`.terraform/`, states) are left out whatever `.terraformignore` says; and files that likely
hold secrets are left out unless they are asked for.
"""

import gzip
import os
import stat
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from tfruns.configuration.directory import Directory
from tfruns.configuration.ignore import IGNORE_FILE, IgnoreRules, is_terraforms_own
from tfruns.configuration.likely_secrets import HEAD_BYTES, is_likely_secret, is_loaded_by_terraform
from tfruns.errors import InvalidInput

_CONFIGURATION = (".tf", ".tf.json", ".tofu", ".tofu.json")
_MAX_IGNORE_BYTES = 1 << 20
_FASTEST = 1  # go-slug's level
_MAX_NAMES = 1_000  # of packed files that are kept


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a configuration may be.

    Attributes:
        max_entries: files, directories and links that are looked at.
        max_bytes: of all files, before they are packed.
        max_depth: directories in one another.
    """

    max_entries: int = 50_000
    max_bytes: int = 512 << 20
    max_depth: int = 100


@dataclass(slots=True)
class Packed:
    """What was packed, and what was not.

    Attributes:
        files: files and links.
        bytes: of all files, before they were packed.
        left_out: files, links and whole directories that were left out, counted by why (`ignored`, `terraforms_own`,
            `likely_secret`, `special`).
        names: the paths of what was packed; the first thousand.
        likely_secrets: the paths of files and links that were left out since they likely hold secrets.
        variable_files: the paths of packed variable files that Terraform loads by itself.
        kept_below: directories whose name `.terraformignore` has without a slash: what is in them was packed.
        configured: the directories that hold Terraform configuration.
    """

    files: int = 0
    bytes: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    likely_secrets: list[str] = field(default_factory=list)
    variable_files: list[str] = field(default_factory=list)
    kept_below: list[str] = field(default_factory=list)
    configured: set[PurePosixPath] = field(default_factory=set)


def pack(directory: Directory, into: BinaryIO, limits: Limits | None = None, *, include: Sequence[str] = ()) -> Packed:
    """Pack a directory.

    Args:
        directory: the root of the configuration.
        into: where the archive is written to.
        limits: how large it may be.
        include: the paths of files that go although they likely hold secrets.

    Raises:
        InvalidInput: it is too large, a link leads out of it, `.terraformignore` cannot be read, or something in it; or
            a path to include is of no such file.
    """
    try:
        with (
            gzip.GzipFile(fileobj=into, mode="wb", filename="", compresslevel=_FASTEST, mtime=0) as zipped,
            tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT, encoding="utf-8") as tar,
        ):
            packer = _Packer(tar, _ignore_rules(directory), limits or Limits(), directory.path, include)
            packer.add_all(directory, "", depth=1)
    except OSError as error:
        name = f"{error.filename!r}: " if error.filename else ""
        raise InvalidInput(
            f"The directory cannot be packed: {name}{error.strerror or error}.",
            cause="Something in it cannot be read, or was changed meanwhile; or there is no room for the archive.",
            solution="Make it readable, or name it in .terraformignore; then call again.",
        ) from None
    packer.check_all_included()
    return packer.packed


def _ignore_rules(directory: Directory) -> IgnoreRules:
    try:
        with directory.open(IGNORE_FILE) as file:
            content = file.read(_MAX_IGNORE_BYTES + 1)
    except FileNotFoundError:
        return IgnoreRules()
    if len(content) > _MAX_IGNORE_BYTES:
        raise InvalidInput(f"{IGNORE_FILE} is larger than {_MAX_IGNORE_BYTES} bytes.")
    return IgnoreRules(content.decode("utf-8", "surrogateescape"))


class _Packer:
    """Adds what belongs to a configuration to an archive, and keeps count."""

    def __init__(
        self, tar: tarfile.TarFile, rules: IgnoreRules, limits: Limits, root: Path, include: Sequence[str]
    ) -> None:
        self.packed = Packed()
        self._include = {str(PurePosixPath(path)) for path in include}
        self._included: set[str] = set()
        self._tar = tar
        self._rules = rules
        self._limits = limits
        self._root = root
        self._entries = 0

    def add_all(self, directory: Directory, prefix: str, *, depth: int) -> None:
        """Add what is in a directory. `prefix` is its path from the root, with a slash at the end if it has any."""
        if depth > self._limits.max_depth:
            raise InvalidInput(f"The directories are nested more than {self._limits.max_depth} deep.")
        found = directory.entries(most=self._limits.max_entries - self._entries)
        self._entries += len(found)
        if self._entries > self._limits.max_entries:
            raise self._too_large(f"more than {self._limits.max_entries} files, directories and links")
        for name, status in found:
            path = prefix + name
            if is_terraforms_own(name):
                self._leave_out("terraforms_own")
            elif stat.S_ISDIR(status.st_mode):
                self._add_directory(directory, name, path, status, depth)
            elif self._rules.leave_out(path):
                self._leave_out("ignored")
            elif stat.S_ISREG(status.st_mode):
                self._add_file(directory, name, path)
            elif stat.S_ISLNK(status.st_mode):
                self._add_link(directory, name, path, status)
            else:
                self._leave_out("special")

    def _add_directory(self, parent: Directory, name: str, path: str, status: os.stat_result, depth: int) -> None:
        if self._rules.leave_out_all_below(f"{path}/"):
            self._leave_out("ignored")
            return
        if not self._rules.leave_out(f"{path}/"):
            if self._rules.leave_out(path):
                self.packed.kept_below.append(path)
            else:
                self._tar.addfile(_header(path, tarfile.DIRTYPE, status))
        with parent.enter(name) as directory:
            self.add_all(directory, f"{path}/", depth=depth + 1)

    def _add_file(self, directory: Directory, name: str, path: str) -> None:
        with directory.open(name) as file:
            head = file.read(HEAD_BYTES)
            file.seek(0)
            if self._is_withheld(path, head):
                return
            status = os.fstat(file.fileno())
            self.packed.bytes += status.st_size
            if self.packed.bytes > self._limits.max_bytes:
                raise self._too_large(f"more than {self._limits.max_bytes >> 20} MB of files")
            header = _header(path, tarfile.REGTYPE, status)
            header.size = status.st_size
            self._tar.addfile(header, file)
        self._count(path)

    def _add_link(self, directory: Directory, name: str, path: str, status: os.stat_result) -> None:
        if self._is_withheld(path):
            return
        header = _header(path, tarfile.SYMTYPE, status)
        header.linkname = self._inside(path, directory.link_target(name))
        self._tar.addfile(header)
        self._count(path)

    def _is_withheld(self, path: str, head: bytes = b"") -> bool:
        """Whether a file is left out since it likely holds secrets, and nobody asked for it."""
        if not is_likely_secret(path, head):
            return False
        if path in self._include:
            self._included.add(path)
            return False
        self.packed.likely_secrets.append(path)
        self._leave_out("likely_secret")
        return True

    def check_all_included(self) -> None:
        """Refuse what was asked for and is not among the files that would be left out as likely secrets.

        Raises:
            InvalidInput: there is such a path.
        """
        if unknown := sorted(self._include - self._included):
            raise InvalidInput(
                f"{', '.join(map(repr, unknown[:5]))} cannot be included: no file at this path would "
                "be left out as a likely secret.",
                cause=f"It is missing, goes anyway, is named in {IGNORE_FILE}, or is Terraform's own.",
                solution="Give paths relative to the directory, as the answer of an upload lists them.",
            )

    def _inside(self, path: str, target: str) -> str:
        """The target of a link, relative to it, if it is inside of the root: by its text, and in fact."""
        parent = (self._root / path).parent
        end = os.path.normpath(parent / target)
        real = os.path.realpath(self._root / path)
        if not all(Path(place).is_relative_to(self._root) for place in (end, real)):
            raise InvalidInput(
                f"The link {path!r} leads out of the directory.",
                cause="HCP Terraform refuses such a link: what it leads to is not there.",
                solution=f"Put a copy in its place, choose a directory that holds both, or name it in {IGNORE_FILE}.",
            )
        return Path(os.path.relpath(end, parent) if Path(target).is_absolute() else target).as_posix()

    def _count(self, path: str) -> None:
        self.packed.files += 1
        if len(self.packed.names) < _MAX_NAMES:
            self.packed.names.append(path)
        if is_loaded_by_terraform(path):
            self.packed.variable_files.append(path)
        place = PurePosixPath(path)
        if place.name.endswith(_CONFIGURATION):
            self.packed.configured.add(place.parent)

    def _leave_out(self, why: str) -> None:
        self.packed.left_out[why] = self.packed.left_out.get(why, 0) + 1

    def _too_large(self, what: str) -> InvalidInput:
        return InvalidInput(
            f"The directory is too large for a configuration: {what}.",
            cause="It holds more than Terraform configuration.",
            solution=f"Choose a smaller directory, or name in {IGNORE_FILE} what does not belong to it.",
        )


def _header(path: str, kind: bytes, status: os.stat_result) -> tarfile.TarInfo:
    """The header of an entry, without who owns it."""
    header = tarfile.TarInfo(path)
    header.type = kind
    header.mode = stat.S_IMODE(status.st_mode) & 0o777
    header.mtime = max(0, int(status.st_mtime))
    return header
