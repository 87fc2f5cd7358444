"""Logs, uploads and downloads over signed URLs. Sources: HCP Terraform API, "Plans"; contract notes, 4."""

import os
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import anyio
import jwt
import pytest
from sqlalchemy.exc import OperationalError
from starlette.requests import ClientDisconnect

from tests.local.support import BASE_URL, Api, Clock, Json, anonymous, archive
from tfruns.local.api.app import build_app
from tfruns.local.api.rate_limit import RateLimiter
from tfruns.local.api.signer import OBJECT_PATH, ObjectGrant, Signer
from tfruns.local.store.database import Database
from tfruns.local.terraform import slug
from tfruns.local.terraform.log import PhaseLog

TEXT = b"Terraform v1.11.4\non linux_amd64\nInitializing plugins and modules...\n"


async def _log(api: Api, run: Json, *, is_ended: bool) -> str:
    """The URL of the log of a run's plan, which contains some lines."""
    plan_id = run["relationships"]["plan"]["data"]["id"]
    api.begin(run)
    api.backend.objects.write("log", plan_id, TEXT)
    if is_ended:
        api.end(run)
    return str((await api.get(f"/plans/{plan_id}"))["data"]["attributes"]["log-read-url"])


async def _read(api: Api, url: str, **query: int) -> bytes:
    response = await anonymous(api.http, "GET", url, params=query or None)
    assert response.status_code == 200, response.text
    return response.content


async def test_log_url_is_absolute_and_needs_no_token(api: Api) -> None:
    url = await _log(api, await api.create_run(), is_ended=True)
    assert url.startswith(BASE_URL)
    assert await _read(api, url) == b"\x02" + TEXT + b"\x03"


async def test_log_of_a_running_phase_has_no_end_marker(api: Api) -> None:
    url = await _log(api, await api.create_run(), is_ended=False)
    assert await _read(api, url) == b"\x02" + TEXT


@pytest.mark.parametrize("is_ended", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
async def test_parts_of_a_log_add_up_to_the_log(api: Api, limit: int, is_ended: bool) -> None:
    # Contract notes: "STX (0x02) first, ETX (0x03) last; honour byte offset and limit, … past the end 200 and empty."
    url = await _log(api, await api.create_run(), is_ended=is_ended)
    found = b""
    while part := await _read(api, url, offset=len(found), limit=limit):
        assert len(part) <= limit
        found += part
    assert found == await _read(api, url)
    assert await _read(api, url, offset=10**14, limit=limit) == b""
    assert await _read(api, url, offset=0, limit=0) == b""


async def test_large_log_is_sent_in_parts(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tfruns.local.terraform.log.PART_BYTES", 10)
    monkeypatch.setattr("tfruns.local.api.objects.PART_BYTES", 10)
    url = await _log(api, await api.create_run(), is_ended=True)
    assert await _read(api, url) == b"\x02" + TEXT + b"\x03"
    assert await _read(api, url, offset=5, limit=30) == (b"\x02" + TEXT)[5:35]
    sent: list[bytes] = []

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))

    async def receive() -> Any:
        await anyio.sleep_forever()

    path = url.removeprefix(BASE_URL)
    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"",
             "headers": [], "scheme": "http", "server": ("x", 80), "root_path": "", "http_version": "1.1"}  # fmt: skip
    await build_app(api.backend, Signer(b"k" * 32), RateLimiter(is_limited=False))(scope, receive, send)
    assert max(map(len, sent)) <= 10
    assert b"".join(sent) == b"\x02" + TEXT + b"\x03"


async def test_log_is_503_while_the_database_is_unavailable(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("the server closed the connection"))

    url = await _log(api, await api.create_run(), is_ended=True)
    monkeypatch.setattr(Database, "read", unavailable)
    response = await anonymous(api.http, "GET", url)
    assert (response.status_code, response.headers["retry-after"]) == (503, "1.000")
    assert response.json()["errors"][0]["status"] == "503"


async def test_upload_to_a_full_disk_is_503_and_leaves_no_file(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    created = await api.create_configuration()
    monkeypatch.setattr(slug, "check", full)
    response = await api.upload(created)
    assert response.status_code == 503
    assert "disk is full" in response.json()["errors"][0]["detail"]
    assert _incoming(api) == []
    shown = (await api.get(f"/configuration-versions/{created['id']}"))["data"]["attributes"]
    assert shown["status"] == "pending"


async def test_empty_log_has_markers_once_the_phase_has_ended(api: Api) -> None:
    run = await api.create_run()
    path = f"/plans/{run['relationships']['plan']['data']['id']}"
    assert await _read(api, (await api.get(path))["data"]["attributes"]["log-read-url"]) == b""
    await api.act(run, "cancel")
    assert await _read(api, (await api.get(path))["data"]["attributes"]["log-read-url"]) == b"\x02\x03"


@pytest.mark.parametrize("query", ["offset=-1", "offset=x", "limit=-5", "limit=1e3", "offset=²", "offset=" + "9" * 20])
async def test_invalid_offset_or_limit_is_400(api: Api, query: str) -> None:
    url = await _log(api, await api.create_run(), is_ended=True)
    response = await anonymous(api.http, "GET", f"{url}?{query}")
    assert response.status_code == 400
    assert response.json()["errors"][0]["status"] == "400"


async def test_plans_json_output_is_204_and_then_a_redirect(api: Api) -> None:
    # Contract notes: "json-output: 204 until ready, then 307 to a short-lived URL."
    run = await api.create_run()
    plan_id = run["relationships"]["plan"]["data"]["id"]
    for name, kind in (("json-output", "plan-json"), ("json-output-redacted", "plan-json-redacted")):
        await api.get(f"/plans/{plan_id}/{name}", 204)
        api.backend.objects.write(kind, plan_id, b'{"kind": "%s"}' % kind.encode())
        response = await api.http.get(f"/api/v2/plans/{plan_id}/{name}")
        assert response.status_code == 307
        assert (await anonymous(api.http, "GET", response.headers["location"])).json() == {"kind": kind}


async def test_unserved_request_is_logged_without_token_and_controls(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    url = await _log(api, await api.create_run(), is_ended=True)
    await anonymous(api.http, "DELETE", url)
    await anonymous(api.http, "GET", f"{BASE_URL}/none%1b%5b31m")
    assert "is not served (405)" in caplog.text
    assert url.rpartition("/")[2] not in caplog.text
    assert r"/none\x1b[31m is not served (404)" in caplog.text


async def test_missing_endpoint_is_not_logged_for_the_own_client(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    url = f"{BASE_URL}/api/v2/workspaces/{api.workspace_id}/current-assessment-result"
    with caplog.at_level("INFO"):
        for agent, lines in (("tfruns/1.0 (Python 3.11)", 0), ("go-tfe", 1)):
            assert (await api.http.get(url, headers={"user-agent": agent})).status_code == 404
            assert caplog.text.count("is not served (404)") == lines


# -- signed URLs -----------------------------------------------------------------------------------------------------


async def test_signed_url_expires(api: Api) -> None:
    url = await _log(api, await api.create_run(), is_ended=True)
    api.clock.advance(3599)
    await _read(api, url)
    api.clock.advance(1)
    assert (await anonymous(api.http, "GET", url)).status_code == 404


async def test_modified_or_forged_url_is_404(api: Api) -> None:
    url = await _log(api, await api.create_run(), is_ended=True)
    forged = BASE_URL + Signer(b"x" * 32).object_path(ObjectGrant("read", "log", "plan-x"), api.clock.now())
    start, _, signature = url.rpartition(".")
    for changed in (url[:-5], url + "x", start, f"{start}.", start + signature, forged, BASE_URL + OBJECT_PATH + "x"):
        response = await anonymous(api.http, "GET", changed)
        assert (response.status_code, response.json()["errors"][0]["title"]) == (404, "not found")


async def test_read_url_cannot_write_and_a_write_url_cannot_read(api: Api) -> None:
    url = await _log(api, await api.create_run(), is_ended=True)
    assert (await anonymous(api.http, "PUT", url, content=b"x")).status_code == 404
    created = await api.create_configuration()
    assert (await anonymous(api.http, "GET", created["attributes"]["upload-url"])).status_code == 404


def test_token_without_one_of_its_claims_is_rejected() -> None:
    signer, now = Signer(b"k" * 32), Clock().now()
    whole: dict[str, str | int] = {"v": "read", "k": "log", "i": "plan-x", "u": "", "aud": "object"}
    whole["exp"] = int((now + timedelta(hours=1)).timestamp())
    for name in whole:
        claims = {key: value for key, value in whole.items() if key != name}
        assert signer.read_grant(jwt.encode(claims, b"k" * 32, algorithm="HS256"), now) is None
    assert signer.read_grant(jwt.encode(whole, b"k" * 32, algorithm="HS256"), now) == ObjectGrant(
        "read", "log", "plan-x"
    )


# -- uploads ----------------------------------------------------------------------------------------------------------


def _incoming(api: Api) -> list[str]:
    return [path.name for path in api.backend.objects.path("incoming", "x").parent.glob("*")]


async def test_upload_leaves_no_temporary_file(api: Api) -> None:
    created = await api.create_configuration()
    await api.upload(created, b"not an archive")
    await api.upload(await api.create_configuration(), archive())
    assert _incoming(api) == []
    assert api.backend.objects.read("configuration", created["id"]) is None


async def test_uploads_and_logs_are_private_whatever_the_umask(api: Api) -> None:
    previous = os.umask(0)
    try:
        created = await api.create_configuration()
        assert (await api.upload(created)).status_code == 200
        PhaseLog(log := api.backend.objects.path("log", "plan-x")).close()
    finally:
        os.umask(previous)
    archive_path = api.backend.objects.path("configuration", created["id"])
    modes = {path: path.stat().st_mode & 0o777 for path in (archive_path, archive_path.parent, log, log.parent)}
    assert modes == {archive_path: 0o600, archive_path.parent: 0o700, log: 0o600, log.parent: 0o700}


async def test_aborted_upload_leaves_no_file_and_can_be_repeated(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    async def half() -> AsyncIterator[bytes]:
        yield archive()[:10]
        raise ClientDisconnect

    created = await api.create_configuration()
    await anonymous(api.http, "PUT", created["attributes"]["upload-url"], content=half())
    assert caplog.records == [], "an aborted upload is not a server error"
    assert _incoming(api) == []
    shown = (await api.get(f"/configuration-versions/{created['id']}"))["data"]["attributes"]
    assert shown["status"] == "pending"
    assert (await api.upload(created)).status_code == 200


async def test_upload_that_is_too_large_is_413_and_leaves_no_file(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tfruns.local.api.objects._MAX_UPLOAD_BYTES", 5)
    created = await api.create_configuration()
    response = await api.upload(created)
    assert (response.status_code, response.json()["errors"][0]["status"]) == (413, "413")
    assert _incoming(api) == []


async def test_upload_for_a_deleted_workspace_is_404(api: Api) -> None:
    created = await api.create_configuration()
    await api.send("DELETE", f"/workspaces/{api.workspace_id}", status=204)
    response = await api.upload(created)
    assert response.status_code == 404
    assert _incoming(api) == []
