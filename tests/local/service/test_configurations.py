"""Configuration versions. Source: HCP Terraform API, "Configuration Versions"; contract notes, section 3, "Create"."""

from tests.local.support import Api, Json, anonymous, archive, ids_of, run_body


async def test_only_a_new_configuration_version_has_an_upload_url(api: Api) -> None:
    # Contract notes: "upload-url is shown on create only", "must be absolute"; status-timestamps may not be null.
    created = await api.create_configuration()
    assert created["attributes"]["status"] == "pending"
    assert created["attributes"]["upload-url"].startswith("http://")
    shown = (await api.get(f"/configuration-versions/{created['id']}"))["data"]["attributes"]
    assert "upload-url" not in shown
    assert shown["status-timestamps"] == {}


async def test_new_runs_use_the_last_uploaded_configuration_version(api: Api) -> None:
    created = await api.create_configuration()
    assert (await api.upload(created)).status_code == 200
    shown = (await api.get(f"/configuration-versions/{created['id']}"))["data"]["attributes"]
    assert shown["status"] == "uploaded"
    assert shown["status-timestamps"] == {"uploaded-at": "2026-01-02T03:04:05.000Z"}
    run = await api.create_run()
    assert run["relationships"]["configuration-version"]["data"]["id"] == created["id"]
    assert api.dispatches.phases_of(run["id"]) == ["plan"]


async def test_upload_queues_a_run_unless_auto_queue_runs_is_false(empty: Api) -> None:
    # Contract notes: "Upload queues a run by itself unless auto-queue-runs is false."
    empty.workspace_id = await empty.create_workspace()
    configuration_id = await empty.configured(**{"auto-queue-runs": None})
    runs = (await empty.get(f"/workspaces/{empty.workspace_id}/runs"))["data"]
    assert [run["relationships"]["configuration-version"]["data"]["id"] for run in runs] == [configuration_id]
    assert runs[0]["attributes"]["source"] == "tfe-configuration-version"
    assert "created-by" in runs[0]["relationships"]


async def test_speculative_and_provisional_versions_are_never_current(api: Api) -> None:
    # Contract notes: "default is the one uploaded last that is neither provisional nor speculative".
    current = (await api.get(f"/workspaces/{api.workspace_id}"))["data"]["relationships"][
        "current-configuration-version"
    ]
    for kind in ("speculative", "provisional"):
        await api.configured(**{kind: True})
    run = await api.create_run()
    assert run["relationships"]["configuration-version"]["data"] == current["data"]


async def test_speculative_configuration_version_is_plan_only(api: Api) -> None:
    # Contract notes: "plan-only defaults from the configuration version's `speculative`, and a speculative one forces
    # it."
    configuration_id = await api.configured(speculative=True)
    for plan_only in (None, False, True):
        run = await api.create_run(plan_only=plan_only)
        assert run["attributes"]["plan-only"] is bool(plan_only)
    run = await _run_with(api, configuration_id, plan_only=False)
    assert run["attributes"]["plan-only"] is True


async def _run_with(api: Api, configuration_id: str, status: int = 201, **attributes: bool) -> Json:
    document = await api.post("/runs", run_body(api.workspace_id, configuration_id, **attributes), status)
    return document["data"] if status == 201 else document["errors"][0]


async def test_run_can_use_the_configuration_of_another_workspace(api: Api) -> None:
    # Contract notes: "the configuration version may come from another workspace".
    other = await api.create_workspace("storage")
    run = await _run_with(api, await api.configured(other))
    assert run["attributes"]["status"] == "plan_queued"


async def test_run_without_usable_configuration_is_422(empty: Api) -> None:
    # Contract notes: "`Configuration version is still being processed.` / `Configuration version is missing`".
    empty.workspace_id = await empty.create_workspace()
    errors = await empty.create_run(status=422)
    assert errors[0]["detail"] == "Configuration version is missing"
    pending = await empty.create_configuration()
    assert (await _run_with(empty, pending["id"], 422))["detail"] == "Configuration version is still being processed."
    await _run_with(empty, "cv-0000000000000000", 404)


async def test_invalid_archive_is_422_and_its_error_is_stored(api: Api) -> None:
    created = await api.create_configuration()
    assert (await api.upload(created, b"no archive")).status_code == 422
    shown = (await api.get(f"/configuration-versions/{created['id']}"))["data"]["attributes"]
    assert shown["status"] == "errored"
    assert shown["error-message"]
    await _run_with(api, created["id"], 422)
    assert (await api.upload(created)).status_code == 409


async def test_second_upload_replaces_unused_files(api: Api) -> None:
    # go-tfe, TestConfigurationVersionsUploadTarGzip: two archives are sent to one address.
    created = await api.create_configuration()
    first, second, third = (archive({"main.tf": f"# {number}\n"}) for number in range(3))
    for content in (first, second):
        assert (await api.upload(created, content)).status_code == 200
        assert api.backend.objects.read("configuration", created["id"]) == content
    assert (await api.upload(created, b"no archive")).status_code == 422
    run = await _run_with(api, created["id"])
    answer = await api.upload(created, third)
    assert answer.status_code == 409
    assert f"run {run['id']} uses this configuration version" in answer.json()["errors"][0]["detail"]
    assert (await api.upload(created, second)).status_code == 200
    assert api.backend.objects.read("configuration", created["id"]) == second
    shown = (await api.get(f"/configuration-versions/{created['id']}"))["data"]["attributes"]
    assert shown["status"] == "uploaded"


async def test_uploading_the_same_files_again_queues_no_second_run(api: Api) -> None:
    created = await api.create_configuration(**{"auto-queue-runs": True})
    content = archive()
    for _ in range(2):
        assert (await api.upload(created, content)).status_code == 200
    assert len((await api.get(f"/workspaces/{api.workspace_id}/runs"))["data"]) == 1


async def test_download_returns_the_uploaded_files(api: Api) -> None:
    content = archive({"main.tf": "# ours\n"})
    created = await api.create_configuration()
    path = f"/configuration-versions/{created['id']}/download"
    await api.get(path, 404)
    await api.upload(created, content)
    run = await api.create_run()
    for download in (path, f"/runs/{run['id']}/configuration-version/download"):
        answer = await api.http.get(f"/api/v2{download}")
        assert answer.status_code == 302
        assert (await anonymous(api.http, "GET", answer.headers["location"])).content == content


async def test_archived_configuration_version_cannot_be_used(api: Api) -> None:
    old = (await api.get(f"/workspaces/{api.workspace_id}/configuration-versions"))["data"][0]["id"]
    path = f"/configuration-versions/{old}/actions/archive"
    run = await _run_with(api, old)
    error = (await api.post(path, None, 409))["errors"][0]  # go-tfe, TestConfigurationVersionsArchive
    assert error["title"] == "transition not allowed"
    assert error["detail"] == "The configuration could not be archived because it is current."
    await api.configured()
    await api.post(path, None, 409)  # a run still needs it
    await api.act(run, "cancel")
    await api.post(path, None, 202)
    await api.post(path, None, 202)
    assert api.backend.objects.read("configuration", old) is None
    await api.get(f"/configuration-versions/{old}/download", 404)
    await _run_with(api, old, 422)
    await api.post(f"/configuration-versions/{(await api.create_configuration())['id']}/actions/archive", None, 422)


async def test_configuration_versions_are_listed_newest_first(api: Api) -> None:
    ids = [await api.configured() for _ in range(2)]
    document = await api.get(f"/workspaces/{api.workspace_id}/configuration-versions")
    assert ids_of(document)[:2] == list(reversed(ids))
    assert document["meta"]["pagination"]["total-count"] == 3
