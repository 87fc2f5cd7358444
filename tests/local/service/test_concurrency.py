"""Concurrent clients: each request is served by its own thread. One of them is accepted, and none gets a 5xx."""

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.local.support import STATE, Api, Json, anonymous, archive, resource, run_body
from tests.support.stores import on_both_stores
from tfruns.local.engine.cancel import StopSignal
from tfruns.local.engine.inputs import ExecutionConfig
from tfruns.local.engine.worker import Worker
from tfruns.local.service.phases import PhaseResult, StartedPhase
from tfruns.local.terraform.environment import OperatorSettings
from tfruns.local.terraform.executable import Terraform

pytestmark = on_both_stores

_ROUNDS = 4
_CLIENTS = 6

Request = tuple[str, str, Json]


async def _at_once(api: Api, *requests: Request) -> list[int]:
    """The status codes of concurrent requests."""
    answers = await asyncio.gather(
        *(api.http.request(method, f"/api/v2{path}", json=body) for method, path, body in requests)
    )
    assert [answer.text for answer in answers if answer.status_code >= 500] == []
    return [answer.status_code for answer in answers]


def _action(run: Json, action: str) -> Request:
    return "POST", f"/runs/{run['id']}/actions/{action}", None


async def _statuses(api: Api) -> Counter[str]:
    """The number of the workspace's runs by status."""
    document = await api.get(f"/workspaces/{api.workspace_id}/runs", **{"page[size]": "100"})
    return Counter(run["attributes"]["status"] for run in document["data"])


async def _events(api: Api, run: Json) -> list[str]:
    return [event["attributes"]["action"] for event in (await api.get(f"/runs/{run['id']}/run-events"))["data"]]


async def test_one_of_many_concurrent_applies_is_accepted(api: Api) -> None:
    for _ in range(_ROUNDS):
        run = await api.planned()
        codes = await _at_once(api, *[_action(run, "apply")] * _CLIENTS)
        assert sorted(codes) == [202] + [409] * (_CLIENTS - 1)
        assert (await _events(api, run)).count("confirmed") == 1
        assert api.dispatches.phases_of(run["id"]) == ["plan", "apply"]
        api.apply(run)


@pytest.mark.parametrize("rivals", [("apply", "discard"), ("discard", "discard")])
async def test_one_of_two_concurrent_decisions_is_accepted(api: Api, rivals: tuple[str, str]) -> None:
    for _ in range(_ROUNDS):
        run = await api.planned()
        codes = await _at_once(api, *(_action(run, action) for action in rivals))
        assert sorted(codes) == [202, 409]
        shown = (await api.run(run))["attributes"]["status"]
        assert shown == ("apply_queued" if rivals[codes.index(202)] == "apply" else "discarded")
        if shown == "apply_queued":
            api.apply(run)


async def test_concurrent_cancel_is_accepted_once(api: Api) -> None:
    for _ in range(_ROUNDS):
        run = await api.create_run()
        with ThreadPoolExecutor() as engine:
            begun = engine.submit(api.begin, run)
            codes = await _at_once(api, _action(run, "cancel"), _action(run, "cancel"))
            is_begun = begun.result(timeout=60)
        assert sorted(codes) == [202, 409]
        assert await api.status(run) == ("planning" if is_begun else "canceled")
        if is_begun:
            api.end(run, status="canceled")


async def test_apply_dispatched_several_times_runs_once(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[StartedPhase] = []

    def execute(_: Any, __: Any, phase: StartedPhase, ___: Any) -> PhaseResult:
        started.append(phase)
        return PhaseResult("finished")

    monkeypatch.setattr("tfruns.local.engine.worker.execute", execute)
    terraform = Terraform(("terraform",), "terraform", "1.11.4", "linux_amd64")
    workshop = ExecutionConfig(terraform, tmp_path / "work", OperatorSettings())
    worker = Worker(api.backend, workshop, lease="this start", stop_signal=StopSignal())
    for _ in range(_ROUNDS):
        run = await api.planned()
        await api.act(run, "apply")
        with ThreadPoolExecutor() as engine:
            for done in [engine.submit(worker.run_phase, run["id"], "apply") for _ in range(_CLIENTS)]:
                done.result(timeout=60)
        assert [(phase.run.id, phase.is_recovery) for phase in started] == [(run["id"], False)]
        assert await api.status(run) == "applied"
        started.clear()


async def test_one_of_many_concurrent_new_runs_is_planned(api: Api) -> None:
    for _ in range(_ROUNDS):
        codes = await _at_once(api, *[("POST", "/runs", run_body(api.workspace_id))] * _CLIENTS)
        assert codes == [201] * _CLIENTS
        assert await _statuses(api) - Counter(canceled=99) == Counter(plan_queued=1, pending=_CLIENTS - 1)
        runs = (await api.get(f"/workspaces/{api.workspace_id}/runs", **{"filter[status_group]": "non_final"}))["data"]
        await _at_once(api, *(_action(run, "cancel") for run in runs))
        assert set(await _statuses(api)) == {"canceled"}


async def test_next_run_starts_whenever_the_previous_finishes(api: Api) -> None:
    """New runs that arrive while a run finishes must not wait for a free workspace."""
    for _ in range(_ROUNDS):
        holder = await api.planned()
        codes = await _at_once(
            api, ("POST", "/runs", run_body(api.workspace_id)), _action(holder, "discard"),
            ("POST", "/runs", run_body(api.workspace_id)),
        )  # fmt: skip
        assert codes == [201, 202, 201]
        shown = await _statuses(api)
        assert (shown["plan_queued"], shown["pending"]) == (1, 1)
        runs = (await api.get(f"/workspaces/{api.workspace_id}/runs", **{"filter[status_group]": "non_final"}))["data"]
        await _at_once(api, *(_action(run, "cancel") for run in runs))


async def test_one_of_many_concurrent_saved_plans_is_applied(api: Api) -> None:
    for _ in range(_ROUNDS):
        saved = [await api.planned(save_plan=True) for _ in range(3)]
        codes = await _at_once(api, *(_action(run, "apply") for run in saved))
        assert sorted(codes) == [202, 409, 409]
        api.apply(saved[codes.index(202)])


async def test_one_of_many_concurrent_force_executes_is_accepted(api: Api) -> None:
    holder = await api.planned()
    rivals = [await api.create_run() for _ in range(2)]
    codes = await _at_once(api, *(_action(run, "force-execute") for run in rivals))
    assert codes.count(202) == 1
    assert await api.status(holder) == "discarded"
    assert (await _statuses(api))["plan_queued"] == 1


async def test_one_of_many_concurrent_locks_is_accepted(api: Api) -> None:
    path = f"/workspaces/{api.workspace_id}/actions"
    for _ in range(_ROUNDS):
        codes = await _at_once(api, *[("POST", f"{path}/lock", None)] * _CLIENTS)
        assert sorted(codes) == [200] + [409] * (_CLIENTS - 1)
        codes = await _at_once(api, *[("POST", f"{path}/unlock", None)] * _CLIENTS)
        assert sorted(codes) == [200] + [409] * (_CLIENTS - 1)


async def test_workspace_is_never_locked_and_held_by_a_run(api: Api) -> None:
    for _ in range(_ROUNDS):
        codes = await _at_once(
            api, ("POST", f"/workspaces/{api.workspace_id}/actions/lock", None),
            ("POST", "/runs", run_body(api.workspace_id)),
        )  # fmt: skip
        assert codes[1] == 201
        is_locked = codes[0] == 200
        assert (await _statuses(api))["pending" if is_locked else "plan_queued"] == 1
        if is_locked:
            await api.post(f"/workspaces/{api.workspace_id}/actions/unlock", None, 200)
        runs = (await api.get(f"/workspaces/{api.workspace_id}/runs", **{"filter[status_group]": "non_final"}))["data"]
        await _at_once(api, *(_action(run, "cancel") for run in runs))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/organizations/default/workspaces", resource("workspaces", {"name": "storage"})),
        ("/organizations", resource("organizations", {"name": "another", "email": "a@example.com"})),
        ("/workspaces/{}/vars", resource("vars", {"key": "region", "value": "eu", "category": "terraform"})),
    ],
)
async def test_concurrent_creates_take_a_name_once(api: Api, path: str, body: Json) -> None:
    codes = await _at_once(api, *[("POST", path.format(api.workspace_id), body)] * _CLIENTS)
    assert sorted(codes) == [201] + [422] * (_CLIENTS - 1)


async def test_same_files_are_accepted_by_concurrent_uploads(api: Api) -> None:
    configuration = await api.create_configuration()
    url = configuration["attributes"]["upload-url"]
    answers = await asyncio.gather(*(anonymous(api.http, "PUT", url, content=archive()) for _ in range(3)))
    assert [answer.status_code for answer in answers] == [200, 200, 200]


async def test_workspace_is_deleted_while_other_clients_use_it(api: Api) -> None:
    for _ in range(_ROUNDS):
        workspace_id = await api.create_workspace("doomed")
        configuration_id = await api.configured(workspace_id)
        await api.post(f"/workspaces/{workspace_id}/actions/lock", None, 200)
        waiting = await api.create_run(workspace_id)
        codes = await _at_once(
            api, ("DELETE", f"/workspaces/{workspace_id}", None),
            ("POST", "/runs", run_body(workspace_id)), ("POST", "/runs", run_body(workspace_id, plan_only=True)),
            ("POST", f"/workspaces/{workspace_id}/configuration-versions", resource("configuration-versions", {})),
            _action(waiting, "cancel"), ("GET", f"/runs/{waiting['id']}", None),
            ("POST", f"/workspaces/{workspace_id}/actions/unlock", None),
            ("POST", f"/runs/{waiting['id']}/comments", resource("comments", {"body": "why?"})),
            ("POST", f"/configuration-versions/{configuration_id}/actions/archive", None),
        )  # fmt: skip
        assert codes[0] in {204, 409}
        if codes[0] == 204:
            await api.get(f"/workspaces/{workspace_id}", 404)
            continue
        runs = (await api.get(f"/workspaces/{workspace_id}/runs", **{"filter[status_group]": "non_final"}))["data"]
        await _at_once(api, *(_action(run, "cancel") for run in runs))
        await api.send("DELETE", f"/workspaces/{workspace_id}", status=204)


async def test_workspaces_change_concurrently(api: Api) -> None:
    """The engine finishes applies while clients decide, upload and read: nothing is lost or waits forever."""
    workspaces = [api.workspace_id, await api.create_workspace("storage")]
    await api.configured(workspaces[1])
    applying = []
    for workspace_id in workspaces:
        run = await api.create_run(workspace_id, auto_apply=True)
        api.plan(run)
        assert api.begin(run, "apply")
        applying.append(run)
    saved = []
    for workspace_id in workspaces:
        saved.append(await api.create_run(workspace_id, save_plan=True))
        api.plan(saved[-1])
    result: dict[str, Any] = {"status": "finished", "state": STATE}
    with ThreadPoolExecutor() as engine:
        ends = [engine.submit(api.end, run, "apply", **result) for run in applying]
        codes = await _at_once(
            api, *(_action(run, "discard") for run in saved), *(("POST", "/runs", run_body(id_)) for id_ in workspaces),
            *(("GET", f"/workspaces/{id_}/runs", None) for id_ in workspaces),
            ("GET", "/organizations/default/runs", None),
        )  # fmt: skip
        for end in ends:
            end.result(timeout=60)
    assert set(codes[:2]) <= {202, 409}
    assert codes[2:] == [201, 201, 200, 200, 200]
    assert {await api.status(run) for run in saved} == {"discarded"}
    assert {await api.status(run) for run in applying} == {"applied"}
    for workspace_id in workspaces:
        api.workspace_id = workspace_id
        assert (await _statuses(api))["plan_queued"] == 1
