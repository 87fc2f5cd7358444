"""A tool that the mode does not offer cannot be called by name."""

import mcp_types as types
import pytest
from mcp.shared.exceptions import MCPError

from tests.support.api import ConnectionTo, FakeApi, client_for
from tests.support.requests import a_request
from tests.support.tables import rows
from tests.tools.calls import CONFIGURATION, REQUIRED, TOOLS, willing_api
from tfruns.mcp.tool_handlers import ToolHandlers
from tfruns.policy import Confirm, Mode, Policy

CHANGING = [
    "create_run",
    "discard_run",
    "cancel_run",
    "comment_on_run",
    "upload_configuration",
    "set_workspace_lock",
    "rerun",
]
APPLYING = ["set_variable", "save_workspace", "delete_workspace", "roll_back_state"]
APPLYING += ["apply_run", "force_cancel_run", "force_execute_run", "override_policy_check"]
HIDDEN = [(Mode.READ, name) for name in [*CHANGING, *APPLYING]] + [(Mode.PLAN, name) for name in APPLYING]
OFFERED = [(mode, name) for mode in Mode for name in TOOLS if (mode, name) not in HIDDEN]


async def _called(name: str, mode: Mode, api: FakeApi) -> types.CallToolResult:
    params = types.CallToolRequestParams(name=name, arguments=REQUIRED.get(name, {}))
    policy = Policy(mode, Confirm.NEVER)
    async with client_for(api) as client:
        handlers = ToolHandlers(policy, ConnectionTo(client), (CONFIGURATION,))
        result = await handlers.call_tool(a_request(), params)
    assert isinstance(result, types.CallToolResult)
    return result


async def _refusal(name: str, mode: Mode, api: FakeApi) -> types.ErrorData:
    with pytest.raises(MCPError) as raised:
        await _called(name, mode, api)
    return raised.value.error


@pytest.mark.anyio
@rows(("mode", "name"), HIDDEN)
async def test_hidden_tool_is_a_protocol_error_that_names_the_mode(mode: Mode, name: str) -> None:
    api = willing_api()
    refusal = await _refusal(name, mode, api)
    assert refusal.code == types.INVALID_PARAMS
    assert refusal.message == f"The tool {name} is not offered in mode {mode.value}."
    assert api.requests == []


@pytest.mark.anyio
@rows(("mode", "name"), OFFERED)
async def test_tool_can_be_called_in_every_mode_that_offers_it(mode: Mode, name: str) -> None:
    result = await _called(name, mode, willing_api())
    assert not result.is_error


@pytest.mark.anyio
@rows("mode", Mode)
async def test_misspelled_tool_never_suggests_a_hidden_one(mode: Mode) -> None:
    refusal = await _refusal("aply_run", mode, FakeApi())
    assert refusal.message.startswith("Unknown tool: aply_run.")
    assert ("Did you mean apply_run?" in refusal.message) is (mode is Mode.APPLY)
