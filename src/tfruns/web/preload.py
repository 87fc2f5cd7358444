"""Loading of the pages in the background, while a person opens the link that leads to the first of them.

Templates and tools are loaded when they are first used, which takes about 0.2 s for the page of a run.
"""

import threading
from functools import cache

from tfruns.gate.registry import find_tool
from tfruns.web.decisions import DECIDING_TOOLS
from tfruns.web.templating import environment

_TOOLS = ("get_run_details", "get_run_history", "diagnose_run", "review_run", *DECIDING_TOOLS)


@cache
def preload() -> threading.Thread:
    """Begin to load the pages, once per process."""
    thread = threading.Thread(target=_load, name="preload", daemon=True)
    thread.start()
    return thread


def _load() -> None:
    for name in environment().list_templates(extensions=["html"]):
        environment().get_template(name)
    for tool in _TOOLS:
        find_tool(tool)
