"""The HTTP API of the local backend: one file per resource, with its endpoints and its JSON:API documents."""
