"""The rules of the local backend: which changes are allowed, and what they cause."""
