"""The time from spawn to the response to `initialize`, compared with importing the SDK; the time of `tfruns --help`."""

import json
import subprocess
import sys
import time

from bench.measure import Row, command, compile_sources, elapsed_s, environment, interleaved_medians, run

_ROUNDS = 9
_BASELINE = "import os, mcp.server; os._exit(0)"
_INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}},
}


def measure() -> tuple[list[Row], list[str]]:
    """Run the benchmark. Returns its rows and notes."""
    note = compile_sources()
    baseline, response, help_ = interleaved_medians(
        _ROUNDS,
        lambda: elapsed_s(lambda: run(sys.executable, "-c", _BASELINE)),
        _initialize_s,
        lambda: elapsed_s(lambda: run(command(), "--help")),
    )
    rows = [
        Row(
            "spawn to `initialize` (baseline: `import mcp.server`)",
            response,
            "s",
            baseline,
            at_most=0.775,
            ratio_at_most=1.3,
        ),
        Row("`tfruns --help`", help_, "s", at_most=0.25),
    ]
    return rows, [f"medians of {_ROUNDS}, interleaved; {note}"]


def initialize_medians() -> list[float]:
    """The medians of the baseline and of the time to the response to `initialize`, interleaved."""
    return interleaved_medians(_ROUNDS, lambda: elapsed_s(lambda: run(sys.executable, "-c", _BASELINE)), _initialize_s)


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
