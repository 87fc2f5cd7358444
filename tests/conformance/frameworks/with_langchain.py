"""The job with the tools of langchain-mcp-adapters, converted for OpenAI. It asks a person, who agrees."""

import asyncio
import os
from typing import Any

from langchain_core.utils.function_calling import (
    convert_to_openai_tool,
)
from langchain_mcp_adapters.callbacks import Callbacks
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools
from mcp.types import ElicitResult

import job


async def main() -> None:
    questions: list[str] = []

    async def agree(_: Any, params: Any, __: Any) -> Any:
        if params.mode == "form":  # not a page, which this program cannot open: it then gets a form
            questions.append(params.message)
        return ElicitResult(action="accept", content={"confirm": True})

    callbacks = Callbacks(on_elicitation=agree)
    server = {"transport": "stdio", "command": job.TFRUNS, "args": job.ARGUMENTS, "env": dict(os.environ)}
    client = MultiServerMCPClient({"tfruns": server}, callbacks=callbacks)
    async with client.session("tfruns") as session:
        tools = {tool.name: tool for tool in await load_mcp_tools(session, callbacks=callbacks)}
        converted = {name: convert_to_openai_tool(tool)["function"]["parameters"] for name, tool in tools.items()}

        async def call(name: str, arguments: dict[str, Any]) -> Any:
            return await tools[name].ainvoke(arguments)

        job.report(converted, await job.do(call, asks_person=True), questions)


asyncio.run(main())
