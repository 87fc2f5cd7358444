"""What `tfruns config upload` would upload, and what it would not, and why. Nothing is sent."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tfruns.cli.tables import Column, print_table
from tfruns.cli.terminal import say
from tfruns.configuration.allowed_directories import locate, resolve_allowed
from tfruns.configuration.packing import Packed, pack
from tfruns.views.base import View
from tfruns.wording import counted

_COLUMNS = (
    Column("upload", is_key=True),
    Column("bytes", is_key=True),
    Column("path", is_key=True),
    Column("reason", shrinks=True),
)
_REASONS = {
    "terraform_internal": "file of Terraform itself",
    "likely_secret": "likely contains secrets; --include uploads it",
    "special": "not a file, directory or link",
}


@dataclass(frozen=True, slots=True)
class PreviewRow(View):
    """A file, link or directory.

    Attributes:
        reason: why it is excluded; for an ignored one, the rule.
    """

    path: str
    upload: bool
    bytes: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PreviewView(View):
    """The content of an upload.

    Attributes:
        packed_bytes: the size of the archive.
    """

    ROWS = "rows"

    files: int
    bytes: int
    packed_bytes: int
    rows: tuple[PreviewRow, ...] = ()
    note: str = ""


def preview(directory: Path, include: Sequence[str]) -> PreviewView:
    """Pack a directory into a temporary file, and tell what is in it.

    Raises:
        InvalidInput: it cannot be packed.
    """
    place = locate(str(directory.absolute()), resolve_allowed([directory]))
    with tempfile.TemporaryFile() as archive, place.open() as opened:
        packed = pack(opened, archive, include=include)
        size = archive.seek(0, 2)
    return PreviewView(
        files=packed.files,
        bytes=packed.bytes,
        packed_bytes=size,
        rows=tuple(_rows(packed)),
        note=" ".join(_notes(packed)),
    )


def _rows(packed: Packed) -> Iterator[PreviewRow]:
    for path, size in zip(packed.names, packed.sizes, strict=True):
        yield PreviewRow(path, upload=True, bytes=size)
    for found in packed.omitted:
        yield PreviewRow(found.path, upload=False, reason=found.rule or _REASONS.get(found.reason, found.reason))


def _notes(packed: Packed) -> Iterator[str]:
    shown, hidden = len(packed.names), sum(packed.excluded.values()) - len(packed.omitted)
    if packed.files > shown:
        yield f"Only the first {counted(shown, 'file')} are listed."
    if hidden > 0:
        yield f"{counted(hidden, 'more excluded entry', 'more excluded entries')} are not listed."
    if not packed.configured:
        yield "None of the files is Terraform configuration: an upload would be refused."


def print_preview(view: PreviewView) -> None:
    """Print the content of an upload."""
    print_table(_COLUMNS, ((row.upload, row.bytes, row.path, row.reason or None) for row in view.rows))
    say(f"{counted(view.files, 'file')}, {view.bytes:,} bytes; {view.packed_bytes:,} bytes packed. Nothing was sent.")
    if view.note:
        say(view.note)
