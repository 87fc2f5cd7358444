"""Every node of every tool's schema is accepted by the clients and model APIs that validate schemas.

One refused node costs the whole list of tools, or every request that contains it. A rule has a source, and an example
that it refuses.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema  # type: ignore[import-untyped]

from tests.tools.listing import listed_tools
from tfruns.mcp.person import FORM_SCHEMA

Node = Mapping[str, Any]

SERVER = "tfruns"
TYPES = {"string", "integer", "number", "boolean", "array", "object"}
KEYWORDS = {"type", "description", "enum", "default", "properties", "required", "items", "pattern"}
_VS_CODE = (
    "https://github.com/microsoft/vscode-copilot-chat/blob/main/src/extension/tools/common/toolSchemaNormalizer.ts"
)
_CODEX = "https://github.com/openai/codex/blob/main/codex-rs/tools/src/json_schema.rs"
_STRICT = "https://developers.openai.com/api/docs/guides/structured-outputs#supported-schemas"
_GEMINI = "https://ai.google.dev/api/caching#Schema"


@dataclass(frozen=True)
class Rule:
    """A rule for every node of a schema.

    Attributes:
        name: the rule.
        sources: who requires it and with which error; documentation, source code or a report.
        holds: whether a node keeps the rule.
        refused: a node that does not.
    """

    name: str
    sources: Mapping[str, str]
    holds: Callable[[Node], bool]
    refused: Node


def _has_valid_default(node: Node) -> bool:
    return "default" not in node or jsonschema.Draft202012Validator({**node}).is_valid(node["default"])


def _enumerates_texts(node: Node) -> bool:
    texts = node.get("enum", ("",))
    return "enum" not in node or (
        node.get("type") == "string" and bool(texts) and all(isinstance(text, str) and text for text in texts)
    )


def _has_valid_keys(node: Node) -> bool:
    return all(re.fullmatch(r"[a-zA-Z0-9_.-]{1,64}", key) for key in node.get("properties", ()))


NODE_RULES = [
    Rule(
        "An array has items, which are not an empty schema",
        {
            "VS Code, 'tool parameters array type must have items'": _VS_CODE,
            "OpenAI, 'array schema missing items'": "https://github.com/Automattic/wordpress-mcp/issues/103",
            "Gemini, 'items: missing field'": _GEMINI,
        },
        lambda node: node.get("type") != "array" or bool(node.get("items")),
        {"type": "array", "items": {}},
    ),
    Rule(
        "A node has exactly one type. It is no union, and does not allow everything",
        {
            "Gemini, 'Proto field is not repeating, cannot start list'": "https://github.com/nanbingxyz/5ire/issues/218",
            "Vertex AI, 'When using any_of, it must be the only field set'": "https://github.com/lambda-alpha-labs/Graphenium/issues/37",
            "Codex turns a node without a type into a string": _CODEX,
        },
        lambda node: isinstance(node.get("type"), str) and node["type"] in TYPES,
        {"type": ["string", "null"]},
    ),
    Rule(
        "An object lists its properties",
        {
            "Gemini, 'properties: should be non-empty for OBJECT type'": "https://github.com/MarkusPfundstein/mcp-obsidian/issues/21",
            "OpenAI, 'object schema missing properties'": "https://github.com/Azure/azure-mcp/issues/197",
        },
        lambda node: node.get("type") != "object" or bool(node.get("properties")),
        {"type": "object", "additionalProperties": True},
    ),
    Rule(
        "An object allows no other properties",
        {"OpenAI with `strict`, 'additionalProperties: false must always be set in objects'": _STRICT},
        lambda node: node.get("type") != "object" or node.get("additionalProperties") is False,
        {"type": "object", "properties": {"a": {"type": "string"}}},
    ),
    Rule(
        "Only an object has properties, only an array has items",
        {"Gemini, 'properties: only allowed for OBJECT type'": "https://github.com/anomalyco/opencode/issues/11889"},
        lambda node: (
            (node.get("type") == "object" or not {"properties", "required", "additionalProperties"} & set(node))
            and (node.get("type") == "array" or "items" not in node)
        ),
        {"type": "string", "properties": {"a": {"type": "string"}}},
    ),
    Rule(
        "A node has only keywords that every API knows. Clients remove additionalProperties for Gemini",
        {
            "Gemini, 'Unknown name'": _GEMINI,
            "OpenAI with `strict`": _STRICT,
            "additionalProperties": "https://github.com/danny-avila/LibreChat/pull/13850",
        },
        lambda node: set(node) <= KEYWORDS | {"additionalProperties"},
        {"type": "string", "oneOf": [{"const": "a"}]},
    ),
    Rule(
        "An enumeration consists of texts",
        {"Gemini, 'enum: only allowed for STRING type'": "https://github.com/nanbingxyz/5ire/issues/218"},
        _enumerates_texts,
        {"type": "integer", "enum": [1, 2]},
    ),
    Rule(
        "Required properties are defined",
        {
            "Gemini, 'required[0]: property is not defined'": _GEMINI,
            "VS Code removes others": _VS_CODE,
        },
        lambda node: set(node.get("required", ())) <= set(node.get("properties", ())),
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["b"]},
    ),
    Rule(
        "A default is valid",
        {"ajv with `useDefaults`": "https://ajv.js.org/guide/modifying-data.html#assigning-defaults"},
        _has_valid_default,
        {"type": "string", "default": 1},
    ),
    Rule(
        "Names of properties are short and simple",
        {
            "Anthropic, 'Property keys should match pattern ^[a-zA-Z0-9_.-]{1,64}$'": "https://github.com/twilio-labs/mcp/issues/58",
        },
        _has_valid_keys,
        {"type": "object", "properties": {"filter[status]": {"type": "string"}}},
    ),
    Rule(
        "A description has at most 1,024 characters",
        {"VS Code truncates a longer one for GPT-4 models": _VS_CODE},
        lambda node: len(node.get("description", "")) <= 1024,
        {"type": "string", "description": "a" * 1025},
    ),
]

TOOL_RULES = [
    Rule(
        "The root is an object without combinations",
        {
            "Anthropic, 'input_schema does not support oneOf, allOf, or anyOf at the top level'": "https://github.com/makenotion/notion-mcp-server/issues/341",
            "VS Code removes them": _VS_CODE,
        },
        lambda tool: (
            tool["inputSchema"].get("type") == "object"
            and not {"oneOf", "anyOf", "allOf", "not", "if", "then", "else"} & set(tool["inputSchema"])
        ),
        {"inputSchema": {"type": "object", "anyOf": [{"required": ["a"]}]}},
    ),
    Rule(
        "A name is short and simple, also with the name of the server before it",
        {
            "OpenAI and Anthropic, 64 characters; Claude Code puts mcp__tfruns__ before it": "https://github.com/sparfenyuk/mcp-proxy/issues/45",
            "Cursor, 60 characters with the name of the server": "https://github.com/awslabs/mcp/issues/1283",
        },
        lambda tool: (
            bool(re.fullmatch(r"[a-zA-Z0-9_-]{1,50}", tool["name"]))
            and len(f"mcp__{SERVER}__{tool['name']}") <= 64
            and len(SERVER + tool["name"]) < 60
        ),
        {"name": "a" * 51},
    ),
    Rule(
        "A description is given, and has at most 1,024 characters",
        {
            "OpenAI, 'function.description: string too long. Expected a string with maximum length 1024'": "https://github.com/getsentry/sentry-mcp/issues/106",
            "VS Code, 'schema description may not be empty'": _VS_CODE,
        },
        lambda tool: 0 < len(tool.get("description", "")) <= 1024,
        {"description": ""},
    ),
    Rule(
        "A schema is nested at most five levels deep",
        {"OpenAI with `strict`": _STRICT},
        lambda tool: max(path.count(".") + path.count("[]") for path, _ in schemas(tool)) <= 5,
        {"inputSchema": {"properties": {"a": {"items": {"items": {"items": {"items": {"items": {"items": {}}}}}}}}}},
    ),
    Rule(
        "A schema is valid in the drafts that clients compile",
        {
            "VS Code, draft 7": _VS_CODE,
            "Anthropic, 'JSON schema is invalid. It must match JSON Schema draft 2020-12'": "https://github.com/anthropics/claude-code/issues/586",
        },
        lambda tool: all(
            not list(validator(validator.META_SCHEMA).iter_errors(schema))
            for schema in roots(tool)
            for validator in (jsonschema.Draft7Validator, jsonschema.Draft202012Validator)
        ),
        {"inputSchema": {"type": "text"}},
    ),
]


def _is_url(text: str) -> bool:
    return text.startswith("https://")


def roots(tool: Node) -> list[Node]:
    """The schemas of a tool: of its arguments, and of its result if it declares one."""
    return [tool[key] for key in ("inputSchema", "outputSchema") if key in tool]


def schemas(tool: Node) -> Iterator[tuple[str, Node]]:
    """Every node of the schemas of a tool, with its path."""
    for root in roots(tool):
        yield from nodes(root)


def nodes(node: Node, path: str = "") -> Iterator[tuple[str, Node]]:
    """A node and every node below it, in every keyword that contains schemas."""
    yield path, node
    for key, child in node.items():
        if key in {"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"}:
            for name, inner in child.items():
                yield from nodes(inner, f"{path}.{name}")
        elif key in {"enum", "default", "const", "examples", "required", "type"}:
            continue
        elif isinstance(child, Mapping):
            yield from nodes(child, f"{path}[]" if key == "items" else f"{path}/{key}")
        elif isinstance(child, list):
            for number, inner in enumerate(child):
                yield from nodes(inner, f"{path}/{key}[{number}]")


def broken_rules(tool: Node) -> list[str]:
    """The rules that a tool breaks, with the paths of the nodes."""
    return [
        *(f"{tool['name']}: {rule.name}" for rule in TOOL_RULES if not rule.holds(tool)),
        *(
            f"{tool['name']}{path}: {rule.name}"
            for path, node in schemas(tool)
            for rule in NODE_RULES
            if not rule.holds(node)
        ),
    ]


def test_every_node_of_every_schema_satisfies_every_rule() -> None:
    tools = listed_tools().values()
    assert {path for tool in tools for path, _ in schemas(tool)} >= {".params.variables[].value", ".params"}
    assert [broken for tool in tools for broken in broken_rules(tool)] == []


def test_every_rule_refuses_its_example_and_has_a_source() -> None:
    usual = {"name": "a", "description": "Read.", "inputSchema": {"type": "object"}}
    not_refused = [rule.name for rule in NODE_RULES if rule.holds(rule.refused)]
    not_refused += [rule.name for rule in TOOL_RULES if rule.holds(usual | dict(rule.refused))]
    assert not_refused == []
    assert all(rule.sources and all(map(_is_url, rule.sources.values())) for rule in NODE_RULES + TOOL_RULES)


def test_node_is_found_in_every_keyword() -> None:
    bad = {"type": "array"}
    below = (
        {"items": bad},
        {"properties": {"a": bad}},
        {"additionalProperties": bad},
        {"anyOf": [bad]},
        {"$defs": {"a": bad}},
    )
    for schema in below:
        tool = {"name": "a", "description": "Read.", "outputSchema": {"type": "object", **schema}, "inputSchema": {}}
        assert any("An array has items" in broken for broken in broken_rules(tool)), schema


def test_form_has_only_primitive_fields() -> None:
    """A client shows a form for these only. Source: MCP specification, "Elicitation", "Requested Schema"."""
    assert set(FORM_SCHEMA) == {"type", "properties", "required"}
    assert FORM_SCHEMA["type"] == "object"
    assert {node["type"] for node in FORM_SCHEMA["properties"].values()} <= {"string", "number", "integer", "boolean"}
