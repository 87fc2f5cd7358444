"""The job with the client of FastMCP. It asks a person, who agrees."""

import asyncio
import os
from typing import Any

from fastmcp import Client
from fastmcp.client.transports import StdioTransport

import job


async def main() -> None:
    questions: list[str] = []

    async def agree(message: str, answer: Any, *_: Any) -> Any:
        if answer is None:  # a page, which this program cannot open: it then gets a form
            return {"confirm": True}
        questions.append(message)
        return answer(confirm=True)

    transport = StdioTransport(job.TFRUNS, job.ARGUMENTS, env=dict(os.environ))
    async with Client(transport, elicitation_handler=agree) as client:
        tools = {tool.name: tool.input_schema for tool in await client.list_tools()}

        async def call(name: str, arguments: dict[str, Any]) -> Any:
            return (await client.call_tool(name, arguments)).structured_content

        job.report(tools, await job.do(call, asks_person=True), questions)


asyncio.run(main())
