"""Invalid input never stops the server: after each bad line, a valid request gets a response."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api import TOKEN
from tests.support.stdio import CLIENT_INFO, WITH_HANDSHAKE, WITHOUT_HANDSHAKE, StdioServer, environment

NOBODY = "http://127.0.0.1:9"  # no request may be sent for these


def request(method: str = "ping", id_: object = 7, **params: object) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": id_, "method": method, "params": params}).encode()


def call(tool: object, arguments: object) -> bytes:
    return request("tools/call", name=tool, arguments=arguments)


def create(params: str) -> bytes:
    arguments = f'{{"workspace_id":"ws-1","params":{params}}}'
    head = '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"create_run","arguments":'
    return f"{head}{arguments}}}}}".encode()


HUGE = 4_000_000
LINES = {
    # not JSON
    "words": b"hello",
    "an empty line": b"",
    "white space": b" \t ",
    "a NUL": b"\x00",
    "invalid UTF-8": b"\xff\xfe\x80",
    "invalid UTF-8 in a string": b'{"jsonrpc":"2.0","id":7,"method":"\xff\xfe"}',
    "a byte order mark": b"\xef\xbb\xbf" + request(),
    "truncated JSON": request()[:-2],
    "two values": request() + request(),
    "a huge line of no JSON": b"a" * HUGE,
    "a huge line of nesting": b"[" * 100_000,
    # JSON that is not a message
    "null": b"null",
    "a number": b"17",
    "a string": b'"ping"',
    "an empty object": b"{}",
    "an empty batch": b"[]",
    "a batch": b"[" + request() + b"," + request() + b"]",
    "no version": b'{"id":7,"method":"ping"}',
    "another version": b'{"jsonrpc":"1.0","id":7,"method":"ping"}',
    "a version that is a number": b'{"jsonrpc":2.0,"id":7,"method":"ping"}',
    "no method": b'{"jsonrpc":"2.0","id":7}',
    "a method that is a number": b'{"jsonrpc":"2.0","id":7,"method":5}',
    # ids
    "a null id": request(id_=None),
    "a boolean id": request(id_=True),
    "a fractional id": request(id_=1.5),
    "a list for an id": request(id_=[1]),
    "an id of 5,000 digits": b'{"jsonrpc":"2.0","id":' + b"9" * 5000 + b',"method":"ping"}',
    "an id that was used": request() + b"\n" + request(),
    "a key twice": b'{"jsonrpc":"2.0","id":7,"id":8,"method":"ping"}',
    # params
    "params that are a list": b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":["get_run_details"]}',
    "params that are a string": b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":"get_run_details"}',
    "no params": b'{"jsonrpc":"2.0","id":7,"method":"tools/call"}',
    "huge params": request(text="a" * HUGE),
    "_meta that is a number": request(_meta=5),
    "a progress token that is an object": request("tools/call", name="apply_run", _meta={"progressToken": {}}),
    "a cursor that is a number": request("tools/list", cursor=5),
    "a cursor that was never given": request("tools/list", cursor="next"),
    # methods
    "an unknown method": request("tools/destroy"),
    "an empty method": request(""),
    "a method with a line feed": request("tools\n/list"),
    "an unknown notification": b'{"jsonrpc":"2.0","method":"notifications/none"}',
    "a second handshake": request(
        "initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo={"name": "again", "version": "2"}
    ),
    "a handshake with nothing in it": request("initialize"),
    # tools/call
    "a name that is a number": call(5, {}),
    "no name": request("tools/call", arguments={}),
    "an unknown tool": call("destroy_everything", {}),
    "a name of a megabyte": call("x" * 1_000_000, {}),
    "arguments that are a list": call("get_run_details", [1]),
    "arguments that are a string": call("get_run_details", "run-1"),
    "arguments that are null": call("get_run_details", None),
    "no arguments": request("tools/call", name="get_run_details"),
    "an unknown argument of a megabyte": call("get_run_details", {"run_id": "run-1", "x" * 1_000_000: 1}),
    "a value of a megabyte": call("get_run_details", {"run_id": "x" * 1_000_000}),
    "arguments 100 deep": create('{"a":' * 100 + "1" + "}" * 100),
    "arguments 150 deep": create('{"a":' * 150 + "1" + "}" * 150),
    "arguments 1,000 deep": create('{"a":' * 1000 + "1" + "}" * 1000),
    "a variable 100 deep": create('{"variables":[{"key":"a","value":' + "[" * 100 + "]" * 100 + "}]}"),
    "not a number": create('{"variables":[{"key":"a","value":NaN}]}'),
    "infinity": create('{"variables":[{"key":"a","value":1e999}]}'),
    "a number of 5,000 digits": create('{"variables":[{"key":"a","value":' + "9" * 5000 + "}]}"),
    "half a surrogate pair in a value": create(r'{"message":"\ud800"}'),
    "half a surrogate pair in a name": create(r'{"\ud800":1}'),
    # unsolicited responses
    "a cancelled request that never was": b'{"jsonrpc":"2.0","method":"notifications/cancelled",'
    b'"params":{"requestId":987654}}',
    "a cancelled request with a bad id": b'{"jsonrpc":"2.0","method":"notifications/cancelled",'
    b'"params":{"requestId":[]}}',
    "a cancelled nothing": b'{"jsonrpc":"2.0","method":"notifications/cancelled"}',
    "progress of nothing": b'{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"x"}}',
    "an answer to nothing": b'{"jsonrpc":"2.0","id":4242,"result":{}}',
    "an error of nothing": b'{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"parse error"}}',
}


@pytest.mark.parametrize("text", [r"\ud800", r"x\uDFFFy"])
@pytest.mark.parametrize("id_", [77, "seventy-seven"])
def test_unpaired_surrogate_is_refused_with_its_request_id(text: str, id_: int | str, hardened: StdioServer) -> None:
    line = '{"jsonrpc":"2.0","id":%s,"method":"tools/call","params":{"name":"create_run","arguments":{"a":"%s"}}}'
    hardened.send_line((line % (json.dumps(id_), text)).encode())
    answer = hardened.answer_to(id_)
    assert "unpaired surrogate" in json.dumps(answer)


@pytest.mark.parametrize("id_", [78, "seventy-eight"])
def test_deeply_nested_arguments_are_refused_with_the_id(id_: int | str, hardened: StdioServer) -> None:
    for depth in (200, 1_000, 100_000):
        for begin, end in (("[", "]"), ('{"id":', "}")):
            nested = begin * depth + "1" + end * depth
            line = '{"method":"tools/call","params":{"name":"get_run_details","arguments":{"run_id":%s}},"id":%s,%s}'
            hardened.send_line((line % (nested, json.dumps(id_), '"jsonrpc":"2.0"')).encode())
            answer = hardened.answer_to(id_)
            assert answer["error"]["message"] == "The request is nested too deeply."


@pytest.fixture(scope="module", params=[WITH_HANDSHAKE, WITHOUT_HANDSHAKE])
def hardened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StdioServer]:
    """One server for all lines, which must survive each of them."""
    place = tmp_path_factory.mktemp("hardened")
    env = environment(place, TFE_ADDRESS=NOBODY, TFE_TOKEN=TOKEN)
    with StdioServer(env=env, log=place / "stderr.log", era=request.param) as server:
        yield server


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_valid_request_after_a_bad_line_gets_a_response(line: bytes, hardened: StdioServer) -> None:
    hardened.send_line(line)
    assert len(hardened.result("tools/list")["tools"]) >= 9
    assert hardened.is_running


_UNREADABLE = ("words", "invalid UTF-8", "truncated JSON", "a batch", "another version", "params that are a list")


@pytest.mark.parametrize("line", [LINES[name] for name in _UNREADABLE], ids=_UNREADABLE)
def test_line_that_is_not_a_message_gets_an_error_without_id(line: bytes, server: StdioServer) -> None:
    # JSON-RPC 2.0, "Response object": a null id if the id of the request could not be read.
    server.forget()
    server.send_line(line)
    answer = server.receive()
    assert answer["id"] is None
    assert answer["error"]["code"] == -32700


REFUSED = {
    "an unknown method": (request("tools/destroy"), -32601),
    "a name that is a number": (call(5, {}), -32602),
    "arguments that are a list": (call("get_run_details", [1]), -32602),
    "no params": (b'{"jsonrpc":"2.0","id":7,"method":"tools/call"}', -32602),
    "an unknown tool": (call("destroy_everything", {}), -32602),
}


@pytest.mark.parametrize("era", [WITH_HANDSHAKE])
@pytest.mark.parametrize(("line", "code"), REFUSED.values(), ids=REFUSED)
def test_unsupported_request_gets_an_error(line: bytes, code: int, server: StdioServer) -> None:
    server.send_line(line)
    assert server.answer_to(7)["error"]["code"] == code


def test_long_session_of_bad_lines_logs_no_traceback(tmp_path: Path) -> None:
    env = environment(tmp_path, TFE_ADDRESS=NOBODY, TFE_TOKEN=TOKEN)
    with StdioServer(env=env, log=tmp_path / "stderr.log") as server:
        for line in LINES.values():
            if len(line) < 10_000:
                server.send_line(line)
        params = {"protocolVersion": WITH_HANDSHAKE, "capabilities": {}, "clientInfo": CLIENT_INFO}
        assert server.result("initialize", params)["serverInfo"]["name"] == "tfruns"
        assert server.close_input() == 0
        assert "Traceback" not in server.stderr


def test_line_of_200_mb_is_refused_in_bounded_memory(tmp_path: Path) -> None:
    env = environment(tmp_path, TFE_ADDRESS=NOBODY, TFE_TOKEN=TOKEN)
    with StdioServer(env=env, log=tmp_path / "stderr.log") as server:
        server.result("tools/list")
        before = peak_mb(server.process.pid)
        for line, id_ in (
            (b'{"jsonrpc":"2.0","id":71,"method":"ping","params":{"text":"' + b"a" * 200_000_000 + b'"}}', 71),
            (b'{"method":"ping","params":{"text":"' + b"[" * 200_000_000 + b'"},"id":"last"}', "last"),
            (request(id_=72) + b" " * 200_000_000, 72),
        ):
            server.send_line(line)
            error = server.answer_to(id_)["error"]
            assert error["code"] == -32600
            assert "at most 8388608 bytes" in error["message"]
            assert len(server.result("tools/list")["tools"]) >= 9
        server.send_line(b"a" * 200_000_000)
        assert len(server.result("tools/list")["tools"]) >= 9
        grown = peak_mb(server.process.pid) - before
        print(f"peak memory: {before} MB, {grown} MB more after lines of 200 MB")
        assert grown < 40
        assert server.stderr.count("Refused a message of 2000") == 4


def peak_mb(pid: int) -> int:
    """The peak memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024
