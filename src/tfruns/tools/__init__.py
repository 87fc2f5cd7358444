"""The use cases of tfruns, for an assistant and for a terminal: one registry of typed functions over a client."""
