"""The directories that may be packed: those allowed when the program was started, and their subdirectories."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tfruns.configuration.directory import Directory
from tfruns.errors import InvalidInput, RefusedByMode


def resolve_allowed(names: Sequence[Path]) -> tuple[Path, ...]:
    """Resolve the allowed directories to absolute paths without links.

    Raises:
        InvalidInput: a path is not a directory.
    """
    found = tuple(Path(os.path.realpath(name)) for name in names)
    for name, path in zip(names, found, strict=True):
        if not path.is_dir():
            raise InvalidInput(
                f"{str(name)!r} is not a directory.",
                solution="Use the path of an existing directory.",
            )
    return found


@dataclass(frozen=True, slots=True)
class AllowedDirectory:
    """A directory that may be packed: an allowed one, and the path below it."""

    allowed: Path
    below: Path

    @property
    def path(self) -> Path:
        return self.allowed / self.below

    @contextmanager
    def open(self) -> Iterator[Directory]:
        """Open the directory without following links.

        Raises:
            InvalidInput: it does not exist, is not a directory, or cannot be read.
        """
        with ExitStack() as stack:
            directory = Directory(self.allowed)
            try:
                for name in (str(self.allowed), *self.below.parts):
                    directory = stack.enter_context(directory.enter(name))
            except OSError as error:
                problem = error.strerror or str(error)
                raise InvalidInput(f"The directory cannot be read: {problem}.", solution=_NAME_ONE) from None
            yield directory


_NAME_ONE = "Use the absolute path of the directory that contains the configuration."


def locate(directory: str, allowed: Sequence[Path]) -> AllowedDirectory:
    """Find the allowed directory that contains a directory. Other directories are not accessed.

    Args:
        directory: an absolute path.
        allowed: the allowed directories, resolved.

    Raises:
        RefusedByMode: it is not in an allowed directory, or none is allowed.
        InvalidInput: the path is not absolute, or is malformed.
    """
    if not allowed:
        raise RefusedByMode(
            "Uploads are not allowed.",
            cause="The server was started without --allow-dir. Nothing was sent.",
            solution="Ask the person who runs the server to restart it with `--allow-dir DIRECTORY`.",
        )
    names = ", ".join(map(str, allowed))
    if not directory or "\0" in directory or not Path(directory).is_absolute():
        raise InvalidInput("directory must be an absolute path.", solution=f"{_NAME_ONE} Allowed directories: {names}.")
    real = Path(os.path.realpath(directory))
    for root in allowed:
        if real.is_relative_to(root):
            return AllowedDirectory(root, real.relative_to(root))
    raise RefusedByMode(
        "Uploads from this directory are not allowed.",
        cause=f"It is not in an allowed directory ({names}). Nothing was sent.",
        solution="Choose an allowed directory, or ask the person who runs the server to allow it with --allow-dir.",
    )
