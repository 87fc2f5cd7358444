"""A comment ends with the name of the program that sent it."""

import pytest

from tests.support.api import FakeApi, body, client_for
from tests.support.tables import rows
from tests.tools.calls import RUN_ID, TOOLS, willing_api
from tfruns.gate.pipeline import Gate, attribute_comments
from tfruns.mcp.tool_handlers import caller_name
from tfruns.policy import Confirm, Policy
from tfruns.tool import Role

COMMENTING = [name for name, tool in TOOLS.items() if not tool.is_read_only and Role.COMMENT in tool.roles.values()]


async def _sent(api: FakeApi, name: str, comment: str | None, caller: str) -> object:
    async with client_for(api) as client:
        arguments = {"run_id": RUN_ID} | ({} if comment is None else {"comment": comment})
        await Gate(client, Policy(confirm=Confirm.NEVER), caller=caller).call(TOOLS[name], arguments)
    (request,) = api.sent("POST")
    return body(request)


@pytest.mark.anyio
@rows("name", ["apply_run", "discard_run", "cancel_run", "force_cancel_run"])
async def test_comment_ends_with_the_name_of_the_client(name: str) -> None:
    assert name in COMMENTING
    assert await _sent(willing_api(), name, "reviewed\n", "Claude Code") == {
        "comment": "reviewed (via tfruns, Claude Code)"
    }


@pytest.mark.anyio
@rows("comment", [None, "", "  \n"])
async def test_empty_comment_stays_empty(comment: str | None) -> None:
    assert "via" not in str(await _sent(willing_api(), "apply_run", comment, "Claude Code"))


@pytest.mark.anyio
async def test_command_line_adds_no_name() -> None:
    assert await _sent(willing_api(), "apply_run", "reviewed", "") == {"comment": "reviewed"}


@rows(
    ("name", "shown"),
    [
        ("Claude Code", "Claude Code"),
        ("  a \n\r\t b\u2028c\x00d\u202e ", "a b c d"),
        ("x" * 500, "x" * 60),
        ("\ud800", ""),
        ("", ""),
        (None, ""),
        ("Bearer abcdefghijkl", "Bearer [removed]"),
        ("Ünïcode 😀", "Ünïcode 😀"),
    ],
)
def test_name_of_a_client_is_one_short_line(name: str | None, shown: str) -> None:
    assert caller_name(name) == shown


def test_only_comments_are_attributed() -> None:
    values = {"run_id": "r", "message": "m", "body": "b"}
    signed = attribute_comments(TOOLS["comment_on_run"], values, "X")
    assert signed == {"run_id": "r", "message": "m", "body": "b (via tfruns, X)"}
