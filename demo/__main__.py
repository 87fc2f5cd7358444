"""Start the local backend in a temporary directory, and do the main job through `tfruns mcp`, as an assistant would.

Every call is one of an MCP client over standard input and output, with real Terraform at the other end. Nothing of it
is left behind.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
from mcp import StdioServerParameters
from mcp.client import Client
from mcp.client.stdio import stdio_client

from demo.screen import call_text, heading, say, show

_SHOP = Path(__file__).parent / "shop"
_TFRUNS = str(Path(sys.executable).parent / "tfruns")
_READY_WITHIN_S = 60.0


class Surprise(Exception):
    """A call did not end as the demonstration expects."""


def main() -> None:
    """The demonstration, from an empty directory to an empty directory."""
    with tempfile.TemporaryDirectory(prefix="tfruns-demo-") as scratch:
        data = Path(scratch) / "data"
        heading("The local backend")
        say("HCP Terraform's run API on this machine, with real Terraform underneath:")
        with _server(data) as url:
            say(f"  $ tfruns server --data-dir {data.name}", f"  listening on {url}")
            _make_workspace(url, (data / "token").read_text(encoding="utf-8").strip())
            surprise = _assisted(data)
    if surprise is not None:
        sys.exit(f"\n{surprise}")
    _farewell()


def _assisted(data: Path) -> BaseException | None:
    """Do the work, and return what was not expected in it."""
    surprise: BaseException | None = None
    try:
        anyio.run(_assist, data)
    except* Surprise as group:
        surprise = _first(group)
    return surprise


@contextmanager
def _server(data: Path) -> Iterator[str]:
    """A server in a process of its own; its address."""
    arguments = [_TFRUNS, "server", "--data-dir", str(data), "--port", "0"]
    log = data.with_name("server.log")
    with log.open("wb") as stderr:
        process = subprocess.Popen(arguments, env=_environment(data), stdout=subprocess.PIPE, stderr=stderr, text=True)
    try:
        assert process.stdout is not None  # noqa: S101  # it is a pipe
        line = process.stdout.readline()
        if not line:
            sys.exit(f"The local backend did not start:\n{log.read_text(encoding='utf-8')}")
        yield line.removeprefix("listening on ").strip()
    finally:
        process.terminate()
        process.communicate(timeout=_READY_WITHIN_S)


def _environment(data: Path) -> dict[str, str]:
    """That of this process, without settings for other servers, and with everything kept in the directory."""
    ours = ("TFE_", "TFC_", "TF_", "TFRUNS_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"TFRUNS_AUDIT_FILE": str(data.with_name("audit.jsonl"))}


def _make_workspace(url: str, token: str) -> None:
    """What one does in the browser of HCP Terraform, or lets `terraform init` do."""
    workspace = {"data": {"type": "workspaces", "attributes": {"name": "shop"}}}
    headers = {"authorization": f"Bearer {token}"}
    answer = httpx2.post(f"{url}/api/v2/organizations/default/workspaces", json=workspace, headers=headers, timeout=30)
    answer.raise_for_status()


async def _assist(data: Path) -> None:
    arguments = ["mcp", "--local", "--data-dir", str(data), "--allow-dir", str(_SHOP)]
    heading("An assistant connects")
    say(f"  $ tfruns {' '.join(arguments[:2])} --allow-dir {_SHOP.name}", "and calls its tools:")
    parameters = StdioServerParameters(command=_TFRUNS, args=arguments, env=_environment(data))
    async with Client(stdio_client(parameters)) as client:
        await _Assistant(client).work()


class _Assistant:
    """What an assistant does, one call after the other."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def work(self) -> None:
        heading("Find the workspace, bring the configuration there, and plan")
        await self._call("list_workspaces", organization="default")
        await self._call("upload_configuration", workspace_id="default/shop", directory=str(_SHOP))
        run = await self._call("create_run", workspace_id="default/shop", params={"message": "Open the shop"})
        await self._call("wait_for_run", run_id=run["id"])

        heading("Look at what it would do, then apply it, and watch it end")
        review = await self._call("review_run", run_id=run["id"])
        await self._call("apply_run", run_id=run["id"], fingerprint=review["fingerprint"])
        await self._call("wait_for_run", run_id=run["id"], until="final")
        await self._call("get_run_logs", run_id=run["id"], tail_lines=8)

        heading("Now a change that would cost the database. What was not shown cannot be destroyed")
        change = {"message": "A newer database", "variables": [{"key": "engine_version", "value": '"17"'}]}
        run = await self._call("create_run", workspace_id="default/shop", params=change)
        await self._call("wait_for_run", run_id=run["id"])
        await self._call("apply_run", run_id=run["id"], is_refusal_expected=True)
        await self._call("review_run", run_id=run["id"], filter="replace")
        await self._call("discard_run", run_id=run["id"], comment="Not on a Friday.")

        heading("What there was")
        await self._call("list_runs_in_workspace", workspace_id="default/shop")

    async def _call(self, tool: str, *, is_refusal_expected: bool = False, **arguments: Any) -> dict[str, Any]:
        """Call a tool, and show the call and its answer."""
        say("", call_text(tool, arguments, shown_as={str(_SHOP): _SHOP.name}))
        result = await self._client.call_tool(tool, arguments)
        answer: dict[str, Any] = result.structured_content or {}
        show(answer, is_error=result.is_error)
        if result.is_error is not is_refusal_expected:
            raise Surprise(f"{tool} {'failed' if result.is_error else 'was not refused'}, which nobody expected here.")
        return answer


def _first(group: BaseExceptionGroup[Surprise]) -> BaseException:
    """The exception in groups of groups."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


def _farewell() -> None:
    heading("What next")
    say(
        "Everything of this is gone again. To work with it:",
        "",
        "  tfruns mcp --local            the same for an assistant, with a data directory that stays",
        "  tfruns server                 the local backend for all that speaks HCP Terraform's API",
        "  tfruns mcp                    HCP Terraform itself, with the token of `terraform login` or TFE_TOKEN;",
        "                                TFE_ADDRESS for Terraform Enterprise",
        "",
        "In an MCP client: the command `tfruns` with the argument `mcp` (and `--local`); for Claude Code:",
        "",
        "  claude mcp add tfruns -- tfruns mcp",
        "",
        "README.md has the other clients, and what keeps a run safe.",
    )


if __name__ == "__main__":
    main()
