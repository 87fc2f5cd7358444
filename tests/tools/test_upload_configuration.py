"""A directory becomes a configuration version without a run; a directory that no run could use is not uploaded."""

import io
import tarfile
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support import samples
from tests.support.api import FakeApi, answer, body
from tests.tools.calls import UPLOAD_URL, WORKSPACE_ID, call, failure_of, willing_api
from tfruns.errors import InvalidInput, RefusedByMode, TfrunsError, UnprocessableEntity
from tfruns.policy import Mode, Policy

pytestmark = pytest.mark.anyio

VERSION = "/configuration-versions/cv-n4XQPBa2QnecZJ4G"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A directory with a configuration."""
    (tmp_path / "main.tf").write_text("# main\n")
    (tmp_path / "terraform.tfstate").write_text("{}")
    return tmp_path.resolve()


async def upload(root: Path, api: FakeApi, **arguments: Any) -> Any:
    given = {"workspace_id": WORKSPACE_ID, "directory": str(root)} | arguments
    return await call("upload_configuration", given, api=api, allowed_directories=(root,))


async def refused(root: Path, api: FakeApi, directory: str | None = None) -> TfrunsError:
    given = {"workspace_id": WORKSPACE_ID, "directory": directory or str(root)}
    return await failure_of("upload_configuration", given, api=api, allowed_directories=(root,))


def api_of(**workspace: Any) -> FakeApi:
    api = willing_api(has_workspace=False)
    return api.on("GET", f"/workspaces/{WORKSPACE_ID}", answer({"data": samples.workspace(**workspace)}))


async def test_result_lists_uploaded_and_excluded_files_and_the_next_call(root: Path) -> None:
    api = willing_api()
    view = await upload(root, api)
    size = view.pop("packed_bytes")
    assert view == {
        "configuration_version_id": "cv-n4XQPBa2QnecZJ4G",
        "workspace_id": WORKSPACE_ID,
        "status": "uploaded",
        "files": 1,
        "names": ["main.tf"],
        "bytes": 7,
        "excluded": {"terraform_internal": 1},
        "next_actions": [
            {
                "tool": "create_run",
                "arguments": {
                    "workspace_id": WORKSPACE_ID,
                    "params": {"configuration_version_id": "cv-n4XQPBa2QnecZJ4G"},
                },
                "reason": "plans it",
            }
        ],
    }
    (sent,) = api.sent("PUT")
    assert (str(sent.url), len(sent.content)) == (UPLOAD_URL, size)
    with tarfile.open(fileobj=io.BytesIO(sent.content)) as tar:
        assert tar.getnames() == ["main.tf"]


async def test_likely_secrets_are_excluded_and_listed_unless_included(root: Path) -> None:
    for name in (".env", "prod.tfvars", "terraform.tfvars", "keys/id_ed25519"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("secret")
    view = await upload(root, willing_api())
    assert view["names"] == ["main.tf", "terraform.tfvars"]
    assert view["excluded_likely_secrets"] == [".env", "keys/id_ed25519", "prod.tfvars"]
    assert view["variable_files_uploaded"] == ["terraform.tfvars"]
    assert view["excluded"] == {"likely_secret": 3, "terraform_internal": 1}
    assert "include" in view["note"]
    view = await upload(root, willing_api(), include=["keys/id_ed25519", "./prod.tfvars"])
    assert view["names"] == ["keys/id_ed25519", "main.tf", "prod.tfvars", "terraform.tfvars"]
    assert view["excluded_likely_secrets"] == [".env"]


@pytest.mark.parametrize("path", ["main.tf", "terraform.tfstate", "nothing", "../x", "/etc/passwd"])
async def test_only_a_likely_secret_of_the_directory_can_be_included(path: str, root: Path) -> None:
    api = willing_api()
    given = {"workspace_id": WORKSPACE_ID, "directory": str(root), "include": [path]}
    error = await failure_of("upload_configuration", given, api=api, allowed_directories=(root,))
    assert isinstance(error, InvalidInput)
    assert repr(path) in error.message
    assert api.sent("POST") == []


async def test_names_of_many_files_are_limited(root: Path) -> None:
    for number in range(60):
        (root / f"{number:02}.tf").write_text("")
    names = (await upload(root, willing_api()))["names"]
    assert len(names) == 41
    assert names[-1] == "… 21 more"


@pytest.mark.parametrize("speculative", [False, True])
async def test_upload_never_starts_a_run(speculative: bool, root: Path) -> None:
    api = willing_api()
    view = await upload(root, api, speculative=speculative)
    (created,) = api.sent("POST")
    assert body(created)["data"]["attributes"] == {"auto-queue-runs": False, "speculative": speculative}
    (step,) = view["next_actions"]
    assert step["arguments"]["params"].get("plan_only", False) is speculative


async def test_ignored_directory_without_a_trailing_slash_is_noted(root: Path) -> None:
    (root / "logs").mkdir()
    (root / "logs" / "a").write_text("")
    (root / ".terraformignore").write_text("logs\n")
    assert (await upload(root, willing_api()))["note"].startswith(
        "logs: .terraformignore names it without a trailing slash"
    )


async def test_upload_that_is_still_processed_is_noted(root: Path) -> None:
    api = FakeApi().on("GET", VERSION, answer({"data": samples.configuration_version(status="fetching")}))
    created = answer({"data": samples.configuration_version(upload_url=UPLOAD_URL)}, 201)
    api.on("POST", f"/workspaces/{WORKSPACE_ID}/configuration-versions", created)
    api.on("PUT", UPLOAD_URL, httpx2.Response(200))
    api.on("GET", f"/workspaces/{WORKSPACE_ID}", answer({"data": samples.workspace()}))
    view = await upload(root, api)
    assert view["status"] == "fetching"
    assert view["follows"] == "The upload is still being processed. Wait a few seconds."


async def test_rejected_files_are_an_error(root: Path) -> None:
    errored = samples.configuration_version(status="errored", error_message="no such module")
    api = FakeApi().on("GET", VERSION, answer({"data": errored}))
    created = answer({"data": samples.configuration_version(upload_url=UPLOAD_URL)}, 201)
    api.on("POST", f"/workspaces/{WORKSPACE_ID}/configuration-versions", created)
    api.on("PUT", UPLOAD_URL, httpx2.Response(200))
    api.on("GET", f"/workspaces/{WORKSPACE_ID}", answer({"data": samples.workspace()}))
    error = await refused(root, api)
    assert isinstance(error, UnprocessableEntity)
    assert "no such module" in error.message


# -- refusals before anything is sent -------------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["main.tf", "main.tf.json", "main.tofu", "main.tofu.json"])
async def test_each_kind_of_configuration_file_is_accepted(file: str, root: Path) -> None:
    (root / "main.tf").rename(root / file)
    assert (await upload(root, willing_api()))["files"] == 1


@pytest.mark.parametrize("rules", [None, "*.tf\n"], ids=["none there", "all ignored"])
async def test_directory_without_configuration_is_refused(rules: str | None, root: Path) -> None:
    (root / "README.md").write_text("")
    (root / "modules").mkdir()
    (root / "modules" / "a.tofu").write_text("")
    if rules is None:
        (root / "main.tf").unlink()
    else:
        (root / ".terraformignore").write_text(rules)
    api = willing_api()
    error = await refused(root, api)
    assert isinstance(error, InvalidInput)
    assert "no Terraform configuration" in error.message
    assert error.cause == "Terraform configuration is in: modules."
    assert [request.method for request in api.requests] == ["GET"]


@pytest.mark.parametrize("working_directory", ["infra/prod", "/infra/prod/", "infra/./prod", "link"])
async def test_configuration_must_be_in_the_working_directory(working_directory: str, root: Path) -> None:
    (root / "infra" / "prod").mkdir(parents=True)
    (root / "link").symlink_to("infra/prod")
    (root / "main.tf").rename(root / "infra" / "prod" / "main.tf")
    assert (await upload(root, api_of(working_directory=working_directory)))["status"] == "uploaded"
    assert isinstance(await refused(root, api_of(working_directory="")), InvalidInput)


@pytest.mark.parametrize("working_directory", ["infra", "infra/prod/x", "..", "../..", "main.tf", "absent"])
async def test_missing_working_directory_is_named(working_directory: str, root: Path) -> None:
    (root / "infra").mkdir()
    api = api_of(working_directory=working_directory)
    error = await refused(root, api)
    assert isinstance(error, InvalidInput)
    assert repr(working_directory) in error.message
    assert api.sent("POST") == []


@pytest.mark.parametrize("directory", ["main.tf", "nowhere"])
async def test_path_that_is_not_a_directory_is_refused(directory: str, root: Path) -> None:
    api = willing_api()
    assert "cannot be read" in (await refused(root, api, str(root / directory))).message
    assert api.sent("POST") == []


async def test_link_that_leads_outside_is_refused(root: Path) -> None:
    (root / "link").symlink_to("/etc")
    api = willing_api()
    assert "'link' leads out" in (await refused(root, api)).message
    assert api.sent("POST") == []


@pytest.mark.parametrize("directory", ["/etc", "/", "/nowhere/at/all", "{root}/../..", "{root}/out"])
async def test_forbidden_directory_is_refused_whether_or_not_it_exists(directory: str, root: Path) -> None:
    (root / "out").symlink_to("/etc")
    api = willing_api()
    error = await refused(root, api, directory.format(root=root))
    assert isinstance(error, RefusedByMode)
    assert str(root) in error.cause
    assert api.requests == []


@pytest.mark.parametrize("mode", [Mode.PLAN, Mode.APPLY])
async def test_missing_allow_dir_is_explained(mode: Mode, root: Path) -> None:
    api = willing_api()
    given = {"workspace_id": WORKSPACE_ID, "directory": str(root)}
    policy = Policy(mode)
    error = await failure_of("upload_configuration", given, api=api, policy=policy, allowed_directories=())
    assert isinstance(error, RefusedByMode)
    assert "--allow-dir" in error.solution
    assert api.requests == []
