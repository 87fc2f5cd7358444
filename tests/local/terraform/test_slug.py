"""The unpacking of untrusted archives."""

import gzip
import io
import os
import string
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tfruns.local.terraform.slug import BadArchive, check, unpack

Entry = tuple[tarfile.TarInfo, bytes]


def entry(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, **fields: Any) -> Entry:
    member = tarfile.TarInfo(name)
    member.type = kind
    member.size = len(content)
    for field, value in fields.items():
        setattr(member, field, value)
    return member, content


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> Entry:
    return entry(name, kind=kind, linkname=target)


def packed(path: Path, entries: Iterable[Entry], form: int = tarfile.PAX_FORMAT) -> Path:
    with tarfile.open(path, "w:gz", format=form) as tar:
        for member, content in entries:
            tar.addfile(member, io.BytesIO(content))
    return path


def rejection(tmp_path: Path, *entries: Entry, **limits: int) -> str:
    """The reason why an archive is rejected. Also checks that nothing of it was written."""
    (tmp_path / "outside").mkdir()
    archive = packed(tmp_path / "a.tar.gz", entries)
    with pytest.raises(BadArchive) as error:
        unpack(archive, tmp_path / "into", **limits)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar.gz", "outside"]
    assert list((tmp_path / "outside").iterdir()) == []
    return str(error.value)


def test_configuration_is_unpacked_with_its_directories_and_links(tmp_path: Path) -> None:
    archive = packed(
        tmp_path / "a.tar.gz",
        [
            entry("./", kind=tarfile.DIRTYPE),
            entry("./main.tf", b"main"),
            entry("modules/net/net.tf", b"net"),
            entry("run.sh", b"#!", mode=0o755),
            link("modules/same", "net"),
            link("modules/net/up.tf", "../../main.tf"),
            link("copy.tf", "main.tf", tarfile.LNKTYPE),
        ],
    )
    check(archive)
    into = tmp_path / "into"
    unpack(archive, into)
    assert (into / "modules/same/net.tf").read_bytes() == b"net"
    assert (into / "modules/net/up.tf").read_bytes() == b"main"
    assert (into / "copy.tf").read_bytes() == b"main"
    assert (into / "run.sh").stat().st_mode & 0o777 == 0o700
    assert (into / "main.tf").stat().st_mode & 0o777 == 0o600


def test_archive_of_pythons_tarfile_is_unpacked(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "empty").mkdir(parents=True)
    (source / "main.tf").write_text("main")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        tar.add(source, arcname="")
    unpack(tmp_path / "a.tar.gz", tmp_path / "into")
    assert (tmp_path / "into/main.tf").read_text() == "main"
    assert (tmp_path / "into/empty").is_dir()


def test_long_name_is_unpacked(tmp_path: Path) -> None:
    name = "/".join(["directory"] * 20) + "/main.tf"
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        archive = packed(tmp_path / f"{form}.tar.gz", [entry(name, b"main")], form)
        unpack(archive, tmp_path / f"into{form}")
        assert (tmp_path / f"into{form}" / name).read_bytes() == b"main"


def test_last_of_two_entries_with_the_same_name_is_used(tmp_path: Path) -> None:
    archive = packed(
        tmp_path / "a.tar.gz", [entry("a", b"first"), link("b", "a"), entry("a", b"last"), entry("b", b"b")]
    )
    unpack(archive, tmp_path / "into")
    assert (tmp_path / "into/a").read_bytes() == b"last"
    assert not (tmp_path / "into/b").is_symlink()


def test_backend_recorded_by_init_is_excluded(tmp_path: Path) -> None:
    names = [".terraform/terraform.tfstate", ".terraform/environment", "sub/.terraform/environment"]
    kept = [".terraform/modules/modules.json", "terraform.tfstate", "environment"]
    archive = packed(tmp_path / "a.tar.gz", [entry(name, b"{}") for name in names + kept])
    unpack(archive, tmp_path / "into")
    assert not [name for name in names if (tmp_path / "into" / name).exists()]
    assert all((tmp_path / "into" / name).exists() for name in kept)


@pytest.mark.parametrize("name", ["/etc/cron.d/x", "../outside/x", "a/../../outside/x", "a/b/../../../outside/x", ".."])
def test_path_outside_the_directory_is_rejected(tmp_path: Path, name: str) -> None:
    assert "is outside" in rejection(tmp_path, entry("main.tf"), entry(name, b"x"))


@pytest.mark.parametrize("target", ["/etc", "..", "../outside", "a/../../outside", "./../outside"])
def test_link_that_points_outside_is_rejected(tmp_path: Path, target: str) -> None:
    assert "points outside" in rejection(tmp_path, link("here", target))


def test_chain_of_links_that_points_outside_is_rejected(tmp_path: Path) -> None:
    deep = entry("a/b/c/d/file", b"x")
    assert "points outside" in rejection(tmp_path, deep, link("a/b/c/e", "../../.."), link("out", "a/b/c/e/../outside"))


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    assert "both" in rejection(tmp_path, link("here", "sub"), entry("here/x", b"x"))


def test_no_link_is_created_through_a_link(tmp_path: Path) -> None:
    assert "below a link" in rejection(
        tmp_path, link("a/b/c", "../../."), link("out", "a/b/c/../../outside"), link("out/evil", "main.tf")
    )


@pytest.mark.parametrize("target", ["/etc/passwd", "../outside/x", "missing"])
def test_hard_link_to_a_file_outside_the_archive_is_rejected(tmp_path: Path, target: str) -> None:
    assert rejection(tmp_path, link("passwd", target, tarfile.LNKTYPE))


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_device_is_rejected(tmp_path: Path, kind: bytes) -> None:
    assert "is not a file, directory or link" in rejection(tmp_path, entry("null", kind=kind))


def test_too_many_entries_are_rejected(tmp_path: Path) -> None:
    assert "more than 10 entries" in rejection(tmp_path, *(entry(str(n)) for n in range(11)), max_entries=10)


def test_too_much_content_is_rejected(tmp_path: Path) -> None:
    assert "larger than 1000 bytes" in rejection(
        tmp_path, entry("a", bytes(900)), entry("b", bytes(101)), max_unpacked_bytes=1000
    )


def test_enormous_header_is_rejected_before_it_is_read(tmp_path: Path) -> None:
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 1 << 40
    archive = tmp_path / "a.tar.gz"
    archive.write_bytes(gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(4096)))
    with pytest.raises(BadArchive, match="a header is larger than 65536 bytes"):
        check(archive)


def test_endless_zeros_after_the_end_are_rejected(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.tar.gz", [entry("main.tf")])
    archive.write_bytes(archive.read_bytes() + gzip.compress(bytes(1 << 22)))
    with pytest.raises(BadArchive, match="too large"):
        check(archive, max_unpacked_bytes=1 << 20, max_entries=10)


def damaged() -> dict[str, bytes]:
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as writer:
        for name in ("a", "b"):
            member, content = entry(name, os.urandom(2000))
            writer.addfile(member, io.BytesIO(content))
    whole = gzip.compress(tar.getvalue())
    second = tar.getvalue().find(b"b" + bytes(99))
    return {
        "nothing": b"",
        "no gzip": b"PK\x03\x04 this is a zip",
        "no tar": gzip.compress(b"hello" * 1000),
        "cut off": whole[: len(whole) // 2],
        "without its checksum": whole[:-8],
        "a wrong byte": whole[:-300] + bytes([whole[-300] ^ 255]) + whole[-299:],
        "a file cut off": gzip.compress(tar.getvalue()[:1500]),
        "a broken header": gzip.compress(tar.getvalue()[:second] + b"c" + tar.getvalue()[second + 1 :]),
    }


@pytest.mark.parametrize("damage", damaged())
def test_damaged_archive_is_rejected(tmp_path: Path, damage: str) -> None:
    archive = tmp_path / "a.tar.gz"
    archive.write_bytes(damaged()[damage])
    with pytest.raises(BadArchive):
        check(archive)
    with pytest.raises(BadArchive):
        unpack(archive, tmp_path / "into")
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar.gz"]


def test_name_of_more_than_255_bytes_is_rejected(tmp_path: Path) -> None:
    assert "contains a name of more than 255 bytes" in rejection(tmp_path, entry("x" * 300))


def test_file_that_is_also_a_directory_is_rejected(tmp_path: Path) -> None:
    assert rejection(tmp_path, entry("a", b"x"), entry("a/b", b"x"))


part = st.sampled_from(["..", ".", "", "a", "b", "out"]) | st.text(string.printable, min_size=1, max_size=3)
paths = st.lists(part, min_size=1, max_size=5).map("/".join)
kinds = st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE])
entries = st.builds(
    lambda name, target, kind: entry(name, b"x" if kind == tarfile.REGTYPE else b"", kind, linkname=target),
    paths,
    paths,
    kinds,
)


@given(st.lists(entries, max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_archive_stays_inside_and_a_rejected_one_leaves_nothing(
    tmp_path_factory: pytest.TempPathFactory, some: list[Entry]
) -> None:
    top = tmp_path_factory.mktemp("top")
    archive = packed(top / "a.tar.gz", some)
    into = top / "sub" / "into"
    into.parent.mkdir()
    try:
        unpack(archive, into)
    except BadArchive:
        assert not into.exists()
    else:
        real = [Path(os.path.realpath(Path(at) / name)) for at, ds, fs in os.walk(into) for name in ds + fs]
        assert all(path.is_relative_to(into) for path in real)
    assert sorted(path.name for path in top.iterdir()) == ["a.tar.gz", "sub"]
    assert {path.name for path in into.parent.iterdir()} <= {"into"}
