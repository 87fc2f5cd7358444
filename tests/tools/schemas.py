"""Helpers for the schemas of tools."""

from collections.abc import Mapping
from typing import Any


def named_arguments(schema: Mapping[str, Any], prefix: str = "") -> list[str]:
    """The names of all arguments; nested ones are joined with a dot."""
    names = []
    for name, node in schema.get("properties", {}).items():
        names.append(prefix + name)
        names += named_arguments(node, f"{prefix}{name}.")
        names += named_arguments(node.get("items", {}), f"{prefix}{name}[].")
    return names
