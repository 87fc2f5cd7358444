"""The job with the function tools of the OpenAI Agents SDK, with strict schemas. It cannot ask a person."""

import asyncio
import json
import os
from typing import Any

from agents import Agent, RunContextWrapper
from agents.mcp import MCPServerStdio, MCPUtil
from agents.tool_context import ToolContext

import job


async def main() -> None:
    parameters = {"command": job.TFRUNS, "args": job.ARGUMENTS, "env": dict(os.environ)}
    async with MCPServerStdio(parameters, client_session_timeout_seconds=90, use_structured_content=True) as server:
        found = await MCPUtil.get_function_tools(
            server, convert_schemas_to_strict=True, run_context=RunContextWrapper(None), agent=Agent(name="job")
        )
        tools = {tool.name: tool for tool in found}
        not_strict = [tool.name for tool in found if not tool.strict_json_schema]
        if not_strict:
            raise SystemExit(f"The schemas cannot be strict: {not_strict}")

        async def call(name: str, arguments: dict[str, Any]) -> Any:
            text = json.dumps(arguments)
            context = ToolContext(None, tool_name=name, tool_call_id="call", tool_arguments=text)
            return await tools[name].on_invoke_tool(context, text)

        schemas = {name: tool.params_json_schema for name, tool in tools.items()}
        job.report(schemas, await job.do(call, asks_person=False), [])


asyncio.run(main())
