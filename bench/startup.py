"""From spawn to the answer to `initialize`, against the floor of the SDK; and the time of `tfruns --help`."""

import json
import subprocess
import sys
import time

from bench.measure import Row, command, compile_sources, elapsed_s, environment, interleaved_medians, run

_ROUNDS = 9
_FLOOR = "import os, mcp.server; os._exit(0)"
_INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}},
}


def measure() -> tuple[list[Row], list[str]]:
    """The rows, and what is to be known about them."""
    note = compile_sources()
    floor, answer, help_ = interleaved_medians(
        _ROUNDS,
        lambda: elapsed_s(lambda: run(sys.executable, "-c", _FLOOR)),
        _initialize_s,
        lambda: elapsed_s(lambda: run(command(), "--help")),
    )
    rows = [
        Row("spawn to `initialize` (floor: `import mcp.server`)", answer, "s", floor, at_most=0.775, ratio_at_most=1.3),
        Row("`tfruns --help`", help_, "s", at_most=0.25),
    ]
    return rows, [f"medians of {_ROUNDS}, interleaved; {note}"]


def initialize_medians() -> list[float]:
    """The floor, and the time to the answer to `initialize`: medians, interleaved."""
    return interleaved_medians(_ROUNDS, lambda: elapsed_s(lambda: run(sys.executable, "-c", _FLOOR)), _initialize_s)


def _initialize_s() -> float:
    start = time.perf_counter()
    with subprocess.Popen(
        [command(), "mcp"], env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps(_INITIALIZE).encode() + b"\n")
        server.stdin.flush()
        assert b'"serverInfo"' in server.stdout.readline()
        taken = time.perf_counter() - start
        server.stdin.close()
        server.wait(30)
    return taken
