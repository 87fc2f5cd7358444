"""Skips tests whose tools are not installed, or fails them in CI and in `make conformance`."""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest


def require(tools: Iterable[Path]) -> None:
    """Skip or fail the test unless all tools are installed."""
    missing = [str(tool) for tool in tools if not tool.exists()]
    if not missing:
        return
    message = f"not installed: {', '.join(missing)}; `make conformance` installs them"
    if "CI" in os.environ or "MAKELEVEL" in os.environ:  # make sets the latter for its commands
        pytest.fail(message)
    pytest.skip(message)
