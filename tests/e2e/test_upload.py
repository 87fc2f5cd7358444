"""Upload of a directory by the installed command, from `--allow-dir` to the archive in the API."""

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Start
from tests.e2e.test_command import run
from tests.support import samples
from tests.support.api import answer
from tests.support.http_api import HttpApi
from tests.support.stdio import Era


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A directory with a configuration."""
    root = tmp_path / "configuration"
    root.mkdir()
    (root / "main.tf").write_text("# main\n")
    return root


def script(api: HttpApi) -> None:
    """Script the responses of the API for one upload."""
    version, workspace = "cv-n4XQPBa2QnecZJ4G", samples.WORKSPACE_ID
    created = samples.configuration_version(version, upload_url=f"{api.address}/api/v2/uploads/secret")
    api.on("GET", f"/workspaces/{workspace}", answer({"data": samples.workspace()}))
    api.on("POST", f"/workspaces/{workspace}/configuration-versions", answer({"data": created}, 201))
    api.on("PUT", "/uploads/secret", answer(None))
    uploaded = samples.configuration_version(version, status="uploaded")
    api.on("GET", f"/configuration-versions/{version}", answer({"data": uploaded}))


def upload(start: Start, era: Era, directory: object, *arguments: str) -> dict[str, Any]:
    server = start(*arguments, era=era)
    given = {"workspace_id": samples.WORKSPACE_ID, "directory": directory}
    return server.result("tools/call", {"name": "upload_configuration", "arguments": given})


def test_directory_below_an_allowed_one_is_uploaded(start: Start, era: Era, api: HttpApi, root: Path) -> None:
    script(api)
    result = upload(start, era, str(root), "--allow-dir", "/usr/share", "--allow-dir", str(root.parent))
    assert not result.get("isError"), result
    assert result["structuredContent"]["files"] == 1
    assert "secret" not in str(result)
    (sent,) = api.sent("PUT")
    assert "authorization" not in sent.headers
    with tarfile.open(fileobj=io.BytesIO(sent.body)) as tar:
        assert tar.getnames() == ["main.tf"]


@pytest.mark.parametrize("allowed", [(), ("--allow-dir", "/usr/share")], ids=["none allowed", "another allowed"])
def test_directory_that_is_not_allowed_is_refused(
    allowed: tuple[str, ...], start: Start, era: Era, api: HttpApi, root: Path
) -> None:
    result = upload(start, era, str(root), *allowed)
    assert result["isError"]
    assert "--allow-dir" in result["structuredContent"]["solution"]
    assert [request for request in api.requests if request.method != "GET"] == []


def test_invalid_directory_is_a_failed_result(start: Start, era: Era, api: HttpApi, root: Path) -> None:
    server = start("--allow-dir", str(root), era=era)
    for directory in ("", ".", "../configuration", "\0", "/" + "x" * 5_000, 7, None, ["/"]):
        given = {"workspace_id": samples.WORKSPACE_ID, "directory": directory}
        result = server.result("tools/call", {"name": "upload_configuration", "arguments": given})
        assert result["isError"]
        assert result["structuredContent"]["error"] in {"invalid_input", "refused_by_mode"}
    assert [request for request in api.requests if request.method != "GET"] == []


def test_invalid_allow_dir_is_an_error_at_the_start(tmp_path: Path) -> None:
    done = run(tmp_path, "mcp", "--allow-dir", str(tmp_path / "nowhere"))
    assert done.returncode == 2
    assert "is not a directory" in done.stderr
    assert done.stdout == ""
