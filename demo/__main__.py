"""Start the local backend in a temporary directory, and do a complete job through `tfruns mcp`, as an assistant would.

An MCP client makes every call over standard input and output. Terraform is real. All files are deleted afterwards; with
`--web`, the last run is left to a person, and the pages stay open until Ctrl-C.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
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


class UnexpectedResult(Exception):
    """A call did not have the expected result."""


def main(*, is_kept_open: bool) -> None:
    """Run the demo in a temporary directory."""
    with tempfile.TemporaryDirectory(prefix="tfruns-demo-") as scratch:
        data = Path(scratch) / "data"
        heading("The local backend")
        say("HCP Terraform's run API on this machine, with real Terraform:")
        with _server(data) as url:
            say(f"  $ tfruns server --data-dir {data.name}", f"  listening on {url}")
            _create_workspace(url, (data / "token").read_text(encoding="utf-8").strip())
            _show_link(data, "default/shop", "To look at its runs in a browser, while the demo is running:")
            failure = _run_assistant(data, is_kept_open=is_kept_open)
            if is_kept_open and failure is None:
                _keep_open(data)
    if failure is not None:
        sys.exit(f"\n{failure}")
    _show_next_steps()


def _show_link(data: Path, page: str, text: str) -> None:
    """Show a link to a page, which begins a session in a browser once."""
    arguments = ["web", "link", "--data-dir", str(data), page]
    done = subprocess.run([_TFRUNS, *arguments], env=_environment(data), capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"No link to the pages could be created:\n{done.stderr}")
    shown = " ".join(["tfruns", *arguments]).replace(str(data), data.name)
    say("", text, f"  $ {shown}", f"  {done.stdout.strip()}")


def _keep_open(data: Path) -> None:
    heading("Your turn")
    _show_link(data, "/app/default", "The plan that replaces the database waits for a person. Decide about it:")
    say("", "Press Ctrl-C to stop the demo, which deletes all its files.")
    with suppress(KeyboardInterrupt):
        Event().wait()


def _run_assistant(data: Path, *, is_kept_open: bool) -> BaseException | None:
    """Do the work. Returns the first unexpected result, if any."""
    failure: BaseException | None = None
    try:
        anyio.run(_connect_and_work, data, is_kept_open)
    except* UnexpectedResult as group:
        failure = _first(group)
    return failure


@contextmanager
def _server(data: Path) -> Iterator[str]:
    """Run a server in a separate process. Yields its URL."""
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
    """The environment of this process, without settings for other servers, and with the audit log next to the data."""
    settings = ("TFE_", "TFC_", "TF_", "TFRUNS_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(settings)}
    return kept | {"TFRUNS_AUDIT_FILE": str(data.with_name("audit.jsonl"))}


def _create_workspace(url: str, token: str) -> None:
    """Create the workspace, which users of HCP Terraform do in the browser or with `terraform init`."""
    workspace = {"data": {"type": "workspaces", "attributes": {"name": "shop"}}}
    headers = {"authorization": f"Bearer {token}"}
    path = "/api/v2/organizations/default/workspaces"
    httpx2.post(f"{url}{path}", json=workspace, headers=headers, timeout=30).raise_for_status()


async def _connect_and_work(data: Path, is_kept_open: bool) -> None:
    arguments = ["mcp", "--local", "--data-dir", str(data), "--allow-dir", str(_SHOP)]
    heading("An assistant connects")
    say(f"  $ tfruns {' '.join(arguments[:2])} --allow-dir {_SHOP.name}", "and calls its tools:")
    parameters = StdioServerParameters(command=_TFRUNS, args=arguments, env=_environment(data))
    async with Client(stdio_client(parameters)) as client:
        await _Assistant(client).work(is_kept_open=is_kept_open)


class _Assistant:
    """The calls of an assistant."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def work(self, *, is_kept_open: bool) -> None:
        heading("Find the workspace, upload the configuration, and plan")
        await self._call("list_workspaces", organization="default")
        await self._call("upload_configuration", workspace_id="default/shop", directory=str(_SHOP))
        run = await self._call("create_run", workspace_id="default/shop", params={"message": "Open the shop"})
        await self._call("wait_for_run", run_id=run["id"])

        heading("Review the plan, apply it, and wait until it is applied")
        review = await self._call("review_run", run_id=run["id"])
        await self._call("apply_run", run_id=run["id"], fingerprint=review["fingerprint"])
        await self._call("wait_for_run", run_id=run["id"], until="final")
        await self._call("get_run_logs", run_id=run["id"], tail_lines=8)

        heading("Plan a change that would replace the database. It cannot be applied without a review")
        change = {"message": "A newer database", "variables": [{"key": "engine_version", "value": '"17"'}]}
        run = await self._call("create_run", workspace_id="default/shop", params=change)
        await self._call("wait_for_run", run_id=run["id"])
        await self._call("apply_run", run_id=run["id"], is_refusal_expected=True)
        await self._call("review_run", run_id=run["id"], filter="replace")
        if not is_kept_open:
            await self._call("discard_run", run_id=run["id"], comment="Not on a Friday.")

        heading("List the runs")
        await self._call("list_runs_in_workspace", workspace_id="default/shop")

    async def _call(self, tool: str, *, is_refusal_expected: bool = False, **arguments: Any) -> dict[str, Any]:
        """Call a tool, and show the call and its result."""
        say("", call_text(tool, arguments, shown_as={str(_SHOP): _SHOP.name}))
        result = await self._client.call_tool(tool, arguments)
        content: dict[str, Any] = result.structured_content or {}
        show(content, is_error=result.is_error)
        if result.is_error is not is_refusal_expected:
            raise UnexpectedResult(f"{tool} unexpectedly {'failed' if result.is_error else 'succeeded'}.")
        return content


def _first(group: BaseExceptionGroup[UnexpectedResult]) -> BaseException:
    """The first exception in nested groups."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


def _show_next_steps() -> None:
    heading("Next steps")
    say(
        "The demo has deleted all its files. To use tfruns:",
        "",
        "  tfruns mcp --local            an assistant on the local backend, with a permanent data directory",
        "  tfruns web --local            its pages in a browser, to review and apply runs",
        "  tfruns server                 the local backend for any client of HCP Terraform's API",
        "  tfruns mcp                    an assistant on HCP Terraform; set TFE_TOKEN or use `terraform login`",
        "                                (for Terraform Enterprise, also set TFE_ADDRESS)",
        "",
        "To add it to Claude Code (docs/mcp-clients.md shows other clients, docs/safety.md the safety options):",
        "",
        "  claude mcp add tfruns -- tfruns mcp",
    )


if __name__ == "__main__":
    main(is_kept_open="--web" in sys.argv[1:])
