"""The values that a shell completes: workspaces, recent runs, statuses and profiles.

A completion is quick and silent: the API gets a short time, the result is kept for a minute, and any failure means that
there is nothing to complete. No server is started for it.
"""

import asyncio
import hashlib
import json
import os
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cyclopts.completion import CompletionContext

    from tfruns.cli.session import Session

Candidates = list[tuple[str, str]]

_TIMEOUT_S = 1.5
_KEPT_S = 60.0
_MOST_WORKSPACES, _MOST_RUNS = 100, 30
_GROUPS = ("non_final", "final", "discardable")


def complete_statuses(context: "CompletionContext") -> list[str]:
    """The statuses of runs, also as further ones of a comma-separated list."""
    from tfruns.vocabulary import RunStatus  # noqa: PLC0415

    return _of_list(context.incomplete, map(str, RunStatus))


def complete_operations(context: "CompletionContext") -> list[str]:
    """The operations of runs, also as further ones of a comma-separated list."""
    from tfruns.vocabulary import RunOperation  # noqa: PLC0415

    return _of_list(context.incomplete, map(str, RunOperation))


def complete_groups(_: "CompletionContext") -> tuple[str, ...]:
    """The groups of statuses."""
    return _GROUPS


def complete_profiles(_: "CompletionContext") -> list[str]:
    """The names of the profiles."""
    from tfruns.cli.profiles import load_profiles  # noqa: PLC0415
    from tfruns.errors import TfrunsError  # noqa: PLC0415

    try:
        return list(load_profiles().by_name)
    except TfrunsError:
        return []


def complete_workspaces(context: "CompletionContext") -> Candidates:
    """The names of the workspaces in the organization."""

    async def read(session: "Session") -> Candidates:
        from tfruns.cli.targets import resolve_organization  # noqa: PLC0415

        organization = await resolve_organization(session, _given(context, "--organization"))
        listing = session.gate.client.workspaces.list_for_organization(organization)
        found = (await listing.page(size=_MOST_WORKSPACES)).items
        return [(workspace.name, "") for workspace in found if workspace.name]

    return _completed(context, "workspaces", read)


def complete_runs(context: "CompletionContext") -> Candidates:
    """The recent runs of the workspace, or of the organization if no workspace is set, with status and message."""

    async def read(session: "Session") -> Candidates:
        from tfruns.cli.targets import resolve_organization, resolve_workspace, selected_workspace  # noqa: PLC0415
        from tfruns.masking.text import one_line  # noqa: PLC0415

        runs, organization = session.gate.client.runs, _given(context, "--organization")
        if workspace := selected_workspace(session, _given(context, "--workspace")):
            listing = runs.list_for_workspace(await resolve_workspace(session, workspace, organization))
        else:
            listing = runs.list_for_organization(await resolve_organization(session, organization))
        found = (await listing.page(size=_MOST_RUNS)).items
        return [(run.id, one_line(f"{run.status} {run.message or ''}", 60)) for run in found]

    return _completed(context, "runs", read)


def _of_list(incomplete: str, names: Iterable[str]) -> list[str]:
    before, comma, _ = incomplete.rpartition(",")
    given = set(before.split(","))
    return [f"{before}{comma}{name}" for name in names if name not in given]


def _given(context: "CompletionContext", option: str) -> str | None:
    found = context.get(option)
    return found.raw if found is not None else None


def _completed(
    context: "CompletionContext", kind: str, read: Callable[["Session"], Awaitable[Candidates]]
) -> Candidates:
    try:
        given = [_given(context, option) for option in _OPTIONS]
        file = _cache_file([kind, str(Path.cwd()), *given, *map(os.environ.get, _VARIABLES)])
        kept = _kept(file)
        if kept is None:
            kept = asyncio.run(asyncio.wait_for(_read(context, read), _TIMEOUT_S))
            _keep(file, kept)
    except Exception:  # noqa: BLE001  # a completion never fails
        return []
    return kept


_OPTIONS = ("--organization", "--workspace", "--profile", "--data-dir", "--local")
_VARIABLES = (
    "TFE_ADDRESS",
    "TFC_ADDRESS",
    "TFRUNS_PROFILE",
    "TFRUNS_LOCAL",
    "TFRUNS_DATA_DIR",
    "TF_WORKSPACE",
    "TF_CLOUD_ORGANIZATION",
    "TFE_ORGANIZATION",
    "TF_CLOUD_HOSTNAME",
)


async def _read(context: "CompletionContext", read: Callable[["Session"], Awaitable[Candidates]]) -> Candidates:
    from tfruns.cli.connection import select_connection  # noqa: PLC0415
    from tfruns.cli.options import CommonOptions  # noqa: PLC0415
    from tfruns.cli.profiles import active_profile  # noqa: PLC0415
    from tfruns.cli.progress_line import ProgressLine  # noqa: PLC0415
    from tfruns.cli.session import Session  # noqa: PLC0415
    from tfruns.gate.person import NoPerson  # noqa: PLC0415
    from tfruns.gate.pipeline import Gate  # noqa: PLC0415
    from tfruns.mcp.connection import LocalConnection  # noqa: PLC0415
    from tfruns.policy import Policy  # noqa: PLC0415

    directory = _given(context, "--data-dir")
    local = context.get("--local")
    options = CommonOptions(
        profile=_given(context, "--profile"),
        local=local is not None and local.provided,
        data_dir=Path(directory) if directory else None,
    )
    profile = active_profile(options.profile)
    connection = select_connection(options, profile)
    is_local = isinstance(connection, LocalConnection)
    if is_local and not _is_running(options.data_dir or profile.data_path):
        return []
    try:
        client = await connection.client()
        used = profile.for_api(client.settings.address, is_local=is_local)
        gate = Gate(client, Policy(), person=NoPerson())
        return await read(Session(gate, is_json=True, line=ProgressLine(is_quiet=True), profile=used))
    finally:
        await connection.aclose()


def _is_running(data_dir: Path | None) -> bool:
    from tfruns.local.control import read_status  # noqa: PLC0415
    from tfruns.local.data_dir import DataDirectory  # noqa: PLC0415

    return read_status(DataDirectory(data_dir)).running


def _cache_file(key: list[Any]) -> Path:
    import platformdirs  # noqa: PLC0415

    name = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:32]
    return platformdirs.user_cache_path("tfruns", appauthor=False) / "completion" / f"{name}.json"


def _kept(file: Path) -> Candidates | None:
    try:
        if time.time() - file.stat().st_mtime > _KEPT_S:
            return None
        return [(value, text) for value, text in json.loads(file.read_text(encoding="utf-8"))]
    except (OSError, ValueError):
        return None


def _keep(file: Path, candidates: Candidates) -> None:
    from tfruns.client.credentials_store import write_privately  # noqa: PLC0415

    write_privately(file, json.dumps(candidates))
