"""The results of the tools, as frozen dataclasses: one definition for MCP, `--json`, the terminal and the web pages."""
