"""The size of the results of one job: a change to a workspace with 50 resources is planned, reviewed and applied.

The local backend runs real Terraform, and the tools are called over standard input and output. The baseline is the
API's documents for the same job, each counted once, however often a program would poll.
"""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import httpx2
from tests.support.local_server import LocalServer
from tests.support.stdio import StdioServer, environment

from bench.measure import Row
from bench.tokens import counter

_TIMEOUT_S = 60.0
_CONFIGURATION = """\
resource "terraform_data" "subnet" {
  count = 12
  input = { cidr = cidrsubnet("10.0.0.0/16", 8, count.index), zone = "eu-west-1${count.index}" }
}
resource "terraform_data" "service" {
  for_each = toset([for number in range(30) : "service-${number}"])
  input    = { name = each.key, image = "registry.example.com/${each.key}:%(version)s", replicas = 2 }
}
resource "terraform_data" "database" {
  triggers_replace = "%(engine)s"
  input            = { engine = "%(engine)s", size = 100 }
}
resource "terraform_data" "queue" {
  count = 6
  input = "queue-${count.index}"
}
resource "terraform_data" "gateway" {
  input = { name = "gateway", timeout_s = %(timeout)s }
}
%(more)s
output "version" {
  value = "%(version)s"
}
"""
_BEFORE = {"version": "1.4.0", "engine": "postgres-16", "timeout": 30, "more": ""}
_AFTER = {
    "version": "1.5.0",
    "engine": "postgres-17",
    "timeout": 60,
    "more": 'resource "terraform_data" "cache" {\n  input = { engine = "valkey", nodes = 3 }\n}\n',
}


def measure() -> tuple[list[Row], list[str]]:
    """Run the benchmark. Returns its rows and notes."""
    if shutil.which("terraform") is None:
        return [], ["skipped: `terraform` is not on the PATH"]
    with tempfile.TemporaryDirectory() as scratch, LocalServer(Path(scratch) / "data") as backend:
        root = Path(scratch) / "configuration"
        root.mkdir()
        env = environment(Path(scratch), TFE_ADDRESS=backend.url, TFE_TOKEN=backend.token)
        with (
            api_of(backend) as api,
            StdioServer("--allow-dir", str(root), env=env, log=Path(scratch) / "stderr.log") as server,
        ):
            _create_workspace(api)
            _Job(server, root).run(_BEFORE)
            job = _Job(server, root)
            run_id = job.run(_AFTER)
            documents = _documents(api, run_id)
    return _rows(job.results, documents), [f"{name}: {len(text.encode()):,} bytes" for name, text in job.results]


class _Job:
    """The calls of an assistant, and the texts of their results."""

    def __init__(self, server: StdioServer, root: Path) -> None:
        self._server = server
        self._root = root
        self.results: list[tuple[str, str]] = []

    def run(self, values: dict[str, Any]) -> str:
        """Change the configuration, plan it and apply it. Returns the id of the run."""
        (self._root / "main.tf").write_text(_CONFIGURATION % values, encoding="utf-8")
        uploaded = self._call("upload_configuration", workspace_id="default/shop", directory=str(self._root))
        params = {"configuration_version_id": uploaded["configuration_version_id"], "message": "A new version"}
        run_id: str = self._call("create_run", workspace_id="default/shop", params=params)["id"]
        self._expect("planned", self._call("wait_for_run", run_id=run_id))
        fingerprint = self._call("review_run", run_id=run_id)["fingerprint"]
        self._call("apply_run", run_id=run_id, fingerprint=fingerprint)
        self._expect("applied", self._call("wait_for_run", run_id=run_id, until="final", timeout_s=20))
        return run_id

    def _call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        result = self._server.call(tool, arguments)
        if result.get("isError"):
            raise RuntimeError(f"{tool} failed: {result}")
        text: str = result["content"][0]["text"]
        self.results.append((tool, text))
        view: dict[str, Any] = json.loads(text)
        return view

    @staticmethod
    def _expect(status: str, view: dict[str, Any]) -> None:
        if view["status"] != status:
            raise RuntimeError(f"The run is not {status}: {view}")


def api_of(backend: LocalServer) -> httpx2.Client:
    """A client of the API of a local backend."""
    headers = {"authorization": f"Bearer {backend.token}"}
    return httpx2.Client(base_url=f"{backend.url}/api/v2", headers=headers, timeout=_TIMEOUT_S, follow_redirects=True)


def _create_workspace(api: httpx2.Client) -> None:
    body = {"data": {"type": "workspaces", "attributes": {"name": "shop"}}}
    api.post("/organizations/default/workspaces", json=body).raise_for_status()


def _documents(api: httpx2.Client, run_id: str) -> dict[str, str]:
    """The API documents of the job. The run is read three times: created, planned, applied."""
    run = _read(api, f"/runs/{run_id}")
    related = {name: run["data"]["relationships"][name]["data"]["id"] for name in ("plan", "configuration-version")}
    version = _read(api, f"/configuration-versions/{related['configuration-version']}")
    documents = {
        "workspace": _read(api, "/organizations/default/workspaces/shop"),
        "configuration version, created": version,
        "configuration version, uploaded": version,
        "run, created": run,
        "run, planned": run,
        "plan": _read(api, f"/plans/{related['plan']}"),
        "plan's JSON": _read(api, f"/plans/{related['plan']}/json-output"),
        "run, applied": run,
    }
    return {name: json.dumps(value, ensure_ascii=False, separators=(",", ":")) for name, value in documents.items()}


def _read(api: httpx2.Client, path: str) -> Any:
    return api.get(path).raise_for_status().json()


def _rows(results: list[tuple[str, str]], documents: dict[str, str]) -> list[Row]:
    texts = [text for _, text in results]
    sizes = [sum(len(text.encode()) for text in group) for group in (texts, documents.values())]
    rows = [
        Row("one job: calls", len(texts), "calls", at_most=6),
        Row("one job: results", sizes[0], "bytes", sizes[1], at_most=9_200),
    ]
    if count := counter():
        tokens = [sum(map(count, group)) for group in (texts, documents.values())]
        rows.append(Row("one job: results", tokens[0], "tokens", tokens[1], at_most=3_000))
    return rows
