"""The documentation: examples work, links resolve, and lists are complete."""
