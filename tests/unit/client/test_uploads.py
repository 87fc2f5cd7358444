"""Configuration versions, uploads, comments and overrides, each sent once."""

import io
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from tests.support import samples
from tests.support.api import ADDRESS, TOKEN, FakeApi, answer, body, client_for, error
from tests.support.clock import FakeClock
from tests.support.samples import RUN_ID, WORKSPACE_ID
from tests.support.tables import rows
from tfruns.client.client import Client
from tfruns.errors import (
    Forbidden,
    InvalidInput,
    NotFound,
    OutcomeUnknown,
    TfrunsError,
    TransitionNotAllowed,
    UnexpectedResponse,
    UnprocessableEntity,
)
from tfruns.wire.configuration_versions import ConfigurationVersion

pytestmark = pytest.mark.anyio

UPLOAD_URL = "https://archivist.terraform.io/v1/object/c2VjcmV0LXVwbG9hZA"
SECRET = "c2VjcmV0LXVwbG9hZA"
VERSION_ID = "cv-n4XQPBa2QnecZJ4G"
CREATE = f"/workspaces/{WORKSPACE_ID}/configuration-versions"
CONTENT = bytes(range(256)) * 3_000  # more than one chunk


def version(**attributes: Any) -> httpx2.Response:
    return answer({"data": samples.configuration_version(VERSION_ID, **attributes)})


def waiting() -> ConfigurationVersion:
    return ConfigurationVersion(id=VERSION_ID, status="pending", upload_url=UPLOAD_URL)


async def uploaded(api: FakeApi, to: ConfigurationVersion | None = None) -> None:
    async with client_for(api) as client:
        await client.configuration_versions.upload(to or waiting(), io.BytesIO(CONTENT))


# -- creating ---------------------------------------------------------------------------------------------------------


@rows(
    ("options", "attributes"),
    [
        ({}, {}),
        ({"auto_queue_runs": False, "speculative": True}, {"auto-queue-runs": False, "speculative": True}),
        ({"provisional": False}, {"provisional": False}),
    ],
)
async def test_omitted_options_are_not_sent(options: dict[str, bool], attributes: dict[str, bool]) -> None:
    api = FakeApi().on("POST", CREATE, version(upload_url=UPLOAD_URL))
    async with client_for(api) as client:
        created = await client.configuration_versions.create(WORKSPACE_ID, **options)
    assert (created.id, created.upload_url) == (VERSION_ID, UPLOAD_URL)
    assert SECRET not in repr(created)
    assert body(api.requests[0]) == {"data": {"type": "configuration-versions", "attributes": attributes}}


LOST = [httpx2.ReadTimeout("no"), error(502, "bad gateway"), httpx2.Response(201, content=b'{"data"'), answer({})]


@rows("lost", LOST, ids=["timeout", "502", "truncated", "unreadable"])
async def test_lost_creation_is_unknown_and_not_retried(lost: Any) -> None:
    api = FakeApi().on("POST", CREATE, lost)
    async with client_for(api) as client:
        with pytest.raises(OutcomeUnknown):
            await client.configuration_versions.create(WORKSPACE_ID)
    assert len(api.sent("POST")) == 1


# -- uploading --------------------------------------------------------------------------------------------------------


async def test_upload_sends_the_file_with_its_length_without_the_token() -> None:
    api = FakeApi().on("PUT", UPLOAD_URL, httpx2.Response(200))
    await uploaded(api)
    (request,) = api.requests
    assert request.content == CONTENT
    assert request.headers["content-length"] == str(len(CONTENT))
    assert "transfer-encoding" not in request.headers
    assert "authorization" not in request.headers
    assert TOKEN not in str(request.headers)


@rows("passing", [httpx2.ReadTimeout("no"), httpx2.ConnectError("no"), httpx2.Response(503)])
async def test_retried_upload_starts_from_the_beginning(passing: Any) -> None:
    api = FakeApi().on("PUT", UPLOAD_URL, passing, httpx2.Response(200))
    await uploaded(api)
    assert [request.content for request in api.sent("PUT")] == [CONTENT, CONTENT]


async def test_upload_with_a_lost_response_succeeded_if_it_arrived() -> None:
    api = FakeApi().on("PUT", UPLOAD_URL, httpx2.ReadTimeout("no"), error(409, "conflict", "uploaded already"))
    await uploaded(api.on("GET", f"/configuration-versions/{VERSION_ID}", version(status="uploaded")))


@rows(
    ("refusal", "says"),
    [
        (error(422, "unprocessable entity", "it is not a gzip tar"), "422: unprocessable entity: it is not a gzip tar"),
        (httpx2.Response(403, html="<title>Denied</title>"), "403"),
        (httpx2.Response(413), "413"),
        (httpx2.Response(302, headers={"location": f"{UPLOAD_URL}/other"}), "302"),
        (httpx2.ReadTimeout(f"no {UPLOAD_URL}"), "in time"),
    ],
)
@rows("now", [version(), error(404, "not found")], ids=["waits", "unreadable"])
async def test_refused_upload_hides_the_signed_url(refusal: Any, says: str, now: httpx2.Response) -> None:
    api = FakeApi().on("PUT", UPLOAD_URL, refusal).on("GET", f"/configuration-versions/{VERSION_ID}", now)
    with pytest.raises(TfrunsError) as failed:
        await uploaded(api)
    shown = str(failed.value.as_dict())
    assert says in shown
    assert SECRET not in shown
    assert all(request.method in {"PUT", "GET"} for request in api.requests)


async def test_relative_upload_url_gets_no_token() -> None:
    api = FakeApi().on("PUT", f"{ADDRESS}/_archivist/v1/object/x", httpx2.Response(200))
    await uploaded(api, ConfigurationVersion(id=VERSION_ID, status="pending", upload_url="/_archivist/v1/object/x"))
    assert "authorization" not in api.requests[0].headers


async def test_upload_without_a_url_sends_nothing() -> None:
    api = FakeApi()
    with pytest.raises(UnexpectedResponse):
        await uploaded(api, ConfigurationVersion(id=VERSION_ID, status="pending"))
    assert api.requests == []


# -- waiting ----------------------------------------------------------------------------------------------------------


async def test_wait_lasts_until_the_files_are_processed() -> None:
    api, clock = FakeApi(), FakeClock()
    statuses = [version(), version(status="fetching"), version(status="uploaded")]
    api.on("GET", f"/configuration-versions/{VERSION_ID}", *statuses)
    async with client_for(api, clock) as client:
        assert (await client.configuration_versions.wait_until_processed(VERSION_ID)).status == "uploaded"
    assert clock.sleeps == [0.5, 0.5]


async def test_wait_returns_the_current_version_after_the_timeout() -> None:
    api, clock = FakeApi().on("GET", f"/configuration-versions/{VERSION_ID}", version()), FakeClock()
    async with client_for(api, clock) as client:
        found = await client.configuration_versions.wait_until_processed(VERSION_ID, timeout_s=2.0)
    assert found.status == "pending"
    assert sum(clock.sleeps) == pytest.approx(2.0)


async def test_rejected_files_are_an_error_with_the_reason() -> None:
    errored = version(status="errored", error_message="the archive is damaged")
    api = FakeApi().on("GET", f"/configuration-versions/{VERSION_ID}", errored)
    async with client_for(api) as client:
        with pytest.raises(UnprocessableEntity, match="the archive is damaged"):
            await client.configuration_versions.wait_until_processed(VERSION_ID)


# -- comments ---------------------------------------------------------------------------------------------------------

COMMENTS = f"/runs/{RUN_ID}/comments"


async def test_comment_is_sent_stripped() -> None:
    api = FakeApi().on("POST", COMMENTS, answer({"data": samples.comment(body="fine")}, 201))
    async with client_for(api) as client:
        assert (await client.comments.create(RUN_ID, " fine \n")).body == "fine"
    assert body(api.requests[0]) == {"data": {"type": "comments", "attributes": {"body": "fine"}}}


@rows("lost", LOST, ids=["timeout", "502", "truncated", "unreadable"])
async def test_lost_comment_is_unknown_and_not_retried(lost: Any) -> None:
    api = FakeApi().on("POST", COMMENTS, lost)
    async with client_for(api) as client:
        with pytest.raises(OutcomeUnknown):
            await client.comments.create(RUN_ID, "fine")
    assert len(api.sent("POST")) == 1


@rows("text", ["", " \n", "x" * 10_001])
async def test_empty_or_too_long_comment_is_not_sent(text: str) -> None:
    api = FakeApi()
    async with client_for(api) as client:
        with pytest.raises(InvalidInput):
            await client.comments.create(RUN_ID, text)
    assert api.requests == []


# -- overrides --------------------------------------------------------------------------------------------------------

CHECK, STAGE = samples.policy_check(), samples.task_stage()

OVERRIDES: list[Any] = [
    pytest.param(f"/policy-checks/{CHECK['id']}", lambda c: c.policy_checks.override(CHECK["id"]), id="policy check"),
    pytest.param(f"/task-stages/{STAGE['id']}", lambda c: c.task_stages.override(STAGE["id"]), id="task stage"),
]
Override = Callable[[Client], Awaitable[object]]


async def overridden(api: FakeApi, override: Override) -> None:
    async with client_for(api) as client:
        await override(client)


@pytest.mark.parametrize(("path", "override"), OVERRIDES)
async def test_override_is_sent_once(path: str, override: Override) -> None:
    resource = CHECK if "policy" in path else STAGE
    api = FakeApi().on("POST", f"{path}/actions/override", answer({"data": resource}))
    await overridden(api, override)
    assert [body(request) for request in api.requests] == [{}]


async def test_task_stage_override_sends_the_comment() -> None:
    api = FakeApi().on("POST", f"/task-stages/{STAGE['id']}/actions/override", answer({"data": STAGE}))
    await overridden(api, lambda c: c.task_stages.override(STAGE["id"], comment="agreed"))
    assert body(api.requests[0]) == {"comment": "agreed"}


@rows(("path", "override"), OVERRIDES)
@rows(("refusal", "kind"), [(403, Forbidden), (404, NotFound), (409, TransitionNotAllowed), (422, UnprocessableEntity)])
async def test_refused_override_is_an_error(
    path: str, override: Override, refusal: int, kind: type[TfrunsError]
) -> None:
    api = FakeApi().on("POST", f"{path}/actions/override", error(refusal, "no"))
    with pytest.raises(kind):
        await overridden(api, override)


@rows(
    ("status", "is_known"),
    [
        ("overridden", True),
        ("running", True),
        ("soft_failed", False),
        ("canceled", False),
        ("awaiting_override", False),
    ],
)
async def test_status_decides_about_a_lost_override(status: str, is_known: bool) -> None:
    is_check = status in {"overridden", "soft_failed"}
    resource = samples.policy_check(status=status) if is_check else samples.task_stage(status=status)
    path, override = OVERRIDES[0 if is_check else 1].values
    api = FakeApi().on("POST", f"{path}/actions/override", httpx2.ReadTimeout("no"))
    api.on("GET", path, answer({"data": resource}))
    if is_known:
        await overridden(api, override)
    else:
        with pytest.raises(OutcomeUnknown, match=status):
            await overridden(api, override)
    assert len(api.sent("POST")) == 1


@pytest.mark.parametrize(("path", "override"), OVERRIDES)
async def test_lost_override_is_unknown_if_unreadable(path: str, override: Override) -> None:
    api = FakeApi().on("POST", f"{path}/actions/override", error(504, "gateway timeout"))
    with pytest.raises(OutcomeUnknown, match="could not be read"):
        await overridden(api, override)
