"""The log of a plan or apply: plain text, limited, without secrets, also while it is being written."""

import json
from typing import Any

import anyio
import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import samples
from tests.support.api import FakeApi, answer, client_for, error, query
from tests.support.tables import rows
from tests.tools.calls import ASSISTANT, RUN_ID, TOOLS, compact
from tfruns.errors import InvalidInput
from tfruns.gate.pipeline import Gate
from tfruns.views.base import as_json

MAX_BYTES = 9_200
PLAN_ID, APPLY_ID = "plan-8F5JFydVYAmtTjET", "apply-47MBvjwzBG8YKc2v"
LOG = "https://archivist.example.com/v1/object/secretPermission"
SECRET = "correct-horse-battery"


class Object:
    """A log in the object store, which may grow. `reads` contains the requested parts."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.reads: list[tuple[int, int]] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        given = query(request)
        offset, limit = int(given["offset"]), int(given["limit"])
        self.reads.append((offset, limit))
        return httpx2.Response(200, content=self.data[offset : offset + limit])


def api_with(
    log: Object, *, phase_status: str = "finished", kind: str = "plans", plan: Any = None, **attributes: Any
) -> FakeApi:
    """A run whose plan (or apply) has this log, and whose plan has this JSON."""
    id_ = PLAN_ID if kind == "plans" else APPLY_ID
    phase = {"id": id_, "type": kind, "attributes": {"status": phase_status, "log-read-url": LOG}}
    api = FakeApi().on("GET", f"/runs/{RUN_ID}", answer({"data": samples.run(**attributes)}))
    api.on("GET", f"/{kind}/{id_}", answer({"data": phase}))
    api.on("GET", LOG, log)
    return api.on("GET", f"/plans/{PLAN_ID}/json-output", answer(plan) if plan else httpx2.Response(204))


async def read(api: FakeApi, **arguments: Any) -> Any:
    async with client_for(api) as client:
        view = as_json(await Gate(client, ASSISTANT).call(TOOLS["get_run_logs"], {"run_id": RUN_ID, **arguments}))
    assert len(compact(view)) <= MAX_BYTES
    assert "secretPermission" not in json.dumps(view)
    return view


def diagnostic(number: int, detail: str = "It is wrong.") -> bytes:
    body = {"severity": "error", "summary": f"Wrong {number}", "detail": detail, "address": "a.b"}
    line = {"@level": "error", "@message": f"Error: Wrong {number}", "type": "diagnostic", "diagnostic": body}
    return json.dumps(line).encode() + b"\n"


@pytest.mark.anyio
async def test_end_of_a_log_is_plain_text() -> None:
    log = Object(b"\x02Terraform v1.11.4\n\x1b[1mPlan:\x1b[0m 1 to add\n\x03")
    view = await read(api_with(log, phase_status="finished"))
    assert view["phase"] == "plan"
    assert view["phase_status"] == "finished"
    assert view["log"] == "Terraform v1.11.4\nPlan: 1 to add"
    assert "next_offset" not in view
    assert "note" not in view


@pytest.mark.anyio
async def test_errors_of_a_failed_phase_come_first() -> None:
    log = Object(b"first\n" + diagnostic(1) + b"[TRACE] noise\n" * 50)
    view = await read(
        api_with(
            log, phase_status="errored", kind="applies", status_timestamps={"confirmed-at": "2026-01-01T00:00:00Z"}
        )
    )
    assert view["phase"] == "apply"
    assert view["errors"] == ["Error: Wrong 1\n\n  with a.b,\n\nIt is wrong."]
    assert "Wrong" not in view["log"]
    assert list(view).index("errors") < list(view).index("log")


@pytest.mark.anyio
async def test_many_long_errors_are_limited_and_counted() -> None:
    log = Object(b"".join(diagnostic(number, "detail " * 500) for number in range(30)))
    view = await read(api_with(log, phase_status="errored"))
    assert view["errors"]
    assert view["note"].startswith("29 more errors omitted.")


@pytest.mark.anyio
@rows("line", [b"x" * 300, "ünï ".encode() * 90, b'"\\' * 150, b"\x00\x1b[31m" * 50 + b"y"])
async def test_long_last_lines_are_limited(line: bytes) -> None:
    view = await read(api_with(Object((line + b"\n") * 2_000)), tail_lines=1_000)
    (step,) = view["next_actions"]
    assert step == {
        "tool": "get_run_logs",
        "arguments": {"run_id": RUN_ID, "phase": view["phase"], "offset": 0},
        "reason": "reads from the beginning",
    }
    assert view["log"]


@pytest.mark.anyio
async def test_tail_lines_is_the_number_of_lines() -> None:
    log = Object(b"".join(b"line %d\n" % number for number in range(500)))
    view = await read(api_with(log), tail_lines=3)
    assert view["log"] == "line 497\nline 498\nline 499"


@pytest.mark.anyio
async def test_only_the_end_of_a_huge_log_is_read() -> None:
    line = b"[TRACE] provider: a line of noise that goes on for a while\n"
    log = Object(line * 1_000_000 + b"the end\n")
    view = await read(api_with(log), tail_lines=2)
    assert view["log"].endswith("\nthe end")
    assert len(log.reads) < 60
    assert sum(min(limit, max(0, len(log.data) - offset)) for offset, limit in log.reads) < 1_000_000


@pytest.mark.anyio
async def test_offsets_cover_the_whole_log() -> None:
    lines = [f"line {number}: {'x' * (number % 70)}" for number in range(3_000)]
    log = Object("".join(f"{line}\n" for line in lines).encode())
    pages: list[str] = []
    offset: int | None = 0
    while offset is not None:
        view = await read(api_with(log), offset=offset)
        pages.append(view["log"])
        offset = view["next_offset"]
    assert "\n".join(pages).split("\n") == lines


@pytest.mark.anyio
async def test_growing_log_can_be_followed() -> None:
    log = Object(b"\x02one\ntwo\nthr")
    api = api_with(log, phase_status="running")
    first = await read(api)
    assert (first["log"], first["next_offset"]) == ("one\ntwo", 9)
    nothing = await read(api, offset=9)
    assert (nothing["log"], nothing["next_offset"]) == ("", 9)
    log.data += b"ee\nfour \xf0\x9f"
    more = await read(api, offset=9)
    assert (more["log"], more["next_offset"]) == ("three", 15)
    log.data += b"\x98\x80\n\x03"
    last = await read(api, offset=15)
    assert (last["log"], last["next_offset"]) == ("four 😀", None)


@pytest.mark.anyio
async def test_search_ignores_case() -> None:
    log = Object(b"alpha\nError: BETA failed\n" * 40 + b"gamma\n")
    view = await read(api_with(log), search="beta", tail_lines=5)
    assert view["log"].split("\n") == ["Error: BETA failed"] * 5
    assert view["note"] == "40 lines match; the last 5 are shown."
    assert (await read(api_with(log), search="none"))["note"] == "0 lines match."
    assert (await read(api_with(log), search="gamma"))["note"] == "1 line matches."


SILENT = b'{"@level":"info","@message":"a.b: Refresh complete","type":"refresh_complete"}\n'


@pytest.mark.anyio
@rows(
    ("data", "text", "lines"),
    [
        (b"one\n" + SILENT * 3 + b"two\n", "one\ntwo", 2),
        (SILENT, "", 0),
        (b"\n", "", 1),
        (b'{"@level":"info","@message":"","type":"log"}\n', "", 0),
        (b'{"@level":"info","@message":"","type":"init_output"}\nend', "end", 1),
    ],
)
async def test_message_without_output_gives_no_line(data: bytes, text: str, lines: int) -> None:
    page = await read(api_with(Object(data)), offset=0)
    assert (page["log"], page["line_count"], page["next_offset"]) == (text, lines, None)
    assert (await read(api_with(Object(data))))["log"] == text


async def pages_of(log: Object, **arguments: Any) -> tuple[list[str], list[Any]]:
    """All lines from the beginning, page by page, and the offsets of the pages."""
    lines: list[str] = []
    offsets: list[Any] = [0]
    while offsets[-1] is not None:
        view = await read(api_with(log), offset=offsets[-1], **arguments)
        lines += view["log"].split("\n") if view["line_count"] else []
        assert view["line_count"] <= arguments.get("tail_lines", 100_000)
        offsets.append(view["next_offset"])
    return lines, offsets


MIXED = b"".join(
    (b"line %d %s\n" % (number, b"needle " * (number % 9 == 0) + b"x" * (number % 70))) + SILENT * (number % 3)
    + b"\n" * (number % 11 == 0)
    for number in range(2_000)
)  # fmt: skip


@pytest.mark.anyio
async def test_pages_tail_and_search_agree_and_no_line_is_lost_or_repeated() -> None:
    log = Object(MIXED)
    expected = [line for line in MIXED.decode().removesuffix("\n").split("\n") if "Refresh complete" not in line]
    matching = [line for line in expected if "needle" in line]
    assert (await pages_of(log))[0] == expected
    assert (await pages_of(log, tail_lines=700))[0] == expected
    assert (await pages_of(log, search="NEEDLE"))[0] == matching
    assert (await pages_of(log, search="needle", tail_lines=7))[0] == matching
    assert (await read(api_with(log), tail_lines=30))["log"].split("\n") == expected[-30:]
    assert (await read(api_with(log), search="needle", tail_lines=9))["log"].split("\n") == matching[-9:]


@pytest.mark.anyio
async def test_search_from_an_offset_continues_until_a_match() -> None:
    log = Object(b"noise noise\n" * 50_000 + b"needle\n" + b"noise\n" * 10)
    view = await read(api_with(log), search="needle", offset=0)
    assert (view["log"], view["next_offset"]) == ("needle", None)
    rare = Object((b"noise" * 20 + b"\n") * 60_000 + b"needle\n")
    first = await read(api_with(rare), search="needle", offset=0)
    assert (first["log"], first["line_count"]) == ("", 0)
    assert 4_000_000 < first["next_offset"] < 5_000_000
    assert (await pages_of(rare, search="needle"))[0] == ["needle"]


@pytest.mark.anyio
@pytest.mark.parametrize("offset", [None, 0])
async def test_match_at_the_end_of_a_long_line_is_shown(offset: int | None) -> None:
    log = Object(b"a" * 10_000 + b" needle " + b"b" * 10_000 + b"\n")
    text = (await read(api_with(log), search="needle", offset=offset))["log"]
    assert " needle " in text
    assert text.startswith("[9,001 characters omitted] …aaa")


@pytest.mark.anyio
async def test_too_long_search_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at most 1,000 characters"):
        await read(FakeApi(), search="x" * 60_000)


PLAN = {
    "resource_changes": [
        {
            "address": "a.b",
            "type": "a",
            "change": {
                "actions": ["create"],
                "before": None,
                "after": {"password": SECRET},
                "after_sensitive": {"password": True},
            },
        }
    ]
}


@pytest.mark.anyio
async def test_sensitive_value_of_the_plan_is_never_shown() -> None:
    log = Object(f"a.b (local-exec): login {SECRET} ok\n".encode() + diagnostic(1, f"refused: {SECRET}"))
    for arguments in ({}, {"offset": 0}, {"search": "login"}):
        view = await read(api_with(log, phase_status="errored", plan=PLAN), **arguments)
        assert SECRET not in json.dumps(view)
        assert "login (sensitive value) ok" in view["log"]
    assert (await read(api_with(log, plan=PLAN), search=SECRET))["log"] == ""


@pytest.mark.anyio
@rows("end", [b"", b"\n", b"\nfinished\n"])
@rows("status", ["errored", "running"])
async def test_sensitive_value_is_masked_across_the_parts_of_a_long_line(status: str, end: bytes) -> None:
    log = Object(b"begin " + SECRET.encode() * 20_000 + end)
    api = api_with(log, phase_status=status, plan=PLAN)
    texts = [str(await read(api, **arguments)) for arguments in ({}, {"search": "e"}, {"search": "begin"})]
    offset: int | None = 0
    while offset is not None:
        view = await read(api, offset=offset)
        texts.append(view["log"])
        offset = view["next_offset"] if view["next_offset"] != offset else None
    assert not [text for text in texts if "correct" in text or "horse" in text or "battery" in text]


@pytest.mark.anyio
async def test_token_in_a_log_is_removed() -> None:
    log = Object(b"curl -H 'Authorization: Bearer abcdef123456' https://x/\n")
    assert "abcdef123456" not in (await read(api_with(log)))["log"]


@pytest.mark.anyio
async def test_log_is_readable_without_permission_for_the_plan() -> None:
    api = api_with(Object(b"text\n"))
    api.off("GET", f"/plans/{PLAN_ID}/json-output")
    assert (await read(api))["log"] == "text"


@pytest.mark.anyio
@rows(
    ("attributes", "phase"),
    [
        ({"status": "planning"}, "plan"),
        ({"status": "applying", "status_timestamps": {"confirmed-at": "2026-01-01T00:00:00Z"}}, "apply"),
        ({"status": "errored", "status_timestamps": {"planned-at": "2026-01-01T00:00:00Z"}}, "plan"),
    ],
)
async def test_default_phase_is_the_apply_if_it_began(attributes: dict[str, Any], phase: str) -> None:
    api = api_with(Object(b"of the plan\n"), **attributes)
    apply = {"id": APPLY_ID, "type": "applies", "attributes": {"status": "running", "log-read-url": LOG}}
    api.on("GET", f"/applies/{APPLY_ID}", answer({"data": apply}))
    assert (await read(api))["phase"] == phase
    assert (await read(api, phase="plan"))["phase"] == "plan"


@pytest.mark.anyio
@rows("arguments", [{}, {"phase": "plan"}, {"phase": "apply"}])
async def test_missing_log_is_noted(arguments: dict[str, Any]) -> None:
    api = api_with(Object(b""), phase_status="pending")
    apply = {"id": APPLY_ID, "type": "applies", "attributes": {"status": "unreachable", "log-read-url": LOG}}
    api.on("GET", f"/applies/{APPLY_ID}", answer({"data": apply}))
    view = await read(api, **arguments)
    assert view["log"] == ""
    assert (
        view["note"]
        == ("The run has no log of the " + arguments["phase"] if arguments else "The run has no log") + " yet."
    )
    assert [step["tool"] for step in view["next_actions"]] == ["diagnose_run"]


@pytest.mark.anyio
@rows("arguments", [{"tail_lines": 0}, {"tail_lines": 1_001}, {"offset": -1}])
async def test_invalid_numbers_are_refused(arguments: dict[str, Any]) -> None:
    api = FakeApi()
    with pytest.raises(InvalidInput):
        await read(api, **arguments)
    assert api.requests == []


@pytest.mark.anyio
async def test_object_store_that_ignores_offsets_is_supported() -> None:
    api = api_with(Object(b""))
    api.off("GET", LOG).on("GET", LOG, httpx2.Response(200, content=b"line\n" * 20_000))
    view = await read(api, tail_lines=2)
    assert view["log"] == "line\nline"


@pytest.mark.anyio
async def test_expired_url_is_an_error_that_does_not_contain_it() -> None:
    api = api_with(Object(b""))
    api.off("GET", LOG).on("GET", LOG, error(403, "expired"))
    with pytest.raises(Exception, match="object store") as raised:
        await read(api)
    assert "secretPermission" not in str(raised.value)


CHUNK = 65_536  # bytes of a log per request


@settings(max_examples=15, deadline=None)
@given(
    st.sampled_from(["hunter22", "größe-€-🔒", "ab" * 300, "-begin-\nfirst-line\nsecond-line\n-end-"]),
    st.sampled_from([0, CHUNK, 2 * CHUNK, 4 * CHUNK]),
    st.integers(-700, 100),
    st.integers(-100, 700),
)
def test_secret_is_masked_wherever_a_page_begins(secret: str, piece: int, shift: int, begin: int) -> None:
    place = max(0, piece + shift)
    log = (("x" * 79 + "\n") * (place // 80 + 1))[:place].encode() + secret.encode() + b"\nthe end\n"
    change = {"before": None, "after": {"p": secret}, "after_sensitive": {"p": True}, "actions": ["create"]}
    source = {"resource_changes": [{"address": "a.b", "type": "a", "name": "b", "change": change}]}

    async def shown(arguments: dict[str, Any]) -> str:
        api = api_with(Object(log), plan=source, status="planned")
        return str((await read(api, **arguments))["log"])

    calls: list[dict[str, Any]] = [{}, {"offset": max(0, place + begin)}, {"offset": max(0, place - 200)}]
    for arguments in (*calls, {"search": "e"}):
        text = anyio.run(shown, arguments)
        for part in secret.split("\n"):
            for at in range(len(part) - 5):  # a line of fewer than six characters is not searched for
                assert part[at : at + 6] not in text, arguments
