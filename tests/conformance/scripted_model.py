"""A model that follows a script, behind the APIs that Claude Code, Codex and Gemini CLI use.

With it, a real client runs without an account: it sends the schemas of all tools as for its own model, and calls the
tools of the script.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

Json = dict[str, Any]
Step = tuple[str, Json]
Script = Callable[[list[str]], Step | None]
"""The next call (tool and arguments) after the texts of the results so far; None at the end."""


@dataclass
class Model:
    """The script, and what the client sent.

    Attributes:
        script: the script.
        url: the address of the API.
        tools: the schemas of the tools of tfruns in the last request, by name.
        results: the texts of the results in the last request.
    """

    script: Script
    url: str = ""
    tools: dict[str, Json] = field(default_factory=dict)
    results: list[str] = field(default_factory=list)

    def answer(self, path: str, body: Json) -> bytes | None:
        """The response to a request; None if it is not a request to the model."""
        api = next((api for end, api in _APIS.items() if path.partition("?")[0].endswith(end)), None)
        if api is None:
            return None
        if tools := {name: schema for name, schema in api.tools(body) if schema}:
            self.tools = tools
        self.results = list(api.results(body))
        step = self.script(self.results) if tools else None
        return api.reply(len(self.results), step)


@contextmanager
def serving(script: Script) -> Iterator[Model]:
    """Serve a model on loopback."""
    model = Model(script)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
            answer = model.answer(self.path, body)
            self._send(404 if answer is None else 200, answer or b"{}")

        def do_GET(self) -> None:
            self._send(404, b"{}")

        def _send(self, status: int, content: bytes) -> None:
            self.send_response(status)
            is_stream = content.startswith((b"event:", b"data:"))
            self.send_header("Content-Type", "text/event-stream" if is_stream else "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        model.url = f"http://127.0.0.1:{server.server_port}"
        yield model
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=30)


def _events(*events: Json) -> bytes:
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()


class _Api(Protocol):
    """The API of a model: its format, and the name that a client gives to a tool."""

    def tools(self, body: Json) -> Iterator[tuple[str, Json]]:
        """The tools of tfruns in a request, with their schemas."""
        ...

    def results(self, body: Json) -> Iterator[str]:
        """The texts of the results of tools in a request."""
        ...

    def reply(self, number: int, step: Step | None) -> bytes:
        """The response with a call of a tool, or with a text at the end."""
        ...


class _Anthropic:
    """The Messages API. Claude Code names a tool mcp__tfruns__apply_run."""

    prefix = "mcp__tfruns__"

    def tools(self, body: Json) -> Iterator[tuple[str, Json]]:
        for tool in body.get("tools", ()):
            if tool["name"].startswith(self.prefix):
                yield tool["name"].removeprefix(self.prefix), tool["input_schema"]

    def results(self, body: Json) -> Iterator[str]:
        for message in body["messages"]:
            for block in message["content"] if isinstance(message["content"], list) else ():
                if block["type"] == "tool_result":
                    content = block["content"]
                    yield content if isinstance(content, str) else "".join(part["text"] for part in content)

    def reply(self, number: int, step: Step | None) -> bytes:
        block: Json = {"type": "text", "text": ""}
        delta: Json = {"type": "text_delta", "text": "Done."}
        if step is not None:
            block = {"type": "tool_use", "id": f"toolu_{number}", "name": self.prefix + step[0], "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(step[1])}
        usage = {"input_tokens": 1, "output_tokens": 1}
        message = {"id": f"msg_{number}", "type": "message", "role": "assistant", "content": [], "model": "scripted"}
        reason = {"stop_reason": "end_turn" if step is None else "tool_use", "stop_sequence": None}
        return _events(
            {
                "type": "message_start",
                "message": {**message, "stop_reason": None, "stop_sequence": None, "usage": usage},
            },
            {"type": "content_block_start", "index": 0, "content_block": block},
            {"type": "content_block_delta", "index": 0, "delta": delta},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": reason, "usage": usage},
            {"type": "message_stop"},
        )


class _Gemini:
    """The Gemini API. Gemini CLI names a tool mcp_tfruns_apply_run."""

    prefix = "mcp_tfruns_"

    def tools(self, body: Json) -> Iterator[tuple[str, Json]]:
        for group in body.get("tools", ()):
            for tool in group.get("functionDeclarations", ()):
                if tool["name"].startswith(self.prefix):
                    schema = tool.get("parametersJsonSchema") or tool.get("parameters")
                    yield tool["name"].removeprefix(self.prefix), schema

    def results(self, body: Json) -> Iterator[str]:
        for content in body["contents"]:
            for part in content["parts"]:
                if "functionResponse" in part:
                    yield _inside(part["functionResponse"]["response"])

    def reply(self, number: int, step: Step | None) -> bytes:
        part: Json = {"text": "Done."}
        if step is not None:
            part = {"functionCall": {"name": self.prefix + step[0], "args": step[1]}}
        content = {"role": "model", "parts": [part]}
        usage = {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}
        document = {"candidates": [{"content": content, "finishReason": "STOP", "index": 0}], "usageMetadata": usage}
        return f"data: {json.dumps(document)}\r\n\r\n".encode()


def _inside(response: Json) -> str:
    """The text of a result. Gemini CLI marks it as untrusted."""
    text: str = response.get("output") or response.get("error") or json.dumps(response)
    return text.removeprefix("<untrusted_context>").removesuffix("</untrusted_context>").strip()


class _OpenAI:
    """The Responses API. Codex puts the tools of a server into a namespace."""

    namespace = "mcp__tfruns"

    def tools(self, body: Json) -> Iterator[tuple[str, Json]]:
        for group in body.get("tools", ()):
            if group.get("name") == self.namespace:
                for tool in group["tools"]:
                    yield tool["name"], tool["parameters"]

    def results(self, body: Json) -> Iterator[str]:
        for item in body["input"]:
            if item["type"] == "function_call_output":
                output = item["output"]
                text = output if isinstance(output, str) else "".join(part.get("text", "") for part in output)
                yield text.partition("Output:\n")[2] or text  # Codex adds the time that the call took

    def reply(self, number: int, step: Step | None) -> bytes:
        content = [{"type": "output_text", "text": "Done."}]
        item: Json = {"type": "message", "role": "assistant", "id": f"msg_{number}", "content": content}
        if step is not None:
            item = {
                "type": "function_call",
                "call_id": f"call_{number}",
                "namespace": self.namespace,
                "name": step[0],
                "arguments": json.dumps(step[1]),
            }
        usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
        details = {"input_tokens_details": None, "output_tokens_details": None}
        return _events(
            {"type": "response.created", "response": {"id": f"resp_{number}"}},
            {"type": "response.output_item.done", "item": item},
            {"type": "response.completed", "response": {"id": f"resp_{number}", "usage": usage | details}},
        )


_APIS: dict[str, _Api] = {"/v1/messages": _Anthropic(), ":streamGenerateContent": _Gemini(), "/responses": _OpenAI()}
