"""Uploaded configurations: untrusted, gzip-compressed tar archives.

Source: HCP Terraform API, "Upload Configuration Files". Archives of go-slug, pytfe and `tar` are accepted. An archive
is rejected if an entry is outside the directory, or if a small upload unpacks to a large size.

`slug_process` runs this file as a program that reads each archive in a separate process with limits. So this module
imports only the standard library.
"""

import errno
import gzip
import json
import os
import resource
import shutil
import signal
import socket
import sys
import tarfile
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import RawIOBase
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp
from typing import IO, Any

MAX_UNPACKED_BYTES = 2 << 30
MAX_ENTRIES = 200_000

MAX_PATH_BYTES = 2048
MAX_NAME_BYTES = 255
MAX_DEPTH = 100
MAX_LONG_HEADER_BYTES = 64 * 1024  # a long name or PAX records, which tarfile reads into memory

# The compression ratio of a text configuration is rarely above 20; that of a decompression bomb is up to 1000.
MAX_RATIO = 100
_RATIO_FREE_BYTES = 32 << 20

_CHUNK_BYTES = 1 << 20
_TAR_BLOCK_BYTES = 512
_HEADERS_PER_ENTRY = 8  # blocks; long names and PAX records precede the header of an entry
_LONG_HEADERS = {
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
}
_SHOWN_CHARACTERS = 100

# The backend that `terraform init` recorded, and the selected CLI workspace. Both would override those of the run.
_EXCLUDED = {"terraform.tfstate", "environment"}

_TOO_LARGE = "its unpacked size is too large for an archive of this size"
_NAME_ERRORS = {errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.EINVAL, errno.ELOOP, errno.EILSEQ}

SUCCESS, BAD_ARCHIVE, SYSTEM_ERROR = 0, 3, 4  # the codes of a response
MEMORY_BYTES = 512 << 20


class BadArchive(ValueError):
    """The archive is damaged or too large, or contains an entry that is not allowed. The message is the reason."""


def check(archive: Path, *, max_unpacked_bytes: int = MAX_UNPACKED_BYTES, max_entries: int = MAX_ENTRIES) -> None:
    """Read the entire archive without writing anything.

    Raises:
        BadArchive: the archive is invalid.
    """
    with _reading(archive, max_unpacked_bytes, max_entries) as entries:
        for name, member, content in entries:
            if member.issym():
                _check_link(name, member.linkname)
            for _ in _chunks(member, content):
                pass


def unpack(
    archive: Path, into: Path, *, max_unpacked_bytes: int = MAX_UNPACKED_BYTES, max_entries: int = MAX_ENTRIES
) -> None:
    """Unpack the archive to a new directory, which does not exist after a failure.

    Files are readable only by their owner; of their mode, only "executable" is kept.

    Raises:
        BadArchive: the archive is invalid, or a link points outside the directory.
        OSError: the disk is full, or the directory is not writable.
    """
    temporary = Path(mkdtemp(dir=into.parent, prefix=_unfinished(into)))
    try:
        with _reading(archive, max_unpacked_bytes, max_entries) as entries:
            links = _write_entries(entries, temporary)
        _make_links(links, temporary)
        temporary.rename(into)
    except OSError as error:
        if error.errno in _NAME_ERRORS:
            raise BadArchive(f"an entry has a name that the server cannot write: {error.strerror}") from None
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _unfinished(into: Path) -> str:
    return f".{into.name}-"


def remove_unfinished(into: Path) -> None:
    """Remove the incomplete directories of an `unpack` that was killed."""
    for path in into.parent.glob(f"{_unfinished(into)}*"):
        shutil.rmtree(path, ignore_errors=True)


# -- reading ----------------------------------------------------------------------------------------------------------

_Entry = tuple[PurePosixPath, tarfile.TarInfo, IO[bytes] | None]


class _Member(tarfile.TarInfo):
    """A header that is checked before tarfile uses it.

    With a negative size, which PAX records allow, tarfile would read the same entry in an endless loop.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_Member":
        member = super().frombuf(buf, encoding, errors)
        if member.type in _LONG_HEADERS and member.size > MAX_LONG_HEADER_BYTES:
            raise BadArchive(f"a header is larger than {MAX_LONG_HEADER_BYTES} bytes")
        if member.type == tarfile.GNUTYPE_SPARSE:
            raise BadArchive(f"{_shown(member.name)} is a sparse file")
        return member

    @property
    def size(self) -> int:
        return self._size

    @size.setter
    def size(self, size: int) -> None:
        if size < 0:
            raise BadArchive("an entry has a negative size")
        self._size = size


class _Capped(RawIOBase):
    """A stream with a maximum size, which also keeps the result of the last read."""

    def __init__(self, stream: gzip.GzipFile, max_bytes: int) -> None:
        self._stream = stream
        self._max_bytes = max_bytes
        self.last = b""

    def read(self, size: int = -1) -> bytes:
        # A forged header can specify any size, so the limit is checked before anything is unpacked.
        if self._stream.tell() + max(size, 0) > self._max_bytes:
            raise BadArchive(_TOO_LARGE)
        self.last = self._stream.read(size)
        return self.last

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if offset > self._max_bytes:
            raise BadArchive(_TOO_LARGE)
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()


@contextmanager
def _reading(archive: Path, max_unpacked_bytes: int, max_entries: int) -> Iterator[Iterator[_Entry]]:
    """The entries of an archive, in order. An error in the format of the archive raises BadArchive."""
    max_bytes = max_unpacked_bytes + max_entries * _TAR_BLOCK_BYTES * _HEADERS_PER_ENTRY + tarfile.RECORDSIZE
    try:
        max_bytes = min(max_bytes, max(_RATIO_FREE_BYTES, MAX_RATIO * archive.stat().st_size))
        with gzip.open(archive, "rb") as unzipped:
            stream: Any = _Capped(unzipped, max_bytes)
            with tarfile.open(fileobj=stream, mode="r:", tarinfo=_Member) as tar:
                yield _entries(tar, max_unpacked_bytes, max_entries)
            if stream.last.strip(b"\0"):  # tarfile treats an unreadable header as the end
                raise BadArchive("it is damaged: the header of an entry is unreadable")
            while stream.read(_CHUNK_BYTES):
                pass  # the checksum follows at the end
    except FileNotFoundError:
        raise BadArchive("its files were deleted") from None
    except BadArchive:
        raise
    except RecursionError:
        raise BadArchive("an entry has too many headers") from None
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError, OverflowError) as error:
        raise BadArchive(f"it is damaged or not a gzip-compressed tar archive: {error}") from None


def _entries(tar: tarfile.TarFile, max_unpacked_bytes: int, max_entries: int) -> Iterator[_Entry]:
    total_bytes = 0
    directories: set[str] = set()
    for count, member in enumerate(tar, start=1):
        _add_directories(directories, member.name)
        if max(count, len(directories)) > max_entries:
            raise BadArchive(f"it contains more than {max_entries} entries")
        total_bytes += member.size
        if total_bytes > max_unpacked_bytes:
            raise BadArchive(f"it is larger than {max_unpacked_bytes} bytes when unpacked")
        _check_kind(member)
        name = _inside(member.name)
        if name.parts and not (name.name in _EXCLUDED and name.parent.name == ".terraform"):
            yield name, member, tar.extractfile(member) if member.isreg() else None
        tar.members = []  # type: ignore[attr-defined]  # frees the headers, which tarfile would keep


def _add_directories(directories: set[str], name: str) -> None:
    """Add the parent directories of an entry, which are created with it."""
    _check_name(name)
    while name := name.rpartition("/")[0]:
        if name in directories:
            return
        directories.add(name)


def _check_kind(member: tarfile.TarInfo) -> None:
    if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
        raise BadArchive(f"{_shown(member.name)} is not a file, directory or link")
    if member.issparse():
        raise BadArchive(f"{_shown(member.name)} is a sparse file")
    if member.issym() or member.islnk():
        _check_name(member.linkname)


def _check_name(name: str) -> None:
    """Reject a path that is invalid or exceeds the limits."""
    if "\0" in name:
        raise BadArchive(f"the path {_shown(name)} contains a NUL character")
    parts = name.split("/")
    if len(parts) > MAX_DEPTH:
        raise BadArchive(f"the path {_shown(name)} has more than {MAX_DEPTH} levels")
    if len(os.fsencode(name)) > MAX_PATH_BYTES:
        raise BadArchive(f"the path {_shown(name)} is longer than {MAX_PATH_BYTES} bytes")
    if any(len(os.fsencode(part)) > MAX_NAME_BYTES for part in parts):
        raise BadArchive(f"the path {_shown(name)} contains a name of more than {MAX_NAME_BYTES} bytes")


def _shown(name: str) -> str:
    return ascii(name if len(name) <= _SHOWN_CHARACTERS else f"{name[:_SHOWN_CHARACTERS]}...")


def _inside(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise BadArchive(f"{_shown(name)} is outside the configuration")
    return path


def _check_link(name: PurePosixPath, target: str) -> None:
    """Check the target of a symbolic link. Chains of links are checked after all links have been created."""
    resolved = os.path.normpath(name.parent / target)
    if not target or target.startswith("/") or resolved == ".." or resolved.startswith("../"):
        raise BadArchive(f"the link {_shown(str(name))} points outside the configuration")


def _chunks(member: tarfile.TarInfo, content: IO[bytes] | None) -> Iterator[bytes]:
    if content is None:
        return
    missing = member.size
    while missing:
        chunk = content.read(min(missing, _CHUNK_BYTES))
        if not chunk:
            raise BadArchive(f"it is damaged: {_shown(member.name)} is incomplete")
        missing -= len(chunk)
        yield chunk


# -- writing ----------------------------------------------------------------------------------------------------------

_Links = dict[PurePosixPath, str]


def _write_entries(entries: Iterator[_Entry], root: Path) -> _Links:
    """Write directories and files, and return the links, which are created last: nothing is written through a link."""
    links: _Links = {}
    for name, member, content in entries:
        links.pop(name, None)  # a later entry replaces an earlier one
        if member.issym():
            _check_link(name, member.linkname)
            links[name] = member.linkname
        elif member.isdir():
            (root / name).mkdir(parents=True, exist_ok=True)
        else:
            _write_file(root, name, member, content)
    return links


def _write_file(root: Path, name: PurePosixPath, member: tarfile.TarInfo, content: IO[bytes] | None) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if member.islnk():
        _link_file(root / _inside(member.linkname), path, member)
        return
    path.unlink(missing_ok=True)
    executable = 0o700 if member.mode & 0o100 else 0o600
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, executable), "wb") as file:  # noqa: PTH123
        file.writelines(_chunks(member, content))


def _link_file(source: Path, path: Path, member: tarfile.TarInfo) -> None:
    if not source.is_file():
        raise BadArchive(f"{_shown(member.name)} is a hard link to a file that is not in the archive")
    if source != path:
        path.unlink(missing_ok=True)
        path.hardlink_to(source)


def _make_links(links: _Links, root: Path) -> None:
    for name, target in links.items():
        if any(parent in links for parent in name.parents):
            raise BadArchive(f"{_shown(str(name))} is below a link")
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise BadArchive(f"{_shown(str(name))} is both a link and a directory")
        path.unlink(missing_ok=True)
        path.symlink_to(target)
    real_root = os.path.realpath(root)
    for name in links:
        if not Path(os.path.realpath(root / name)).is_relative_to(real_root):
            raise BadArchive(f"the link {_shown(str(name))} points outside the configuration")


# -- the program ------------------------------------------------------------------------------------------------------


def _limit_itself(cpu_s: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))  # SIGXCPU first; its handler reports the reason
    with suppress(OSError, ValueError):  # macOS does not support this limit
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def _exit_with_server(connection: socket.socket) -> None:
    """Exit when the connection closes: the server canceled the request or exited."""
    connection.recv(1)
    os._exit(1)


def _read_archive(command: str, archive: str, into: str) -> tuple[int, str]:
    """Carry out a request, and return the code and the detail of the response."""
    try:
        check(Path(archive))  # also before an unpack: an invalid archive must not write anything
        if command == "unpack":
            unpack(Path(archive), Path(into))
    except BadArchive as error:
        return BAD_ARCHIVE, str(error)
    except MemoryError:
        return BAD_ARCHIVE, f"reading it takes more than {MEMORY_BYTES >> 20} MiB of memory"
    except OSError as error:
        return SYSTEM_ERROR, str(error.errno)
    return SUCCESS, ""


def _serve_one(connection: socket.socket) -> None:
    """Read one archive within limits, in a forked child. It never returns."""

    def respond(code: int, detail: str) -> None:
        connection.sendall(json.dumps([code, detail]).encode())
        os._exit(0)

    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        with connection.makefile("rb") as requests:
            cpu_s, *request = json.loads(requests.readline())
        too_long = f"reading it takes more than {cpu_s} s of processor time"
        signal.signal(signal.SIGXCPU, lambda *_: respond(BAD_ARCHIVE, too_long))
        _limit_itself(cpu_s)
        threading.Thread(target=_exit_with_server, args=(connection,), daemon=True).start()
        respond(*_read_archive(*request))
    finally:
        os._exit(1)


def _fork(connection: socket.socket) -> bool:
    """Fork. Returns true in the child."""
    try:
        return not os.fork()
    except OSError as error:  # too many processes, or no memory
        connection.sendall(json.dumps([SYSTEM_ERROR, str(error.errno)]).encode())
        return False


def _reap(*_: object) -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _main() -> None:
    """Fork a child for each connection that the server sends. This process never reads an archive."""
    signal.signal(signal.SIGCHLD, _reap)
    control = socket.socket(fileno=sys.stdin.fileno())
    while True:
        message, handles, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            return
        for handle in handles:
            with socket.socket(fileno=handle) as connection:
                if _fork(connection):
                    control.close()
                    _serve_one(connection)


if __name__ == "__main__":
    _main()
