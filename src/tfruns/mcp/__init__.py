"""The MCP server: the only package that imports the MCP SDK."""
