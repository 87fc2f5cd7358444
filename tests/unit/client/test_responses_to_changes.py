"""Every kind of response to every change: refused, done, confirmed by a read, or unknown."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2

from tests.support import samples
from tests.support.api import FakeApi, Script, answer, body, client_for, error
from tests.support.clock import FakeClock
from tests.support.samples import RUN_ID, WORKSPACE_ID, run
from tfruns.client.client import Client
from tfruns.errors import ApiError, OutcomeUnknown, RateLimited, TfrunsError
from tfruns.wire.run_params import RunParams

CHECK, STAGE = samples.policy_check(), samples.task_stage()
RUNS = f"/workspaces/{WORKSPACE_ID}/runs"
ORGANIZATION = "/organizations/acme/workspaces"
VERSIONS = f"/workspaces/{WORKSPACE_ID}/configuration-versions"

# A change: its path, the call, the status and the document of its answer (None: it has none).
Change = tuple[str, Callable[[Client], Awaitable[object]], int, Any]


def _attributes(type_: str, id_: str, **attributes: Any) -> Any:
    return {"data": {"id": id_, "type": type_, "attributes": attributes}}


def _action(name: str) -> Change:
    path = f"/runs/{RUN_ID}/actions/{name.replace('_', '-')}"
    return path, lambda client: getattr(client.runs, name)(RUN_ID), 202, None


def verbatim(response: httpx2.Response) -> Script:
    """A response without the options that were sent."""
    return lambda _: response


CHANGES: dict[str, Change] = {
    "create": ("/runs", lambda c: c.runs.create(WORKSPACE_ID, RunParams(message="m")), 201, {"data": run()}),
    **{name: _action(name) for name in ("apply", "discard", "cancel", "force_cancel", "force_execute")},
    "comment": (
        f"/runs/{RUN_ID}/comments",
        lambda c: c.comments.create(RUN_ID, "text"),
        201,
        _attributes("comments", "wsc-1", body="text"),
    ),
    "policy check": (
        f"/policy-checks/{CHECK['id']}/actions/override",
        lambda c: c.policy_checks.override(CHECK["id"]),
        200,
        {"data": CHECK},
    ),
    "task stage": (
        f"/task-stages/{STAGE['id']}/actions/override",
        lambda c: c.task_stages.override(STAGE["id"]),
        200,
        {"data": STAGE},
    ),
    "workspace": (
        ORGANIZATION,
        lambda c: c.workspaces.create("acme", "network"),
        201,
        {"data": samples.workspace() | {"attributes": {"name": "network"}}},
    ),
    "configuration version": (
        VERSIONS,
        lambda c: c.configuration_versions.create(WORKSPACE_ID),
        201,
        _attributes("configuration-versions", "cv-1", status="pending"),
    ),
}

JSON_API = {"content-type": "application/vnd.api+json"}
STATUSES: tuple[int, ...] = (
    200,
    201,
    202,
    204,
    206,
    300,
    301,
    302,
    303,
    304,
    307,
    308,
    400,
    401,
    403,
    404,
    407,
    408,
    409,
    413,
    422,
)
STATUSES += (425, 429, 500, 502, 503, 504, 520)
BODIES: dict[str, tuple[bytes, dict[str, str]]] = {
    "a page": (b"<html><title>Sign in</title></html>", {"content-type": "text/html; charset=utf-8"}),
    "a page that calls itself JSON": (b"<html></html>", JSON_API),
    "a text": (b"Accepted", {"content-type": "text/plain"}),
    "a text that is JSON": (b'"accepted"', JSON_API),
    "another JSON": (b'{"message": "Forbidden"}', {"content-type": "application/json"}),
    "no errors": (b'{"errors": []}', JSON_API),
    "no data": (b'{"data": null}', JSON_API),
    "a list": (b"[]", JSON_API),
    "a cut document": (b'{"data": {"id": "run-', JSON_API),
    "another resource": (b'{"data": {"id": "x-1", "type": "users", "attributes": {}}}', JSON_API),
    "an empty body of a page": (b"", {"content-type": "text/html"}),
    "nothing": (b"", {}),
}


async def outcome_of(change: Change, *answers: httpx2.Response | Exception) -> tuple[object, int]:
    """The call's error (or None) and the number of requests. No read shows the outcome."""
    path, call, _, _ = change
    api = FakeApi()
    for script in answers:
        api.on("POST", path, script if isinstance(script, Exception) else verbatim(script))
    api.on("GET", RUNS, answer(samples.page())).on(
        "GET", f"/runs/{RUN_ID}", answer({"data": run(status="assessing_x")})
    )
    try:
        await call(client_for(api, FakeClock()))
    except TfrunsError as failure:
        return failure, len(api.sent("POST"))
    return None, len(api.sent("POST"))


def _shows_it(kind: str, error_: object) -> bool:
    """A run in an unknown status is no longer pending, which is the effect of force-execute."""
    return kind == "force_execute" and error_ is None


async def test_response_not_from_the_api_is_an_unknown_outcome() -> None:
    wrong = []
    for kind, change in CHANGES.items():
        for status in STATUSES:
            for name, (content, headers) in BODIES.items():
                is_documented = change[3] is None and (status, name) == (202, "nothing")
                found, sent = await outcome_of(change, httpx2.Response(status, content=content, headers=headers))
                is_right = found is None if is_documented else isinstance(found, OutcomeUnknown)
                if sent != 1 or not (is_right or _shows_it(kind, found)):
                    wrong.append(f"{kind}, {status}, {name}: sent {sent} times, {found!r}")
    assert wrong == []


async def test_api_error_is_a_refusal_unless_it_is_a_5xx() -> None:
    wrong = []
    for kind, change in CHANGES.items():
        for status in (*range(400, 429), *range(430, 512)):
            found, sent = await outcome_of(change, error(status, "the words of the API"))
            is_refusal = status < 500 or status == 501
            is_right = isinstance(found, ApiError if is_refusal else OutcomeUnknown)
            if sent != 1 or not (is_right or (not is_refusal and _shows_it(kind, found))):
                wrong.append(f"{kind}, {status}: sent {sent} times, {found!r}")
    assert wrong == []


async def test_only_the_matching_response_is_a_success() -> None:
    for kind, change in CHANGES.items():
        right = httpx2.Response(change[2]) if change[3] is None else _echoed(change)
        assert await outcome_of(change, right) == (None, 1), kind


def _echoed(change: Change) -> httpx2.Response:
    document = change[3]
    if document["data"]["type"] == "runs":
        document = {"data": run(message="m")}
    return answer(document, change[2])


async def test_429_from_a_proxy_is_ambiguous_unlike_the_apis() -> None:
    limited = error(429, "too many requests", retry_after="1")
    page = httpx2.Response(429, html="<title>Slow down</title>", headers={"retry-after": "1"})
    for kind, change in CHANGES.items():
        right = httpx2.Response(change[2]) if change[3] is None else _echoed(change)
        assert await outcome_of(change, limited, right) == (None, 2), kind
        found, sent = await outcome_of(change, limited)
        assert (type(found), sent) == (RateLimited, 5), kind
        found, sent = await outcome_of(change, page, right)
        assert sent == 1, kind
        assert isinstance(found, OutcomeUnknown) or _shows_it(kind, found), kind


async def test_response_to_another_creation_is_not_accepted() -> None:
    """A run with another message, workspace or option, or one that an earlier call created."""
    others = [
        run(message="another"),
        run(message="m", workspace_id="ws-another"),
        run(message="m", is_destroy=True),
        run(message="m", target_addrs=["a.b"]),
    ]
    sent = RunParams(message="m", is_destroy=False, target_addrs=["c.d"])
    for other in others:
        api = FakeApi().on("POST", "/runs", verbatim(answer({"data": other}, 201)))
        api.on("GET", RUNS, answer(samples.page()))
        try:
            await client_for(api).runs.create(WORKSPACE_ID, sent)
        except OutcomeUnknown as failure:
            assert "to another request" in failure.message  # noqa: PT017  # one of several
        else:
            raise AssertionError(other)
    api = FakeApi().on("POST", "/runs", answer({"data": run()}, 201)).on("GET", RUNS, answer(samples.page()))
    client = client_for(api)
    assert (await client.runs.create(WORKSPACE_ID)).id == RUN_ID
    found: object = None
    try:
        await client.runs.create(WORKSPACE_ID)
    except OutcomeUnknown as failure:
        found = failure
    assert isinstance(found, OutcomeUnknown)
    assert [body(request) for request in api.sent("POST")] == [body(api.sent("POST")[0])] * 2


async def test_read_with_a_mismatched_response_is_retried() -> None:
    others = [answer({"data": run("run-another")}), answer({"data": CHECK})]
    api = FakeApi().on("GET", f"/runs/{RUN_ID}", *others, answer({"data": run()}))
    assert (await client_for(api).runs.read(RUN_ID)).id == RUN_ID
    assert len(api.requests) == 3
