"""The time of quick commands, compared with a process that imports the libraries that every API client needs."""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import startup
from bench.measure import Row, command, compile_sources, elapsed_s, environment, interleaved_medians

_ROUNDS = 9
_STARTS = 3
_BASELINE = "import httpx2, pydantic, rich"


def measure() -> tuple[list[Row], list[str]]:
    """Run the benchmark. Returns its rows and notes."""
    note = compile_sources()
    with tempfile.TemporaryDirectory(prefix="tfruns-bench-") as scratch:
        home = _Home(Path(scratch))
        try:
            run_id = home.prepare()
            base, listing, showing, help_ = interleaved_medians(
                _ROUNDS,
                lambda: elapsed_s(lambda: home.run(sys.executable, "-c", _BASELINE)),
                lambda: elapsed_s(lambda: home.run(command(), "run", "list", "--local", "--workspace", "bench")),
                lambda: elapsed_s(lambda: home.run(command(), "run", "show", run_id, "--local")),
                lambda: elapsed_s(lambda: home.run(command(), "--help")),
            )
            started = statistics.median(home.started_s() for _ in range(_STARTS))
        finally:
            home.stop()
    baseline, response = startup.initialize_medians()
    rows = [
        Row("`run list --local`, server running", listing, "s", base, ratio_at_most=2.0),
        Row("`run show --local`, server running", showing, "s", base, ratio_at_most=2.0),
        Row("`run list --local`, server started by the command", started, "s", base, at_most=2.5),
        Row("`tfruns --help`", help_, "s", base, at_most=0.15),
        Row("spawn to `initialize` (baseline: `import mcp.server`)", response, "s", baseline, ratio_at_most=1.08),
    ]
    return rows, [f"medians of {_ROUNDS}, of {_STARTS} starts; the baseline is a process with `{_BASELINE}`; {note}"]


class _Home:
    """A home directory with its own local backend."""

    def __init__(self, path: Path) -> None:
        self._env = environment() | {"HOME": str(path), "TFRUNS_DATA_DIR": str(path / "data")}
        self._data = path / "data"

    def prepare(self) -> str:
        """Start the server, and create a workspace and a run. Returns the id of the run."""
        configuration = self._data.with_name("configuration")
        configuration.mkdir()
        (configuration / "main.tf").write_text('resource "terraform_data" "bench" {}\n', encoding="utf-8")
        self.run(command(), "workspace", "create", "bench", "--local")
        arguments = ("--workspace", "bench", "--directory", str(configuration), "--local", "--json")
        created = self.run(command(), "run", "create", *arguments)
        run_id: str = json.loads(created)["id"]
        subprocess.run([command(), "run", "wait", run_id, "--local"], env=self._env, capture_output=True, check=False)
        return run_id

    def run(self, *arguments: str) -> bytes:
        """Run a process. Returns its output."""
        done = subprocess.run(arguments, env=self._env, stdin=subprocess.DEVNULL, capture_output=True, check=True)
        return done.stdout

    def started_s(self) -> float:
        """The time of a command that starts the server."""
        self.stop()
        return elapsed_s(lambda: self.run(command(), "run", "list", "--local", "--workspace", "bench"))

    def stop(self) -> None:
        """Stop the server, if it is running."""
        try:
            self.run(command(), "server", "stop", "--force")
        except subprocess.CalledProcessError:
            pid = int((self._data / "address").read_text(encoding="utf-8").split()[1])
            os.kill(pid, signal.SIGKILL)
