"""Every change is recorded before and after it, and nothing is changed that cannot be recorded."""

import fcntl
import json
import multiprocessing
import os
import resource
import signal
import stat
import string
import threading
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.support import samples
from tests.support.api import FakeApi, answer, client_for, error
from tests.tools.calls import REQUIRED, RUN_ID, TOOLS, WORKSPACE_ID, call, failure_of, willing_api
from tfruns.errors import AuditFailed, InvalidInput, OutcomeUnknown
from tfruns.gate.audit import AuditLog, audit_file, logged_arguments
from tfruns.gate.pipeline import Gate
from tfruns.policy import Confirm, Policy
from tfruns.tool import Tool
from tfruns.views.base import View
from tfruns.wire.run_params import RunParams

CHANGING = [name for name, tool in TOOLS.items() if not tool.is_read_only]
WITHOUT_RUN = {"upload_configuration", "set_workspace_lock"} | {
    *("set_variable", "save_workspace", "delete_workspace", "roll_back_state"),
}
READING = [name for name, tool in TOOLS.items() if tool.is_read_only]


@pytest.fixture(autouse=True)
def log_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    path = tmp_path / "state" / "audit.jsonl"
    monkeypatch.setenv("TFRUNS_AUDIT_FILE", str(path))
    return path


def lines(path: Path) -> list[dict[str, Any]]:
    text = path.read_text(encoding="utf-8")
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


# -- every tool -------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize("name", CHANGING)
async def test_every_change_has_a_line_before_and_after_it(name: str, log_file: Path) -> None:
    seen: list[int] = []
    api = willing_api()
    send = api.handle_async_request

    async def watched(request: Any) -> Any:
        if request.method != "GET":
            seen.append(len(lines(log_file)))
        return await send(request)

    api.handle_async_request = watched  # type: ignore[method-assign]
    await call(name, api=api)
    begun, ended = lines(log_file)
    assert seen
    assert set(seen) == {1}, "the line must be written before the request is sent"
    assert (begun["event"], ended["event"]) == ("begun", "ended")
    assert begun["id"] == ended["id"]
    assert begun["tool"] == ended["tool"] == name
    assert begun["workspace"] == WORKSPACE_ID
    assert ended.get("run") == (None if name in WITHOUT_RUN else RUN_ID)
    assert begun["time"].endswith("Z")
    assert ended["outcome"] == "accepted"


@pytest.mark.parametrize("name", READING)
def test_read_only_calls_are_not_recorded(name: str, log_file: Path) -> None:
    anyio.run(lambda: call(name, api=willing_api()))
    assert not log_file.exists()


@pytest.mark.parametrize("name", CHANGING)
@pytest.mark.parametrize("obstacle", ["a directory", "a file in between", "a full disk"])
def test_nothing_is_sent_if_the_log_cannot_be_written(
    name: str, obstacle: str, log_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if obstacle == "a directory":
        log_file.mkdir(parents=True)
    elif obstacle == "a file in between":
        log_file.parent.write_text("")
    else:
        monkeypatch.setenv("TFRUNS_AUDIT_FILE", "/dev/full")
    api = willing_api()
    failure = anyio.run(lambda: failure_of(name, api=api))
    assert isinstance(failure, AuditFailed)
    assert "TFRUNS_AUDIT_FILE" in failure.solution
    assert api.sent("POST") == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answered", "outcome", "code"),
    [
        (error(409, "transition not allowed"), "refused", "transition_not_allowed"),
        (error(403, "forbidden"), "refused", "forbidden"),
        (error(404, "not found"), "refused", "not_found"),
        (error(500, "internal"), "unknown", "outcome_unknown"),
    ],
)
async def test_refusal_is_recorded_with_its_code(answered: Any, outcome: str, code: str, log_file: Path) -> None:
    api = willing_api()
    api.routes.clear()
    api.on("GET", f"/runs/{RUN_ID}", answer({"data": samples.planned()})).on(
        "POST", f"/runs/{RUN_ID}/actions/apply", answered
    )
    await failure_of("apply_run", api=api)
    begun, ended = lines(log_file)
    assert begun["tool"] == "apply_run"
    assert ended["outcome"] == outcome
    assert ended["code"] == code


def _tool(raises: BaseException) -> Tool:
    async def function(context: Any, run_id: str) -> View:
        raise raises

    fields = {name: getattr(TOOLS["discard_run"], name) for name in Tool.__dataclass_fields__ if name != "function"}
    return Tool(function=function, **fields)


@pytest.mark.anyio
async def test_partly_done_change_is_recorded(log_file: Path) -> None:
    api, stage = willing_api(), samples.task_stage()
    api.off("GET", f"/runs/{RUN_ID}/task-stages")
    api.on("GET", f"/runs/{RUN_ID}/task-stages", answer(samples.page(stage)))
    api.on("POST", f"/task-stages/{stage['id']}/actions/override", error(409, "transition not allowed"))
    await failure_of("override_policy_check", api=api)
    _, ended = lines(log_file)
    assert ended["outcome"] == "partly"
    assert ended["overridden"] == [samples.policy_check()["id"]]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("raises", "outcome"),
    [
        (OutcomeUnknown("the answer was lost"), "unknown"),
        (InvalidInput("wrong"), "failed"),
        (ValueError("a defect"), "failed"),
        (KeyboardInterrupt(), "unknown"),
    ],
)
async def test_outcome_of_every_error_is_recorded(raises: BaseException, outcome: str, log_file: Path) -> None:
    api = FakeApi()
    async with client_for(api) as client:
        with pytest.raises(type(raises)):
            await Gate(client, Policy(confirm=Confirm.NEVER)).call(_tool(raises), {"run_id": RUN_ID})
    assert [line.get("outcome") for line in lines(log_file)] == [None, outcome]


# -- the file ---------------------------------------------------------------------------------------------------------


def test_log_is_readable_by_its_owner_only(log_file: Path) -> None:
    before = os.umask(0)
    try:
        anyio.run(lambda: call("apply_run", api=willing_api()))
    finally:
        os.umask(before)
    assert stat.S_IMODE(log_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(log_file.parent.stat().st_mode) == 0o700


def test_log_is_in_the_platform_state_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TFRUNS_AUDIT_FILE")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert audit_file().name == "audit.jsonl"
    assert audit_file().parent.name == "tfruns"


async def _write_many(log: AuditLog, word: str, times: int) -> None:
    for number in range(times):
        entry = await log.begin({"tool": word, "arguments": {"text": word * 3000, "number": number}})
        await entry.end({"outcome": "accepted"})


def _write_in_process(path: str, word: str) -> None:
    anyio.run(_write_many, AuditLog(Path(path)), word, 50)


@pytest.mark.processes
def test_lines_of_several_processes_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b'{"time":"2026')  # of a process that crashed
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_write_in_process, args=(str(path), word)) for word in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    first, *rest = path.read_bytes().splitlines()
    assert first == b'{"time":"2026'
    found = [json.loads(line) for line in rest]
    assert len(found) == 3 * 50 * 2
    assert len({line["id"] for line in found}) == 150
    assert [line["time"] for line in found] == sorted(line["time"] for line in found)
    for line in found:
        if line["event"] == "begun":
            assert line["arguments"]["text"] == line["tool"] * 3000


def _fill(path: str, limit: int) -> None:
    """Write until the file may not grow, as on a full disk. The last write is incomplete."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    log = AuditLog(Path(path))
    with pytest.raises(AuditFailed) as failed:
        anyio.run(_write_many, log, "x", 50)
    assert failed.value.message == f"The audit log {path} cannot be written: File too large."


def _fill_where_nothing_can_be_removed(path: str, limit: int) -> None:
    def refuse(*_: object) -> None:
        raise OSError("append only")

    os.ftruncate = refuse
    _fill(path, limit)


@pytest.mark.processes
@pytest.mark.parametrize("fill", [_fill, _fill_where_nothing_can_be_removed])
def test_record_after_a_full_disk_starts_on_a_new_line(fill: Any, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    writer = multiprocessing.get_context("spawn").Process(target=fill, args=(str(path), 10_000))
    writer.start()
    writer.join(60)
    assert writer.exitcode == 0
    anyio.run(_write_many, AuditLog(path), "y", 1)
    begun, ended = [json.loads(line) for line in path.read_bytes().splitlines()[-2:]]
    assert (begun["tool"], begun["event"], ended["tool"], ended["event"]) == ("y", "begun", "y", "ended")
    whole = path.read_bytes().splitlines()[:-2]
    if fill is _fill:
        assert [json.loads(line)["tool"] for line in whole] == ["x"] * len(whole)
    else:
        assert len(b"\n".join(whole)) == 10_000
        assert not whole[-1].endswith(b"}")


def test_record_is_written_if_the_lock_is_never_released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tfruns.gate.record_file._LOCK_TIMEOUT_S", 0.0)
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b"half")
    with path.open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        anyio.run(_write_many, AuditLog(path), "y", 1)
    first, *rest = path.read_bytes().split(b"\n")
    assert first == b"half"
    assert [json.loads(line)["event"] for line in rest if line] == ["begun", "ended"]


@pytest.mark.anyio
async def test_slow_disk_delays_only_the_change(log_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    is_written, may_go_on = threading.Event(), threading.Event()
    sync = os.fsync

    def slow(file: int) -> None:
        is_written.set()
        assert may_go_on.wait(30)
        sync(file)

    monkeypatch.setattr(os, "fsync", slow)
    api = willing_api()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: call("apply_run", api=api))
        await anyio.to_thread.run_sync(is_written.wait, 30)  # the event loop is free
        assert api.sent("POST") == []
        may_go_on.set()
    assert len(api.sent("POST")) == 1
    assert [line["event"] for line in lines(log_file)] == ["begun", "ended"]


@pytest.mark.anyio
async def test_call_cancelled_while_it_is_recorded_sends_nothing(
    log_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = willing_api()
    sync = os.fsync
    async with anyio.create_task_group() as tasks:

        def cancel(file: int) -> None:
            anyio.from_thread.run_sync(tasks.cancel_scope.cancel)
            sync(file)

        monkeypatch.setattr(os, "fsync", cancel)
        tasks.start_soon(lambda: call("apply_run", api=api))
    assert api.sent("POST") == []
    begun, ended = lines(log_file)
    assert (begun["id"], ended["outcome"]) == (ended["id"], "unknown")


# -- secrets ----------------------------------------------------------------------------------------------------------

_SECRETS = st.text(string.ascii_letters + string.digits + "-_/+=", min_size=6, max_size=40)


@given(secret=_SECRETS, is_nested=st.booleans(), position=st.sampled_from(["before", "after"]))
@settings(deadline=None)
def test_log_contains_no_value_of_a_variable(secret: str, is_nested: bool, position: str) -> None:
    value: Any = {"inner": [secret]} if is_nested else f'"{secret}"'
    innocent = ("workspace_id", "ws-1", "params", "message", "variables", "password", "[removed]", "comment", position)
    params = RunParams.model_validate(
        {"message": f"{position} {secret} it", "variables": [{"key": "password", "value": value}]}
    )
    shown = json.dumps(logged_arguments({"workspace_id": "ws-1", "params": params, "comment": f"x{secret}"}))
    assume(not any(secret in word for word in innocent))
    assert secret not in shown


def test_recorded_arguments_are_truncated() -> None:
    params = RunParams(message="x" * 100_000, target_addrs=["aws_instance.a"] * 5_000)
    assert len(json.dumps(logged_arguments({"params": params, "comment": "é" * 100_000}))) < 10_000


def test_tokens_and_codes_are_not_recorded() -> None:
    shown = logged_arguments({"comment": "Bearer abcdefghijkl", "confirmation": "once-only", "run_id": "run-1"})
    assert shown == {"comment": "Bearer [removed]", "run_id": "run-1"}


@pytest.mark.anyio
async def test_recorded_arguments_are_those_that_are_sent(log_file: Path) -> None:
    arguments = REQUIRED["apply_run"] | {"comment": "looks good"}
    await call("apply_run", arguments, api=willing_api())
    assert lines(log_file)[0]["arguments"] == {"run_id": RUN_ID, "comment": "looks good"}


async def test_no_field_contains_a_token_or_an_invisible_character(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.jsonl")
    token = "aBcD1234efGH56.atlasv1.fakeSecret1234567890"
    fields = {
        "tool": "create_run",
        "workspace": token,
        "run": f"x {token}",
        "caller": "a\u200bb\u202e",
        "arguments": {},
    }
    entry = await log.begin(fields)
    await entry.end({"outcome": "accepted", "workspace": f"Bearer {token}"})
    records = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert [record.get("workspace") for record in records] == ["[removed]", "Bearer [removed]"]
    assert (records[0]["run"], records[0]["caller"]) == ("x [removed]", "ab")


def test_omitted_items_of_a_list_are_counted() -> None:
    addresses = [f"terraform_data.a[{number}]" for number in range(120)]
    shown = logged_arguments({"params": {"replace_addrs": addresses, "target_addrs": addresses[:100]}})
    assert shown["params"] == {"replace_addrs": [*addresses[:100], "… 20 more"], "target_addrs": addresses[:100]}
