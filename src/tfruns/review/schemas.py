"""What the schemas of providers call sensitive.

Source: Terraform, `terraform providers schema -json`; the redacted form of a plan has these as `provider_schemas`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Schemas:
    """The schemas of providers.

    Attributes:
        by_provider: by the provider's name.
    """

    by_provider: _Object

    def block_of(self, entry: _Object, table: str) -> _Object:
        """The schema of a resource or an action; an empty one if it is not known."""
        provider = _object(self.by_provider.get(str(entry.get("provider_name"))))
        return _object(_object(_object(provider.get(table)).get(str(entry.get("type")))).get("block"))

    def marks(self, value: Any, marks: Any, block: _Object) -> Any:
        """The marks of a value, and of whatever the schema of its block calls sensitive."""
        if marks is True or not isinstance(value, dict) or not block:
            return marks
        given = marks if isinstance(marks, dict) else {}
        attributes, blocks = _object(block.get("attributes")), _object(block.get("block_types"))
        found = {}
        for key, item in value.items():
            attribute = _object(attributes.get(key))
            if attribute.get("sensitive") is True:
                found[key] = item is not None or given.get(key)
            else:
                nested = _object(attribute.get("nested_type") or blocks.get(key))
                found[key] = self._nested(item, given.get(key), nested)
        return given | {key: mark for key, mark in found.items() if mark}

    def _nested(self, value: Any, marks: Any, nested: _Object) -> Any:
        """The marks of a nested attribute or block: an object, or a list, a set or a map of them."""
        block = _object(nested.get("block", nested))
        if marks is True or not block:
            return marks
        if isinstance(value, list):
            given = marks if isinstance(marks, list) else []
            items = [self.marks(item, given[n] if n < len(given) else None, block) for n, item in enumerate(value)]
            return [item or {} for item in items] if any(items) else marks
        if nested.get("nesting_mode") == "map" and isinstance(value, dict):
            of_keys = _object(marks)
            return {key: self.marks(item, of_keys.get(key), block) or {} for key, item in value.items()}
        return self.marks(value, marks, block)


def _object(value: Any) -> _Object:
    return value if isinstance(value, dict) else {}
