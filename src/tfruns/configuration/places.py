"""Which directories may be packed: those that whoever started the program has allowed, and what is below them."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tfruns.configuration.directory import Directory
from tfruns.errors import InvalidInput, RefusedByMode


def resolve_allowed(names: Sequence[Path]) -> tuple[Path, ...]:
    """The allowed directories, absolute and without links.

    Raises:
        InvalidInput: one is no directory.
    """
    found = tuple(Path(os.path.realpath(name)) for name in names)
    for name, path in zip(names, found, strict=True):
        if not path.is_dir():
            raise InvalidInput(f"{str(name)!r} cannot be allowed: it is no directory.")
    return found


@dataclass(frozen=True, slots=True)
class Place:
    """A directory that may be packed: an allowed one, and the way from there."""

    allowed: Path
    below: Path

    @property
    def path(self) -> Path:
        return self.allowed / self.below

    @contextmanager
    def open(self) -> Iterator[Directory]:
        """Open it, without following a link on the way.

        Raises:
            InvalidInput: it is not there, no directory, or cannot be read.
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


_NAME_ONE = "Name the directory that holds the configuration by its absolute path."


def locate(directory: str, allowed: Sequence[Path]) -> Place:
    """Where a directory is, if it may be packed. What is elsewhere is not even looked for.

    Args:
        directory: its absolute path.
        allowed: the allowed directories, resolved.

    Raises:
        RefusedByMode: it is not in an allowed directory, or there is none.
        InvalidInput: its path is not absolute, or cannot be one.
    """
    if not allowed:
        raise RefusedByMode(
            "No directory may be uploaded.",
            cause="The server was started without --allow-dir. Nothing was sent.",
            solution="Ask the person who runs the server to start it with `--allow-dir DIRECTORY`.",
        )
    names = ", ".join(map(str, allowed))
    if not directory or "\0" in directory or not Path(directory).is_absolute():
        raise InvalidInput(
            "directory has to be an absolute path.", solution=f"{_NAME_ONE} Allowed is what is in: {names}."
        )
    real = Path(os.path.realpath(directory))
    for root in allowed:
        if real.is_relative_to(root):
            return Place(root, real.relative_to(root))
    raise RefusedByMode(
        "This directory may not be uploaded.",
        cause=f"The server was started for directories in: {names}. Nothing was sent.",
        solution="Choose one of these, or ask the person who runs the server to allow it with --allow-dir.",
    )
