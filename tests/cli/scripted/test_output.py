"""`--json FIELDS`, `--jq`, `--template`, `--limit`, `--watch` and `--web`, against a scripted API."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from tests.cli.test_all_commands import COMMANDS, WITHOUT_JSON
from tests.support.api import answer, error
from tests.support.browser import FakeBrowser
from tests.support.command import PATIENCE_S, Shell
from tests.support.command_process import start
from tests.support.http_api import HttpApi, Received
from tests.support.local_server import until
from tests.support.samples import RUN_ID, page, planned, run, workspace
from tests.support.stdio import tfruns
from tests.support.tables import rows
from tests.support.terminal import Terminal
from tfruns.cli.commands import ALIASES
from tfruns.cli.json_fields import VIEWS, fields_of
from tfruns.gate.registry import all_tools

pytestmark = pytest.mark.processes

_RUNS = "/organizations/acme/runs"
_LIST = ("run", "list", "--all-workspaces")
_ROW = "{% for run in runs %}{{ run.id }} {{ run.message or '-' }}\n{% endfor %}"


@pytest.fixture
def runs(api: HttpApi) -> HttpApi:
    """Two runs, of which one waits, and the first by itself."""
    found = [planned(message="Add"), run("run-2", status="applied", message="")]
    api.on("GET", _RUNS, answer(page(*found) | {"included": [workspace()]}))
    return api.on("GET", f"/runs/{RUN_ID}", answer({"data": found[0], "included": [workspace()]}))


@rows(
    ("arguments", "out"),
    [
        (
            [*_LIST, "--json", "status,id"],
            f'[{{"status":"planned","id":"{RUN_ID}"}},{{"status":"applied","id":"run-2"}}]\n',
        ),
        ([*_LIST, "--json=id,message"], f'[{{"id":"{RUN_ID}","message":"Add"}},{{"id":"run-2","message":""}}]\n'),
        ([*_LIST, "--json", "needs_person"], '[{"needs_person":true},{"needs_person":null}]\n'),
        (["run", "ls", "--all-workspaces", "--json", "id"], f'[{{"id":"{RUN_ID}"}},{{"id":"run-2"}}]\n'),
        (["run", "show", RUN_ID, "--json", "id,status"], f'{{"id":"{RUN_ID}","status":"planned"}}\n'),
        (["run", "view", "--json", "status", RUN_ID], '{"status":"planned"}\n'),
        ([*_LIST, "--jq", ".runs[].id"], f"{RUN_ID}\nrun-2\n"),
        ([*_LIST, "--json", "id", "--jq", ".[] | {id}"], f'{{"id":"{RUN_ID}"}}\n{{"id":"run-2"}}\n'),
        ([*_LIST, "--jq", ".nothing"], "null\n"),
        ([*_LIST, "--template", _ROW], f"{RUN_ID} Add\nrun-2 -\n"),
        ([*_LIST, "--json", "id", "-t", "{{ result | length }}"], "2\n"),
        (["run", "show", RUN_ID, "--template", "{{ id }} is {{ status }}"], f"{RUN_ID} is planned\n"),
    ],
)
def test_output_is_selected(runs: HttpApi, shell: Shell, arguments: list[str], out: str) -> None:
    done = shell(*arguments)
    assert (done.out, done.err) == (out, "")


def test_word_after_json_can_be_an_argument(api: HttpApi, shell: Shell) -> None:
    api.on("GET", "/organizations/acme/workspaces/network", answer({"data": workspace()}))
    assert shell("workspace", "show", "--json", "network").json["name"] == "network"


def test_list_without_a_workspace_is_of_the_organization(runs: HttpApi, shell: Shell) -> None:
    assert shell("run", "list", "--json", "id").json == [{"id": RUN_ID}, {"id": "run-2"}]


def test_json_without_fields_is_the_whole_result(runs: HttpApi, shell: Shell) -> None:
    for arguments in (("--json", RUN_ID), (RUN_ID, "--json"), ("--json=true", RUN_ID)):
        assert shell("run", "show", *arguments).json["id"] == RUN_ID


@rows(
    ("arguments", "texts"),
    [
        ([*_LIST, "--json", "id,stat"], ['Unknown field "stat".', "Fields: id, status, needs_person, "]),
        ([*_LIST, "--json", "foo"], ['Unknown field "foo".', "Fields: id, status, needs_person, "]),
        (["run", "show", "--json", "foo"], ['Unknown field "foo".', "Fields: id, status, "]),
        (["run", "ls", "--json", "foo,bar,id"], ['Unknown field "foo", "bar".']),
        ([*_LIST, "--json="], ["--json= names no field."]),
        ([*_LIST, "--jq", ".["], ["The expression of --jq is invalid: ", "Nothing was sent."]),
        ([*_LIST, "--template", "{% for %}"], ["The template is invalid: ", "Nothing was sent."]),
        ([*_LIST, "--jq", ".", "--template", "x"], ["--jq and --template cannot be used together."]),
        ([*_LIST, "--limit", "5", "--page", "2"], ["--limit cannot be used with --page or --page-size."]),
        ([*_LIST, "--limit", "0"], ["--limit"]),
        ([*_LIST, "--watch"], ["--watch needs a terminal"]),
    ],
)
def test_invalid_output_option_is_refused_before_a_request(
    shell: Shell, api: HttpApi, arguments: list[str], texts: list[str]
) -> None:
    done = shell(*arguments, code=2)
    assert done.out == ""
    assert all(text in done.err for text in texts), done.err
    assert api.requests == []


@rows(
    ("option", "text"),
    [
        (("--jq", ".runs[].id.x"), "The expression of --jq failed on the result: "),
        (("--template", "{{ runs.first.nothing }}"), "The template failed on the result: "),
        (("--template", "{{ ().__class__ }}"), "The template failed on the result: "),
        (("--template", "{{ '{a}'.format() }}"), "The template failed on the result: KeyError: 'a'"),
        (("--template", "{{ '{}'.format() }}"), "The template failed on the result: IndexError: "),
        (
            ("--template", "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"),
            "The template failed on the result: Recurs",
        ),
        (("--template", "{{ 'x' | timeago }}"), "The template failed on the result: ValueError: "),
    ],
)
def test_failure_on_the_result_tells_that_the_command_succeeded(
    runs: HttpApi, shell: Shell, option: tuple[str, str], text: str
) -> None:
    done = shell(*_LIST, *option, code=2)
    assert text in done.err
    assert "The command itself succeeded." in done.err


def test_error_is_not_printed_as_a_selected_result(api: HttpApi, shell: Shell) -> None:
    api.on("GET", f"/runs/{RUN_ID}", error(404, "not found"))
    assert shell("run", "show", RUN_ID, "--json", code=1).json["error"] == "not_found"
    for option in (("--json", "id"), ("--jq", ".id"), ("--template", "{{ id }}")):
        assert shell("run", "show", RUN_ID, *option, code=1).out == ""


def test_limit_reads_as_many_pages_as_necessary(api: HttpApi, shell: Shell) -> None:
    def runs(request: Received) -> Any:
        number, size = int(request.query["page[number]"]), int(request.query["page[size]"])
        found = [run(f"run-{number}x{index}") for index in range(size)]
        return answer(page(*found, number=number, next_page=number + 1 if number < 3 else None))

    api.on("GET", _RUNS, runs)
    done = shell(*_LIST, "--limit", "150", "--jq", ".runs | length")
    assert done.out == "150\n"
    assert [request.query["page[size]"] for request in api.sent("GET", "/runs")] == ["100", "100"]
    api.requests.clear()
    assert shell(*_LIST, "-L", "1000", "--jq", ".runs | length").out == "300\n"
    assert "More: --limit 10\n" in shell(*_LIST, "-L", "5").err


def test_watch_draws_a_run_until_it_is_final(api: HttpApi, shell: Shell) -> None:
    first, last = run(status="planning"), run(status="errored")
    api.on("GET", f"/runs/{RUN_ID}", *(answer({"data": one, "included": [workspace()]}) for one in (first, last)))
    with Terminal([tfruns(), "run", "show", RUN_ID, "--watch"], cwd=shell.directory, env=shell.env) as terminal:
        terminal.expect("status                    planning")
        terminal.expect("Press Ctrl-C to stop.")
        assert terminal.end() == 0
        assert terminal.text.count("errored") >= 2  # while it is drawn, and at last


def test_ctrl_c_ends_a_watched_list(runs: HttpApi, shell: Shell) -> None:
    with Terminal([tfruns(), *_LIST, "--watch"], cwd=shell.directory, env=shell.env) as terminal:
        terminal.expect("Press Ctrl-C to stop.")
        terminal.interrupt()
        assert terminal.end() == 0


def test_web_opens_the_page_of_the_api(api: HttpApi, shell: Shell, browser: FakeBrowser) -> None:
    api.on("GET", f"/runs/{RUN_ID}", answer({"data": run(), "included": [workspace()]}))
    page = f"{api.address}/app/acme/workspaces/network/runs/{RUN_ID}"
    for words in (("show", RUN_ID, "--web"), ("review", RUN_ID, "--web"), ("open", RUN_ID)):
        done = shell.with_variables(browser.variables)("run", *words)
        assert (done.out, done.err) == ("", f"Opening {page} in a browser.\n"), words
        assert browser.opened() == [page], words


def test_every_command_with_json_declares_its_fields() -> None:
    names = {" ".join(words) for words in COMMANDS} - WITHOUT_JSON - {"run plan"}  # prints a plan as it is
    assert {name for name in names if not fields_of(name)} == set()
    assert set(VIEWS) <= names
    assert set(ALIASES.values()) <= {words[-1] for words in COMMANDS} | {"remove"}


def test_fields_of_a_command_are_those_of_its_tool() -> None:
    for tool in all_tools():
        if tool.command in VIEWS:
            returned = str(get_type_hints(tool.function)["return"])
            names = [view.rpartition(":")[2] for view in VIEWS[tool.command]]
            assert any(name in returned or name == "PlanReviewView" for name in names), tool.name


def test_libraries_are_imported_only_for_their_options(runs: HttpApi, shell: Shell) -> None:
    code = (
        "import sys\nfrom tfruns.cli import main\ntry:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )

    def imported(*arguments: str) -> set[str]:
        command = [sys.executable, "-c", code, *_LIST, *arguments]
        done = subprocess.run(
            command, env=shell.env, cwd=shell.directory, capture_output=True, text=True, check=True, timeout=PATIENCE_S
        )
        return set(done.stderr.split()) & {"rich", "jq", "jinja2", "tomllib", "tomlkit", "platformdirs"}

    assert imported() == set()
    assert imported("--json", "id") == set()
    assert imported("--jq", ".") == {"jq"}
    assert imported("--template", "x") == {"jinja2"}


def test_endless_jq_expression_ends_with_an_interrupt(runs: HttpApi, shell: Shell) -> None:
    process = start([tfruns(), *_LIST, "--jq", "def f: f; f"], cwd=shell.directory, env=shell.env)
    runs.wait_for("GET", _RUNS)
    before = _processor_time_s(process.pid)
    until(lambda: _processor_time_s(process.pid) > before + 1, "the expression is evaluated")
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=PATIENCE_S)[0] == b""
    assert process.wait() != 0


def _processor_time_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
