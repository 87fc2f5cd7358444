"""Packing is complete and reproducible, and never includes excluded or outside files."""

import gzip
import io
import os
import shutil
import socket
import tarfile
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfruns.configuration.allowed_directories import locate, resolve_allowed
from tfruns.configuration.directory import Directory
from tfruns.configuration.ignore import IgnoreRules, is_terraform_internal
from tfruns.configuration.packing import Limits, Packed, pack
from tfruns.errors import InvalidInput, RefusedByMode
from tfruns.local.terraform.slug import check, unpack

SECRET = "hunter2-outside"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A directory with a configuration, next to files that must never be read."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text(SECRET)
    root = tmp_path / "root"
    write(root, {"main.tf": "# main\n", "modules/a/a.tf": "# a\n"})
    return root


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def packed(root: Path, limits: Limits | None = None) -> tuple[Packed, bytes]:
    archive = io.BytesIO()
    with locate(str(root), [root.resolve()]).open() as directory:
        result = pack(directory, archive, limits)
    return result, archive.getvalue()


def members(archive: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {member.name: member for member in tar.getmembers()}


def refusal(root: Path, limits: Limits | None = None) -> InvalidInput:
    with pytest.raises(InvalidInput) as refused:
        packed(root, limits)
    assert SECRET not in str(refused.value.as_dict())
    return refused.value


def test_files_are_packed_in_order_without_owners(root: Path) -> None:
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    os.utime(root / "main.tf", (1_600_000_000.7, 1_600_000_000.7))
    result, archive = packed(root)
    found = members(archive)
    assert list(found) == ["main.tf", "modules", "modules/a", "modules/a/a.tf", "run.sh"]
    assert (result.files, result.bytes) == (3, 21)
    assert found["main.tf"].mtime == 1_600_000_000
    assert found["run.sh"].mode == 0o755
    assert {(m.uid, m.gid, m.uname, m.gname) for m in found.values()} == {(0, 0, "", "")}
    assert {str(place) for place in result.configured} == {".", "modules/a"}


def test_equal_files_make_equal_archives_anywhere(root: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(root, copy)
    assert packed(copy)[1] == packed(root)[1]


def test_internal_files_of_terraform_are_always_excluded(root: Path) -> None:
    own = [".terraform/modules/modules.json", "terraform.tfstate", "a/b.tfstate.backup", "terraform.tfstate.d/x/y"]
    write(
        root, dict.fromkeys(own, SECRET) | {".terraformignore": "!.terraform/\n!*.tfstate\n", ".terraform.lock.hcl": ""}
    )
    result, archive = packed(root)
    assert SECRET.encode() not in gzip.decompress(archive)
    assert set(members(archive)) == {
        ".terraform.lock.hcl", ".terraformignore", "a", "main.tf", "modules", "modules/a", "modules/a/a.tf",
    }  # fmt: skip
    assert result.excluded == {"terraform_internal": 4}


def test_ignored_files_are_excluded_and_counted(root: Path) -> None:
    write(
        root, {".terraformignore": "*.log\ntmp/\nlogs\n", "a.log": "", "tmp/x/y.tf": "", ".git/HEAD": "", "logs/1": ""}
    )
    result, archive = packed(root)
    assert not {"a.log", "tmp", "tmp/x/y.tf", ".git", ".git/HEAD", "logs"} & set(members(archive))
    assert result.excluded == {"ignored": 3}
    assert result.kept_below == ["logs"]
    assert "logs/1" in members(archive)


def test_later_rule_includes_files_below_an_excluded_directory(root: Path) -> None:
    write(root, {".terraformignore": "tmp/\n!tmp/keep.tf\n", "tmp/keep.tf": "", "tmp/other.tf": ""})
    names = set(members(packed(root)[1]))
    assert "tmp/keep.tf" in names
    assert not {"tmp", "tmp/other.tf"} & names


def test_internal_links_stay_links_and_become_relative(root: Path, tmp_path: Path) -> None:
    (root / "b.tf").symlink_to("modules/a/a.tf")
    (root / "modules" / "root").symlink_to(root)
    (root / "modules" / "again").symlink_to("../modules/a")
    (root / "dangling").symlink_to("not/there")
    result, archive = packed(root)
    links = {name: member.linkname for name, member in members(archive).items() if member.issym()}
    assert links == {
        "b.tf": "modules/a/a.tf",
        "dangling": "not/there",
        "modules/again": "../modules/a",
        "modules/root": "..",
    }
    assert result.files == 6
    (tmp_path / "slug").write_bytes(archive)
    unpack(tmp_path / "slug", tmp_path / "unpacked")
    assert (tmp_path / "unpacked" / "b.tf").read_text() == "# a\n"


@pytest.mark.parametrize(
    "target",
    ["../outside/secret.txt", "{outside}/secret.txt", "../outside", "modules/../../outside", "/etc/passwd", ".."],
)
def test_link_out_of_the_directory_is_an_error_naming_it(target: str, root: Path) -> None:
    (root / "modules" / "link.tf").parent.mkdir(exist_ok=True)
    (root / "link.tf").symlink_to(target.format(outside=root.parent / "outside"))
    error = refusal(root)
    assert "link.tf" in error.message
    assert "leads out" in error.message
    write(root, {".terraformignore": "link.tf\n"})
    assert "link.tf" not in members(packed(root)[1])


def test_link_out_through_another_link_is_an_error(root: Path) -> None:
    (root / "modules" / "deep").mkdir()
    (root / "a").symlink_to("modules/a/../b/secret.txt")
    (root / "modules" / "b").symlink_to("../../outside")
    assert "leads out" in refusal(root).message


def test_ignore_file_that_is_a_link_is_refused(root: Path) -> None:
    (root / ".terraformignore").symlink_to("../outside/secret.txt")
    assert ".terraformignore" in refusal(root).message


def test_special_files_are_excluded(root: Path) -> None:
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(root / "socket"))  # the path of a socket must be short
        result, archive = packed(root)
    assert result.excluded == {"special": 2}
    assert not {"pipe", "socket"} & set(members(archive))


@pytest.mark.parametrize(
    ("limits", "what"),
    [
        (Limits(max_entries=3), "more than 3 files"),
        (Limits(max_bytes=8), "more than 0 MB"),
        (Limits(max_depth=2), "more than 2 levels deep"),
    ],
)
def test_too_large_directory_is_refused(limits: Limits, what: str, root: Path) -> None:
    assert what in refusal(root, limits).message


def test_files_in_excluded_directories_do_not_count(root: Path) -> None:
    write(root, {f".git/objects/{number}": "" for number in range(50)})
    assert packed(root, Limits(max_entries=10))[0].files == 2


def test_unreadable_file_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Directory, name: str) -> Any:
        raise (FileNotFoundError if name == ".terraformignore" else PermissionError)(13, "Permission denied", name)

    monkeypatch.setattr(Directory, "open", refuse)
    assert "'main.tf': Permission denied" in refusal(root).message


# -- the directory changes during packing -----------------------------------------------------------------------------


def test_file_replaced_by_a_link_is_not_followed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = Directory.entries

    def exchanged(self: Directory, *, most: int) -> Any:
        found = entries(self, most=most)
        if self.path == root.resolve():
            (root / "main.tf").unlink()
            (root / "main.tf").symlink_to("../outside/secret.txt")
        return found

    monkeypatch.setattr(Directory, "entries", exchanged)
    assert "cannot be packed" in refusal(root).message


def test_directory_replaced_by_a_link_is_not_followed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = Directory.entries

    def exchanged(self: Directory, *, most: int) -> Any:
        found = entries(self, most=most)
        if self.path == root.resolve():
            shutil.rmtree(root / "modules")
            (root / "modules").symlink_to("../outside")
        return found

    monkeypatch.setattr(Directory, "entries", exchanged)
    assert "cannot be packed" in refusal(root).message


def test_open_directory_is_read_even_if_its_path_changed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = Directory.entries

    def moved(self: Directory, *, most: int) -> Any:
        found = entries(self, most=most)
        if self.path == root.resolve() / "modules" / "a":
            (root / "modules").rename(root / "elsewhere")
            (root / "modules").symlink_to(root.parent / "outside")
        return found

    monkeypatch.setattr(Directory, "entries", moved)
    _, archive = packed(root)
    assert "modules/a/a.tf" in members(archive)
    assert SECRET.encode() not in gzip.decompress(archive)


def test_truncated_file_is_an_error(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fstat

    class Longer:
        def __init__(self, status: os.stat_result) -> None:
            self.st_size, self.st_mode, self.st_mtime = status.st_size + 10, status.st_mode, status.st_mtime

    monkeypatch.setattr("tfruns.configuration.packing.os.fstat", lambda fd: Longer(real(fd)))
    assert "cannot be packed" in refusal(root).message


# -- where it may be --------------------------------------------------------------------------------------------------


def test_only_directories_in_an_allowed_one_are_opened(root: Path) -> None:
    allowed = resolve_allowed([root])
    (root / "out").symlink_to("../outside")
    (root.parent / "in").symlink_to("root/modules")
    assert locate(str(root / "modules"), allowed).path == root / "modules"
    assert locate(str(root.parent / "in"), allowed).path == root / "modules"
    for outside in (root.parent, root.parent / "outside", root / "out", root / ".." / "outside", f"{root}-other", "/"):
        with pytest.raises(RefusedByMode) as refused:
            locate(str(outside), allowed)
        assert str(root) in refused.value.cause


@pytest.mark.parametrize("name", ["", "modules", ".", "../root", "~", "a\0b", "/a\0b"])
def test_path_must_be_absolute(name: str, root: Path) -> None:
    with pytest.raises(InvalidInput, match="absolute"):
        locate(name, resolve_allowed([root]))


def test_error_without_allowed_directories_explains_allow_dir(root: Path) -> None:
    with pytest.raises(RefusedByMode) as refused:
        locate(str(root), ())
    assert "--allow-dir" in refused.value.solution


@pytest.mark.parametrize("name", ["main.tf", "nowhere", "modules/a/a.tf"])
def test_path_that_is_not_a_directory_is_refused(name: str, root: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"), locate(str(root / name), resolve_allowed([root])).open():
        pass
    with pytest.raises(InvalidInput, match="not a directory"):
        resolve_allowed([root / name])


def test_parent_directory_replaced_by_a_link_is_not_followed(root: Path) -> None:
    place = locate(str(root / "modules" / "a"), resolve_allowed([root]))
    shutil.rmtree(root / "modules")
    (root.parent / "outside" / "a").mkdir()
    (root / "modules").symlink_to("../outside")
    with pytest.raises(InvalidInput, match="cannot be read"), place.open():
        pass


# -- whatever there is ------------------------------------------------------------------------------------------------

_NAMES = st.sampled_from(
    [
        "a",
        "b.tf",
        "é",
        "x.log",
        "logs",
        ".terraform",
        "terraform.tfstate",
        ".git",
        "with space",
        "-",
        "n\udce9",
        "long" * 40,
    ]
)
_PATHS = st.lists(_NAMES, min_size=1, max_size=4).map("/".join)
_TARGETS = st.lists(st.sampled_from(["..", "a", "logs", "b.tf", "."]), min_size=1, max_size=5).map("/".join)
_RULES = st.lists(
    st.sampled_from(["*.log", "logs/", "!logs/a", "a", "/a/", "**/b.tf", "!*.tf", "[a-c]*", ".git/", "!.git/", "é"]),
    max_size=6,
).map("\n".join)


@settings(deadline=None)
@given(files=st.sets(_PATHS, max_size=8), links=st.dictionaries(_PATHS, _TARGETS, max_size=3), rules=_RULES)
def test_archive_is_accepted_by_the_local_backend(files: set[str], links: dict[str, str], rules: str) -> None:
    with TemporaryDirectory() as place:
        base = Path(place).resolve()
        root = base / "root"
        root.mkdir()
        (base / "a").write_text(SECRET)
        (root / ".terraformignore").write_text(rules)
        for path in sorted(files):
            _try_to(lambda path=path: write(root, {path: f"content of {path!a}"}))
        for path, target in links.items():
            if (root / path).parent.is_dir():
                _try_to(lambda path=path, to=target: (root / path).symlink_to(to))
        try:
            _, archive = packed(root)
        except InvalidInput as error:
            if "leads out" in error.message:
                return
            raise
        _check_archive(root, archive, IgnoreRules(rules), base)


def _try_to(make: Any) -> None:
    with suppress(OSError):  # one path is below another that is a file
        make()


def _check_archive(root: Path, archive: bytes, rules: IgnoreRules, base: Path) -> None:
    assert SECRET.encode() not in gzip.decompress(archive)
    found = members(archive)
    for name, member in found.items():
        assert not any(is_terraform_internal(part) for part in name.split("/"))
        assert not rules.excludes(f"{name}/" if member.isdir() else name)
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        is_own = any(is_terraform_internal(part) for part in name.split("/"))
        if path.is_file() and not path.is_symlink() and not is_own and not rules.excludes(name):
            assert name in found
    (base / "slug").write_bytes(archive)
    check(base / "slug")
    unpack(base / "slug", base / "unpacked")
    for name, member in found.items():
        if member.isreg():
            assert (base / "unpacked" / name).read_bytes() == (root / name).read_bytes()


def test_each_exclusion_has_its_reason_and_rule(root: Path) -> None:
    write(
        root,
        {
            ".terraformignore": "# rules\n*.log\n/docs/\n!keep.log\n",
            "a.log": "",
            "keep.log": "12345",
            "docs/x.md": "",
            ".git/config": "",
            ".terraform/providers": "",
            "terraform.tfstate": "{}",
            ".env": "A=1",
        },
    )
    os.mkfifo(root / "pipe")
    directory = locate(str(root), resolve_allowed([root]))
    with directory.open() as opened:
        packed = pack(opened, io.BytesIO())
    found = {(item.path, item.reason, item.rule) for item in packed.omitted}
    assert found == {
        ("a.log", "ignored", ".terraformignore:2: *.log"),
        ("docs/x.md", "ignored", ".terraformignore:3: /docs/"),  # a later ! may include something in it
        (".git/config", "ignored", "default rule: .git/"),
        (".terraform/", "terraform_internal", ""),
        ("terraform.tfstate", "terraform_internal", ""),
        (".env", "likely_secret", ""),
        ("pipe", "special", ""),
    }
    assert dict(zip(packed.names, packed.sizes, strict=True)) == {
        ".terraformignore": 31,
        "keep.log": 5,
        "main.tf": 7,
        "modules/a/a.tf": 4,
    }
    assert sum(packed.excluded.values()) == len(packed.omitted)
