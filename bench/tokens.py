"""The size of the tool list and of results as the server sends them, in tokens and bytes.

Tokens are counted with o200k_base. Its ranks come from the wheel of `litellm`, which contains them under the name that
`tiktoken` uses in its cache. `litellm` is not installed or run.
"""

import json
import os
import random
import string
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tiktoken
from tests.support import samples
from tests.support.api import TOKEN, answer
from tests.support.http_api import HttpApi
from tests.support.stdio import StdioServer, environment

from bench.measure import CACHE, Row

_WHEEL = "litellm==1.109.1"
_RANKS = "fb374d419588a4632f3f557e76b4b70aebbca790"  # SHA-1 of the URL from which tiktoken would load them

Count = Callable[[str], int]


def measure() -> tuple[list[Row], list[str]]:
    """Run the benchmark. Returns its rows and notes."""
    count = counter()
    notes = [] if count else [f"tokens were not counted: {_WHEEL} could not be downloaded"]
    with tempfile.TemporaryDirectory() as scratch, HttpApi() as api:
        env = environment(Path(scratch), TFE_ADDRESS=api.address, TFE_TOKEN=TOKEN)
        with StdioServer(env=env, log=Path(scratch) / "stderr.log") as server:
            rows = [
                *_sizes(count, "tools/list", _compact(server.result("tools/list")), None, 6000, 27_000),
                *_run(count, api, server),
                *_workspace_list(count, api, server),
                *_organization_list(count, api, server),
            ]
    return rows, notes


def _run(count: Count | None, api: HttpApi, server: StdioServer) -> list[Row]:
    document = {"data": samples.run(), "included": [samples.workspace(), samples.user()]}
    api.on("GET", f"/runs/{samples.RUN_ID}", answer(document))
    text = _text(server, "get_run_details", {"run_id": samples.RUN_ID})
    return _sizes(count, "get_run_details", text, {"data": samples.run()}, 500, 1500)


def _workspace_list(count: Count | None, api: HttpApi, server: StdioServer) -> list[Row]:
    ids = _Ids()
    runs = [samples.run(ids("run")) for _ in range(20)]
    document = samples.page(*runs, next_page=2, total=40)
    api.on("GET", f"/workspaces/{samples.WORKSPACE_ID}/runs", answer(document | {"included": [samples.workspace()]}))
    text = _text(server, "list_runs_in_workspace", {"workspace_id": samples.WORKSPACE_ID})
    return _sizes(count, "20 runs of a workspace", text, document, 1500, 4400)


def _organization_list(count: Count | None, api: HttpApi, server: StdioServer) -> list[Row]:
    ids = _Ids()
    workspaces = [samples.workspace(ids("ws"), name=name) for name in ("network", "database", "frontend", "dns")]
    runs = [samples.run(ids("run"), workspace_id=workspaces[index % 4]["id"]) for index in range(20)]
    document = samples.page(*runs, next_page=2)
    api.on("GET", "/organizations/acme/runs", answer(document | {"included": workspaces}))
    text = _text(server, "list_runs_in_organization", {"organization": "acme"})
    return _sizes(count, "20 runs of an organization", text, document, 1500, 4400)


class _Ids:
    """Random ids that are the same in every run of the benchmark."""

    def __init__(self) -> None:
        self._random = random.Random(20)

    def __call__(self, prefix: str) -> str:
        return f"{prefix}-{''.join(self._random.choices(string.ascii_letters + string.digits, k=16))}"


def _text(server: StdioServer, tool: str, arguments: dict[str, Any]) -> str:
    result = server.call(tool, arguments)
    if result.get("isError"):
        raise RuntimeError(f"{tool} failed: {result}")
    text: str = result["content"][0]["text"]
    return text


def _sizes(
    count: Count | None, what: str, text: str, raw: object, tokens_at_most: int, bytes_at_most: int
) -> list[Row]:
    """The rows for bytes and tokens. The baseline is the API's document as compact JSON."""
    whole = _compact(raw) if raw is not None else None
    rows = [Row(what, len(text.encode()), "bytes", len(whole.encode()) if whole else None, at_most=bytes_at_most)]
    if count:
        rows.append(Row(what, count(text), "tokens", count(whole) if whole else None, at_most=tokens_at_most))
    return rows


def _compact(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def counter() -> Count | None:
    """A function that counts tokens; None if the ranks cannot be downloaded."""
    ranks = CACHE / "ranks"
    if not (ranks / _RANKS).exists() and not _fetch_ranks(ranks):
        return None
    os.environ["TIKTOKEN_CACHE_DIR"] = str(ranks)  # tiktoken loads the file and verifies its checksum
    encoding = tiktoken.get_encoding("o200k_base")
    return lambda text: len(encoding.encode(text, disallowed_special=()))


def _fetch_ranks(directory: Path) -> bool:
    with tempfile.TemporaryDirectory() as downloads:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        options = ["--only-binary", ":all:", "--dest", downloads, _WHEEL]
        if subprocess.run([*command, *options], check=False).returncode != 0:
            return False
        wheel = next(Path(downloads).glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(f"litellm/litellm_core_utils/tokenizers/{_RANKS}")
    directory.mkdir(parents=True, exist_ok=True)
    (directory / _RANKS).write_bytes(content)
    return True
