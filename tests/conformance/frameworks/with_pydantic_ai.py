"""The job with the toolset of Pydantic AI, converted for OpenAI and Google. It asks a person, who agrees."""

import asyncio
import os
from typing import Any

from fastmcp.client.transports import StdioTransport
from pydantic_ai import RunContext
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.models.test import TestModel
from pydantic_ai.profiles.google import GoogleJsonSchemaTransformer
from pydantic_ai.profiles.openai import OpenAIJsonSchemaTransformer
from pydantic_ai.usage import RunUsage

import job


async def main() -> None:
    questions: list[str] = []

    async def agree(message: str, answer: Any, *_: Any) -> Any:
        if answer is None:  # a page, which this program cannot open: it then gets a form
            return {"confirm": True}
        questions.append(message)
        return answer(confirm=True)

    transport = StdioTransport(job.TFRUNS, job.ARGUMENTS, env=dict(os.environ))
    async with MCPToolset(transport, elicitation_handler=agree, tool_error_behavior="error") as toolset:
        context = RunContext(deps=None, model=TestModel(), usage=RunUsage())
        tools = await toolset.get_tools(context)
        converted = {}
        for name, tool in tools.items():
            schema = tool.tool_def.parameters_json_schema
            GoogleJsonSchemaTransformer(schema, strict=True).walk()
            converted[name] = OpenAIJsonSchemaTransformer(schema, strict=True).walk()

        async def call(name: str, arguments: dict[str, Any]) -> Any:
            valid = tools[name].args_validator.validate_python(arguments)
            return await toolset.call_tool(name, valid, context, tools[name])

        job.report(converted, await job.do(call, asks_person=True), questions)


asyncio.run(main())
