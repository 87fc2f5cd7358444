"""Agent frameworks do a whole job with their own tool objects: create a run, wait, review, apply, with real Terraform.

There is no model: a program calls the tools that the framework built from the list of tools, after it has converted
their schemas as for a model.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from tests.conformance.installed import require
from tests.conformance.node_tools import ROOT
from tests.support.local_lab import lab as lab_on
from tests.support.local_server import LocalServer
from tests.support.stdio import environment, tfruns
from tests.tools.listing import listed_tools

ENVIRONMENTS = ROOT / ".cache" / "frameworks"
PROGRAMS = Path(__file__).parent / "frameworks"
APPLIES = "Apply run-"

# The environment of each framework, and whether it asks a person.
FRAMEWORKS = {
    "fastmcp": ("mcp2", True),
    "langchain": ("mcp1", True),
    "openai_agents": ("mcp2", False),
    "pydantic_ai": ("mcp2", True),
}


def _python(environment: str) -> Path:
    return ENVIRONMENTS / environment / "bin" / "python"


@pytest.fixture(scope="module", autouse=True)
def _installed(processes: None) -> None:
    require({_python(name) for name, _ in FRAMEWORKS.values()})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with LocalServer(tmp_path_factory.mktemp("frameworks") / "data") as started:
        yield started


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_framework_does_a_whole_job(framework: str, server: LocalServer, tmp_path: Path) -> None:
    name, asks_person = FRAMEWORKS[framework]
    workspace = framework.replace("_", "-")

    async def prepare() -> None:
        async with lab_on(server) as lab:
            await lab.workspace('resource "terraform_data" "a" { input = "x" }', name=workspace)

    anyio.run(prepare)
    done = subprocess.run(
        [
            str(_python(name)),
            str(PROGRAMS / f"with_{framework}.py"),
            tfruns(),
            f"default/{workspace}",
        ],
        env=environment(tmp_path, TFE_ADDRESS=server.url, TFE_TOKEN=server.token),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    report = json.loads(done.stdout)
    assert set(report["tools"]) == set(listed_tools())
    for tool, schema in report["tools"].items():
        own = listed_tools()[tool]["inputSchema"]
        assert set(schema["properties"]) == set(own["properties"]), tool
        assert schema["type"] == "object", tool
    assert report["statuses"] == ["planned", "applied"]
    assert report["accepted"] is True
    assert report["plan"] == "Plan: 1 to add, 0 to change, 0 to destroy."
    assert [APPLIES in question for question in report["questions"]] == [True] * asks_person
