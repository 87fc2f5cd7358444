"""Archives that attack the program that unpacks them, each with a part of the expected error."""

import gzip
import io
import tarfile
from collections.abc import Callable
from itertools import repeat
from pathlib import Path

_BLOCK = tarfile.BLOCKSIZE
_END = bytes(2 * _BLOCK)
_MIB = 1 << 20


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % _BLOCK)


def _header(kind: bytes, size: int, name: str = "x") -> bytes:
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, size
    return member.tobuf(tarfile.GNU_FORMAT)


def _special(kind: bytes, content: bytes) -> bytes:
    return _header(kind, len(content)) + _padded(content)


def _record(key: str, value: bytes) -> bytes:
    """A PAX record. Its length includes the length field."""
    rest = b" " + key.encode() + b"=" + value + b"\n"
    length = len(rest)
    while length != len(rest) + len(str(length)):
        length = len(rest) + len(str(length))
    return str(length).encode() + rest


def _pax(**records: bytes) -> bytes:
    """An empty file whose PAX records claim something else."""
    named = {name.replace("__", "."): value for name, value in records.items()}
    return _special(tarfile.XHDTYPE, b"".join(_record(*item) for item in named.items())) + _header(tarfile.REGTYPE, 0)


def _tar(content: bytes) -> Callable[[Path], None]:
    return lambda path: _write(path, [content, _END])


def _write(path: Path, parts: object) -> None:
    with gzip.open(path, "wb", compresslevel=9) as file:
        file.writelines(parts)  # type: ignore[arg-type]


def _large(kind: bytes, mib: int) -> Callable[[Path], None]:
    """An entry of this many MiB that compresses to almost nothing."""
    return lambda path: _write_zeros(path, _header(kind, mib * _MIB), mib)


def _write_zeros(path: Path, beginning: bytes, mib: int) -> None:
    """Write this many MiB of zeros. A gzip file can have many members, so they are compressed only once."""
    zeros = gzip.compress(bytes(_MIB))
    path.write_bytes(gzip.compress(beginning) + zeros * mib + gzip.compress(_END))


def _base256(size: int) -> bytes:
    """A header with a size in the GNU format for large and negative numbers."""
    header = bytearray(_header(tarfile.REGTYPE, 0))
    header[124:136] = b"\xff" + size.to_bytes(11, "big", signed=True)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


def _links(count: int) -> bytes:
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as writer:
        for number in range(count):
            writer.addfile(tarfile.TarInfo(f"{number}/" + "/".join("abcdefghij" * 8)))
    return tar.getvalue()


def write_many_pax_records(path: Path) -> None:
    """An archive that is allowed, but takes several seconds of processor time to unpack."""
    records = _special(tarfile.XHDTYPE, _record("a", b"b") * 10_000) + _header(tarfile.REGTYPE, 0)
    _write(path, [*repeat(records, 500), _END])


HOSTILE: dict[str, tuple[Callable[[Path], None], str]] = {
    "a negative size in PAX records": (_tar(_pax(size=b"-1024")), "negative size"),
    "a negative size in a header": (_tar(_base256(-1024)), "negative size"),
    "an enormous size in PAX records": (_tar(_pax(size=b"9" * 30)), "larger than"),
    "a PAX header of 700 MiB": (_large(tarfile.XHDTYPE, 700), "a header is larger than 65536 bytes"),
    "global PAX records of 700 MiB": (_large(tarfile.XGLTYPE, 700), "a header is larger than 65536 bytes"),
    "a long name of 700 MiB": (_large(tarfile.GNUTYPE_LONGNAME, 700), "a header is larger than 65536 bytes"),
    "a long link of 700 MiB": (_large(tarfile.GNUTYPE_LONGLINK, 700), "a header is larger than 65536 bytes"),
    "200 MiB of zeros": (_large(tarfile.REGTYPE, 200), "unpacked size is too large"),
    "200 MiB that the header does not declare": (
        lambda path: _write_zeros(path, _header(tarfile.REGTYPE, 0) + _END, 200),
        "unpacked size is too large",
    ),
    "headers upon headers": (_tar(_special(tarfile.XHDTYPE, _record("a", b"b")) * 5000), "too many headers"),
    "a NUL in PAX records": (_tar(_pax(path=b"a\0b")), "a NUL character"),
    "a NUL in a link": (
        _tar(_special(tarfile.XHDTYPE, _record("linkpath", b"a\0b")) + _header(tarfile.SYMTYPE, 0)),
        "a NUL character",
    ),
    "2,000 nested directories": (_tar(_pax(path=b"a/" * 2000 + b"b")), "has more than 100 levels"),
    "a path of 5,000 bytes": (_tar(_pax(path=b"/".join([b"a" * 200] * 25))), "longer than 2048 bytes"),
    "a name of 300 bytes": (_tar(_pax(path=b"a" * 300)), "a name of more than 255 bytes"),
    "250,000 equal entries": (
        lambda path: _write(path, [_header(tarfile.REGTYPE, 0) * 250_000, _END]),
        "unpacked size is too large",
    ),
    "300,000 directories": (lambda path: _write(path, [_links(4000)]), "more than 200000 entries"),
    "a sparse file": (_tar(_header(tarfile.GNUTYPE_SPARSE, 0)), "sparse file"),
    "a sparse file in PAX records": (
        _tar(_pax(GNU__sparse__major=b"0", GNU__sparse__map=b"0,1", GNU__sparse__size=b"100")),
        "sparse file",
    ),
    "a sparse map that is not a number": (
        _tar(_pax(GNU__sparse__major=b"1", GNU__sparse__minor=b"0", GNU__sparse__name=b"x")),
        "damaged",
    ),
    "a device": (_tar(_header(tarfile.CHRTYPE, 0)), "is not a file"),
}
