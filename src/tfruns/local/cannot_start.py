"""What keeps a local backend from starting."""


class CannotStart(Exception):
    """A local backend cannot be started. The text says why, and what to do about it."""
