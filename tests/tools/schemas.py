"""Looking into the schemas of tools."""

from collections.abc import Mapping
from typing import Any


def named_arguments(schema: Mapping[str, Any], prefix: str = "") -> list[str]:
    """The names of all arguments, those inside of others with a point between."""
    names = []
    for name, node in schema.get("properties", {}).items():
        names.append(prefix + name)
        names += named_arguments(node, f"{prefix}{name}.")
        names += named_arguments(node.get("items", {}), f"{prefix}{name}[].")
    return names
