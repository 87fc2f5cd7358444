"""The data directory: its owner and its files."""

import fcntl
import os
import re
import stat
from pathlib import Path

import pytest

from tfruns.local.data_dir import DataDirectory, InUse, Owner, UnusableFile


@pytest.fixture
def directory(tmp_path: Path) -> DataDirectory:
    return DataDirectory(tmp_path / "data")


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_directory_is_created_for_its_owner_only(directory: DataDirectory) -> None:
    assert not directory.path.exists()
    with directory.owned():
        assert _mode(directory.path) == 0o700


def test_second_server_is_refused_with_the_url_of_the_first(directory: DataDirectory) -> None:
    with directory.owned():
        directory.announce("http://127.0.0.1:8088")
        with pytest.raises(InUse, match=r"the server at http://127\.0\.0\.1:8088") as refused, directory.owned():
            pass
        assert refused.value.owner == Owner("http://127.0.0.1:8088", os.getpid())
        assert directory.owner() is not None  # the second server has not removed the address of the first


def test_second_server_is_refused_while_the_first_starts(directory: DataDirectory) -> None:
    with directory.owned():
        with pytest.raises(InUse, match="starting or stopping") as refused, directory.owned():
            pass
        assert refused.value.owner is None


def test_directory_is_free_after_its_owner_stops(directory: DataDirectory) -> None:
    for _ in range(2):
        with directory.owned():
            directory.announce("http://127.0.0.1:8088")
        assert directory.owner() is None


def test_address_of_a_killed_server_is_removed(directory: DataDirectory) -> None:
    directory.path.mkdir()
    (directory.path / "address").write_text("http://127.0.0.1:1 1\n")
    with directory.owned():
        assert directory.owner() is None


@pytest.mark.parametrize("content", ["", "http://127.0.0.1:1", "http://127.0.0.1:1 x", "\xff"])
def test_invalid_address_file_is_ignored(directory: DataDirectory, content: str) -> None:
    directory.path.mkdir()
    (directory.path / "address").write_bytes(content.encode("latin-1"))
    assert directory.owner() is None


def test_checking_ownership_is_not_seen_as_owning(directory: DataDirectory) -> None:
    assert not directory.is_owned()
    assert not directory.path.exists()
    with directory.owned():
        assert directory.is_owned()
    with (directory.path / "lock").open("rb") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        assert not directory.is_owned()


def test_token_is_readable_by_its_owner_only(directory: DataDirectory) -> None:
    assert directory.token() is None
    with directory.owned():
        directory.keep_token("secret")
    assert directory.token() == "secret"
    assert _mode(directory.path / "token") == 0o600
    assert sorted(path.name for path in directory.path.iterdir()) == ["lock", "objects", "token", "work"]


def test_key_is_created_once(directory: DataDirectory) -> None:
    with directory.owned():
        key = directory.key()
        assert len(key) >= 32
        assert directory.key() == key
        assert _mode(directory.path / "key") == 0o600


def test_all_paths_are_inside_the_directory(directory: DataDirectory) -> None:
    assert directory.objects.parent == directory.work.parent == directory.path
    assert directory.database.parent == directory.path


def test_relative_path_is_resolved_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    directory = DataDirectory(Path("data"))
    monkeypatch.chdir("/")
    assert directory.path == tmp_path / "data"


def test_default_path_is_from_environment_or_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert DataDirectory().path.name == "tfruns"
    monkeypatch.setenv("TFRUNS_DATA_DIR", str(tmp_path))
    assert DataDirectory().path == tmp_path


def test_deleted_lock_file_does_not_release_the_directory(directory: DataDirectory) -> None:
    with directory.owned():
        (directory.path / "lock").unlink()
        assert directory.is_owned()
        for _ in range(2):  # the first one creates the file again
            with pytest.raises(InUse), directory.owned():
                pass
            assert directory.is_owned()
    assert not directory.is_owned()
    with directory.owned():
        assert directory.is_owned()


def test_binary_token_file_is_an_error_with_a_solution(directory: DataDirectory) -> None:
    directory.path.mkdir()
    directory.token_file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UnusableFile, match=r"token is not a text file\. Delete it and start the server"):
        directory.token()
    directory.token_file.unlink()
    directory.token_file.mkdir()
    with pytest.raises(UnusableFile):
        directory.token()


@pytest.mark.parametrize("content", [b"", b"\n", b"short", b"\x00" * 64, b"\xff" * 64])
def test_invalid_key_is_replaced(directory: DataDirectory, content: bytes) -> None:
    directory.path.mkdir()
    (directory.path / "key").write_bytes(content)
    key = directory.key()
    assert len(key) == 64
    assert directory.key() == key


def test_file_in_place_of_a_directory_is_an_error_with_a_solution(tmp_path: Path) -> None:
    for name in ("lock", "address", "token", "key", "objects", "work"):
        directory = DataDirectory(tmp_path / f"data-{name}")
        directory.path.mkdir()
        is_file = name in {"objects", "work"}
        (directory.path / name).write_text("x") if is_file else (directory.path / name).mkdir()
        kind = "not a directory" if is_file else "a directory"
        expected = f"{directory.path / name} is {kind}. Move it away and start the server again."
        with pytest.raises(UnusableFile, match=re.escape(expected)), directory.owned():
            pass


def test_content_of_the_lock_file_is_ignored(directory: DataDirectory) -> None:
    directory.path.mkdir()
    (directory.path / "lock").write_bytes(bytes(range(256)))
    with directory.owned():
        assert directory.is_owned()
