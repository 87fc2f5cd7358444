"""From rows to resources as they go over the wire."""
