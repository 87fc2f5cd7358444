"""What a command that only reads imports while it reads from a live server. Each import takes time of the command."""

import sys

from tests.architecture.test_loading import FORBIDDEN_IN_READING, run_command
from tests.cli.run.configurations import CHANGES
from tests.support.command import Shell
from tests.support.local_lab import Lab
from tests.support.local_server import LocalServer

# The packages of the command line, of models, and of the HTTP client.
_ALLOWED = {
    *("cyclopts", "attr", "attrs"),
    *("pydantic", "pydantic_core", "annotated_types", "typing_extensions", "typing_inspection"),
    *("httpx2", "httpcore2", "h11", "anyio", "idna", "truststore"),
    *("h2", "hpack", "hyperframe"),  # httpcore2 imports them if they are installed
    *("ahocorasick_rs", "tfruns"),
}
_UNUSED = {
    *(f"tfruns.local.{part}" for part in ("api", "engine", "service", "startup", "store", "terraform")),
    *("tfruns.client.checks", "tfruns.client.configuration_versions", "tfruns.configuration.packing"),
    *("tfruns.logs.diagnostics", "tfruns.mcp.server", "tfruns.review"),
}


async def test_reading_commands_import_only_what_they_need(lab: Lab, server: LocalServer, shell: Shell) -> None:
    run = await lab.planned(workspace := await lab.workspace(CHANGES))
    local = ("--local", "--data-dir", str(server.data_dir))
    for words in (
        ["run", "list", "--workspace", workspace],
        ["run", "list", "--all-workspaces", "--json"],
        ["run", "show", run.id],
        ["workspace", "list", "--limit", "500"],
        ["workspace", "show", workspace],
    ):
        output, loaded = run_command([*words, *local], cwd=shell.directory, env=shell.env)
        assert (workspace if words[0] == "workspace" else run.id) in output, words
        others = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names
        assert {name for name in others if not name.startswith("_")} <= _ALLOWED, words
        assert loaded & FORBIDDEN_IN_READING == set(), words
        assert loaded & _UNUSED == set(), words
        assert {"tfruns.client.workspaces", "httpcore2", "h11"} <= loaded, words
