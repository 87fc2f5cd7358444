"""Unusable files of the server, with the real executor: the run becomes errored, and its workspace is released."""

import pytest

from tests.local.support import STATE, Api, Json
from tfruns.local.engine.cancel import StopSignal
from tfruns.local.engine.inputs import ExecutionConfig
from tfruns.local.engine.worker import Worker


@pytest.fixture
def worker(api: Api, config: ExecutionConfig, stop_signal: StopSignal) -> Worker:
    return Worker(api.backend, config, lease="this start", stop_signal=stop_signal, first_delay_s=0.001)


async def _is_free(api: Api) -> bool:
    return not (await api.get(f"/workspaces/{api.workspace_id}"))["data"]["attributes"]["locked"]


async def _log(api: Api, run: Json, kind: str) -> str:
    content = api.backend.objects.read("log", run["relationships"][kind]["data"]["id"])
    assert content is not None
    return content.decode()


@pytest.mark.parametrize("kind", ["plan", "apply"])
async def test_unusable_run_directory_makes_the_run_errored(
    api: Api, worker: Worker, config: ExecutionConfig, kind: str
) -> None:
    run = await (api.create_run() if kind == "plan" else api.planned())
    if kind == "apply":
        await api.act(run, "apply")
    config.directory.rmdir()
    config.directory.write_text("not a directory")
    worker.run_phase(run["id"], kind)
    assert await api.status(run) == "errored"
    assert await _is_free(api)
    assert "Error: The run failed: the server cannot access its files: " in await _log(api, run, kind)


_DAMAGE = {"missing": None, "empty": b"", "damaged": STATE[:40], "damaged too": STATE.replace(b"aaaa", b"bbbb")}


@pytest.mark.parametrize("damage", _DAMAGE)
async def test_damaged_state_object_makes_the_run_errored(api: Api, worker: Worker, damage: str) -> None:
    applied = await api.applying()
    api.end(applied, "apply", state=STATE)
    state_id = (await api.get(f"/workspaces/{api.workspace_id}/current-state-version"))["data"]["id"]
    content = _DAMAGE[damage]
    api.backend.objects.delete("state", state_id)
    if content is not None:
        api.backend.objects.write("state", state_id, content)
    for option in ({}, {"is_destroy": True}, {"plan_only": True}):
        run = await api.create_run(**option)
        worker.run_phase(run["id"], "plan")
        assert await api.status(run) == "errored", "a plan would create all resources again"
        kind = damage.removesuffix(" too")
        text = f"the file of {state_id} in the server's data directory is {kind}. Restore objects/state/"
        assert text in await _log(api, run, "plan")
        assert await _is_free(api)
