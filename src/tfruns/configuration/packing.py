"""Packing of a directory into a configuration archive: a gzip tar, reproducible for the same files.

Source: HCP Terraform API, "Upload Configuration Files"; hashicorp/go-slug, which the Terraform CLI uses. Links within
the directory stay links. Differences from go-slug: a link that leads out of the directory is an error, not replaced by
its target; Terraform's own files (`.terraform/`, states) are always excluded; and files that likely contain secrets
are excluded unless they are requested.
"""

import gzip
import os
import stat
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from tfruns.configuration.allowed_directories import AllowedDirectory
from tfruns.configuration.directory import Directory
from tfruns.configuration.ignore import IGNORE_FILE, IgnoreRules, is_terraform_internal
from tfruns.configuration.likely_secrets import HEAD_BYTES, is_likely_secret, is_loaded_by_terraform
from tfruns.errors import InvalidInput

_CONFIGURATION = (".tf", ".tf.json", ".tofu", ".tofu.json")
_MAX_IGNORE_BYTES = 1 << 20
_FASTEST = 1  # go-slug's level
_MAX_NAMES = 1_000  # of packed files that are listed


@dataclass(frozen=True, slots=True)
class Limits:
    """Size limits of a configuration.

    Attributes:
        max_entries: number of files, directories and links.
        max_bytes: total size of all files, uncompressed.
        max_depth: depth of nested directories.
    """

    max_entries: int = 50_000
    max_bytes: int = 512 << 20
    max_depth: int = 100


@dataclass(frozen=True, slots=True)
class Excluded:
    """A file, link or directory that was not packed.

    Attributes:
        path: its path; that of a directory ends with a slash.
        reason: `ignored`, `terraform_internal`, `likely_secret` or `special`.
        rule: the rule of `.terraformignore`, if that is the reason.
    """

    path: str
    reason: str
    rule: str = ""


@dataclass(slots=True)
class Packed:
    """The result of packing.

    Attributes:
        files: number of packed files and links.
        bytes: total size of all files, uncompressed.
        excluded: number of excluded files, links and directories by reason (`ignored`, `terraform_internal`,
            `likely_secret`, `special`).
        names: the paths of packed files, at most 1,000.
        sizes: the size of each of them in bytes; 0 for a link.
        omitted: the excluded files, links and directories, at most 1,000.
        likely_secrets: the paths of files and links that were excluded because they likely contain secrets.
        variable_files: the paths of packed variable files that Terraform loads automatically.
        kept_below: directories that `.terraformignore` names without a trailing slash, so that their content was
            packed.
        configured: the directories that contain Terraform configuration.
    """

    files: int = 0
    bytes: int = 0
    excluded: dict[str, int] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    omitted: list[Excluded] = field(default_factory=list)
    likely_secrets: list[str] = field(default_factory=list)
    variable_files: list[str] = field(default_factory=list)
    kept_below: list[str] = field(default_factory=list)
    configured: set[PurePosixPath] = field(default_factory=set)


@contextmanager
def packed_directory(path: str | Path, *, include: Sequence[str] = ()) -> Iterator[BinaryIO]:
    """Pack a directory as the Terraform CLI does, for `client.configuration_versions.upload`.

        with tfruns.packed_directory("infrastructure") as archive:
            client.configuration_versions.upload(version, archive)

    The archive is a temporary file, which is deleted at the end of the block. Files that likely contain secrets are
    excluded.

    Args:
        path: the root of the configuration.
        include: paths of files to include although they likely contain secrets.

    Raises:
        InvalidInput: the directory cannot be read or packed, or contains no Terraform configuration.
    """
    with tempfile.TemporaryFile() as archive:
        with AllowedDirectory(Path(path).resolve(), Path()).open() as directory:
            packed = pack(directory, archive, include=include)
        if not packed.configured:
            raise InvalidInput(f"{str(path)!r} contains no Terraform configuration: no file that ends with .tf.")
        archive.flush()
        yield archive


def pack(directory: Directory, into: BinaryIO, limits: Limits | None = None, *, include: Sequence[str] = ()) -> Packed:
    """Pack a directory.

    Args:
        directory: the root of the configuration.
        into: the file to which the archive is written.
        limits: size limits; by default `Limits()`.
        include: paths of files to include although they likely contain secrets.

    Raises:
        InvalidInput: it is too large, a link leads out of it, a file or `.terraformignore` cannot be read, or a path to
            include is not a likely secret.
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
            cause="A file is not readable or was changed meanwhile, or the disk is full.",
            solution="Make the file readable, or exclude it in .terraformignore. Then upload it again.",
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
    """Adds the files of a configuration to an archive and counts them."""

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
        """Add the content of a directory. `prefix` is its path from the root: empty, or with a trailing slash."""
        if depth > self._limits.max_depth:
            raise InvalidInput(f"The directories are nested more than {self._limits.max_depth} levels deep.")
        found = directory.entries(most=self._limits.max_entries - self._entries)
        self._entries += len(found)
        if self._entries > self._limits.max_entries:
            raise self._too_large(f"more than {self._limits.max_entries} files, directories and links")
        for name, status in found:
            path = prefix + name
            if is_terraform_internal(name):
                self._exclude(path + "/" * stat.S_ISDIR(status.st_mode), "terraform_internal")
            elif stat.S_ISDIR(status.st_mode):
                self._add_directory(directory, name, path, status, depth)
            elif self._rules.excludes(path):
                self._exclude(path, "ignored", self._rules.rule_for(path))
            elif stat.S_ISREG(status.st_mode):
                self._add_file(directory, name, path)
            elif stat.S_ISLNK(status.st_mode):
                self._add_link(directory, name, path, status)
            else:
                self._exclude(path, "special")

    def _add_directory(self, parent: Directory, name: str, path: str, status: os.stat_result, depth: int) -> None:
        if self._rules.excludes_all_below(f"{path}/"):
            self._exclude(f"{path}/", "ignored", self._rules.rule_for(f"{path}/"))
            return
        if not self._rules.excludes(f"{path}/"):
            if self._rules.excludes(path):
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
        self._count(path, status.st_size)

    def _add_link(self, directory: Directory, name: str, path: str, status: os.stat_result) -> None:
        if self._is_withheld(path):
            return
        header = _header(path, tarfile.SYMTYPE, status)
        header.linkname = self._inside(path, directory.link_target(name))
        self._tar.addfile(header)
        self._count(path, 0)

    def _is_withheld(self, path: str, head: bytes = b"") -> bool:
        """Whether a file is excluded because it likely contains secrets and was not requested."""
        if not is_likely_secret(path, head):
            return False
        if path in self._include:
            self._included.add(path)
            return False
        self.packed.likely_secrets.append(path)
        self._exclude(path, "likely_secret")
        return True

    def check_all_included(self) -> None:
        """Check that each requested path is a likely secret that was included.

        Raises:
            InvalidInput: a path is not.
        """
        if unknown := sorted(self._include - self._included):
            raise InvalidInput(
                f"{', '.join(map(repr, unknown[:5]))} cannot be included: it is not a file that is excluded as a "
                "likely secret.",
                cause=f"It is missing, is uploaded anyway, is excluded by {IGNORE_FILE}, or is Terraform's own.",
                solution="Use a path relative to the directory, as listed in the result of an upload.",
            )

    def _inside(self, path: str, target: str) -> str:
        """The relative target of a link, if both its text and its real path are within the root."""
        parent = (self._root / path).parent
        end = os.path.normpath(parent / target)
        real = os.path.realpath(self._root / path)
        if not all(Path(target_path).is_relative_to(self._root) for target_path in (end, real)):
            raise InvalidInput(
                f"The link {path!r} leads out of the directory.",
                cause="HCP Terraform refuses such a link, because its target is not uploaded.",
                solution=f"Replace it with a copy, upload a parent directory, or exclude it in {IGNORE_FILE}.",
            )
        return Path(os.path.relpath(end, parent) if Path(target).is_absolute() else target).as_posix()

    def _count(self, path: str, size: int) -> None:
        self.packed.files += 1
        if len(self.packed.names) < _MAX_NAMES:
            self.packed.names.append(path)
            self.packed.sizes.append(size)
        if is_loaded_by_terraform(path):
            self.packed.variable_files.append(path)
        file = PurePosixPath(path)
        if file.name.endswith(_CONFIGURATION):
            self.packed.configured.add(file.parent)

    def _exclude(self, path: str, why: str, rule: str = "") -> None:
        self.packed.excluded[why] = self.packed.excluded.get(why, 0) + 1
        if len(self.packed.omitted) < _MAX_NAMES:
            self.packed.omitted.append(Excluded(path, why, rule))

    def _too_large(self, what: str) -> InvalidInput:
        return InvalidInput(
            f"The directory is too large for a configuration: {what}.",
            cause="It contains more than Terraform configuration.",
            solution=f"Choose a smaller directory, or exclude files in {IGNORE_FILE}.",
        )


def _header(path: str, kind: bytes, status: os.stat_result) -> tarfile.TarInfo:
    """The header of an entry, without its owner."""
    header = tarfile.TarInfo(path)
    header.type = kind
    header.mode = stat.S_IMODE(status.st_mode) & 0o777
    header.mtime = max(0, int(status.st_mtime))
    return header
