"""The official MCP conformance scenarios that fit any server, against ours, in both eras; and the inspector."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.installed import require
from tests.conformance.node_tools import CONFORMANCE, INSPECTOR, ROOT, node
from tests.support.stdio import environment, tfruns

WITH_HANDSHAKE, WITHOUT_HANDSHAKE = "2025-11-25", "2026-07-28"
SCENARIOS = {
    WITH_HANDSHAKE: (
        "server-initialize",
        "ping",
        "tools-list",
        "resources-list",
        "prompts-list",
        "server-session-lifecycle",
        "server-sse-multiple-streams",
        "dns-rebinding-protection",
    ),
    WITHOUT_HANDSHAKE: (
        "server-stateless",
        "tools-list",
        "resources-list",
        "prompts-list",
        "caching",
        "http-header-validation",
        "sep-2164-resource-not-found",
        "server-sse-multiple-streams",
        "dns-rebinding-protection",
    ),
}

# Checks that may be skipped; any other that is skipped is a failure.
MAY_SKIP = {
    "sep-2549-resources-read-caching-hints",  # there is no resource to read
    "sep-2575-server-sends-subscription-ack",  # there is nothing to subscribe to
    "sep-2575-server-tags-subscription-id",
    "sep-2575-server-honors-notification-filter",
    "sep-2575-server-sends-prompts-list-changed-on-subscription",  # the lists never change
    "sep-2575-server-sends-tools-list-changed-on-subscription",
}


@pytest.fixture(scope="module", autouse=True)
def _installed(processes: None) -> None:
    require([CONFORMANCE, INSPECTOR])


@contextmanager
def _serving(home: Path, *flags: str) -> Iterator[str]:
    """The address of a server in another process."""
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.conformance.serve", *flags],
            cwd=ROOT,
            env=environment(home),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    end = threading.Timer(30, server.kill)  # so that a server that never listens does not hold the tests
    end.start()
    try:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        end.cancel()
        assert port.isdigit(), (home / "server.log").read_text()
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        end.cancel()
        server.kill()
        server.communicate(timeout=30)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server as it is."""
    with _serving(tmp_path_factory.mktemp("served")) as url:
        yield url


@pytest.fixture(scope="module")
def served_with_diagnostic_tools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server with three more tools, which the scenario server-stateless calls."""
    with _serving(tmp_path_factory.mktemp("diagnostic"), "--diagnostic-tools") as url:
        yield url


def _checks_of(scenario: str, era: str, url: str, place: Path) -> list[dict[str, Any]]:
    """Run a scenario; its checks."""
    command = [str(node()), str(CONFORMANCE), "server", "--url", url, "--scenario", scenario, "--spec-version", era]
    done = subprocess.run(
        [*command, "--timeout", "20000", "-o", str(place)],
        env=environment(place, NO_COLOR="1"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    output = f"{done.stdout}\n{done.stderr}"
    results = list(place.glob(f"server-{scenario}-*/checks.json"))
    assert len(results) == 1, f"the scenario did not run, which it calls a success:\n{output}"
    assert done.returncode == 0, output
    checks: list[dict[str, Any]] = json.loads(results[0].read_text(encoding="utf-8"))
    return checks


@pytest.mark.parametrize(
    ("era", "scenario"), [(era, scenario) for era, scenarios in SCENARIOS.items() for scenario in scenarios]
)
def test_official_scenario_passes(
    era: str, scenario: str, tmp_path: Path, served: str, served_with_diagnostic_tools: str
) -> None:
    url = served_with_diagnostic_tools if scenario == "server-stateless" else served
    checks = _checks_of(scenario, era, url, tmp_path)
    bad = [
        f"{check['status']} {check['id']}: {check.get('errorMessage') or check.get('details')}"
        for check in checks
        if check["status"] not in {"SUCCESS", "INFO"} and not (check["status"] == "SKIPPED" and check["id"] in MAY_SKIP)
    ]
    assert not bad, "\n".join(bad)
    assert any(check["status"] == "SUCCESS" for check in checks)


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_inspector_finds_nothing_to_say_about_the_tools(era: str, tmp_path: Path) -> None:
    command = [str(node()), str(INSPECTOR), "--cli", "--method", "tools/list", "--strict", "-q", "--format", "json"]
    done = subprocess.run(
        [*command, "--protocol-era", era, "--", tfruns(), "mcp"],
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    document = json.loads(done.stdout)
    assert len(document["result"]["tools"]) >= 9
    assert document.get("schemaFindings", []) == []
