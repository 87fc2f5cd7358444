"""Every node of every tool's schema is one that known clients and their models' APIs accept.

One refused node costs the whole list of tools, or every request in which it is sent. Each rule names who refuses.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jsonschema  # type: ignore[import-untyped]

from tests.tools.listing import listed_tools

Node = Mapping[str, Any]


def _has_items(node: Node) -> bool:
    """VS Code: "tool parameters array type must have items"; OpenAI: "array schema missing items".

    https://github.com/agentscope-ai/ReMe/issues/84, https://github.com/Automattic/wordpress-mcp/issues/103
    """
    return node.get("type") != "array" or isinstance(node.get("items"), Mapping)


def _has_one_type(node: Node) -> bool:
    """Gemini: "Proto field is not repeating, cannot start list", and "didn't specify the schema type field".

    https://github.com/nanbingxyz/5ire/issues/218, https://github.com/google-gemini/gemini-cli/issues/4400
    """
    return isinstance(node.get("type"), str) or "anyOf" in node or node == {}


def _has_known_words(node: Node) -> bool:
    """Gemini: "Unknown name". `additionalProperties` is the exception that clients take out, and that we need.

    https://github.com/danny-avila/LibreChat/pull/13850
    """
    words = "type description enum default properties required items anyOf pattern additionalProperties"
    return set(node) <= set(words.split())


def _has_enum_of_strings(node: Node) -> bool:
    """Gemini: "enum: only allowed for STRING type". https://github.com/nanbingxyz/5ire/issues/218"""
    texts = node.get("enum", ())
    return not texts or (node.get("type") == "string" and all(isinstance(text, str) and text for text in texts))


def _requires_what_it_has(node: Node) -> bool:
    """Gemini: "required[0]: property is not defined"; it is a mistake for everybody else."""
    return set(node.get("required", ())) <= set(node.get("properties", ()))


def _has_a_default_of_its_type(node: Node) -> bool:
    """A client that validates defaults (ajv, `useDefaults`) refuses one that does not fit."""
    if "default" in node:
        jsonschema.validate(node["default"], {"type": node["type"]})
    return True


RULES_OF_NODES: list[Callable[[Node], bool]] = [
    _has_items,
    _has_one_type,
    _has_known_words,
    _has_enum_of_strings,
    _requires_what_it_has,
    _has_a_default_of_its_type,
]


def nodes(schema: Node, path: str) -> Iterator[tuple[str, Node]]:
    """Every schema within a schema, with the way to it."""
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    if isinstance(schema.get("items"), Mapping):
        yield from nodes(schema["items"], f"{path}[]")
    for number, child in enumerate(schema.get("anyOf", ())):
        yield from nodes(child, f"{path}.anyOf[{number}]")


def test_every_node_keeps_every_rule() -> None:
    found = [found for name, tool in listed_tools().items() for found in nodes(tool["inputSchema"], name)]
    assert {path for path, _ in found} >= {"create_run.params.variables[].value.anyOf[3]", "create_run.params"}
    broken = [f"{path}: {rule.__name__}" for path, node in found for rule in RULES_OF_NODES if not rule(node)]
    assert broken == []


def test_every_node_is_walked() -> None:
    for name, tool in listed_tools().items():
        inner = sum(1 for _ in nodes(tool["inputSchema"], name))
        assert inner == len(re.findall(r'"type": "[a-z]+"', json.dumps(tool["inputSchema"]))) + sum(
            1 for _, node in nodes(tool["inputSchema"], name) if "type" not in node
        )


def test_every_root_is_an_object_with_properties() -> None:
    """OpenAI: "object schema missing properties"; Anthropic: "input_schema does not support oneOf, allOf, or anyOf at
    the top level" and "Property keys should match pattern".

    https://github.com/Azure/azure-mcp/issues/197, https://github.com/makenotion/notion-mcp-server/issues/341,
    https://github.com/twilio-labs/mcp/issues/58
    """
    for name, tool in listed_tools().items():
        schema = tool["inputSchema"]
        assert schema["type"] == "object"
        assert set(schema) <= {"type", "properties", "required", "additionalProperties"}, name
        assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name)
        assert all(
            re.fullmatch(r"[a-zA-Z0-9_.-]{1,64}", key)
            for _, node in nodes(schema, "")
            for key in node.get("properties", ())
        )
        jsonschema.Draft202012Validator.check_schema(schema)
