"""Start the MCP server of tfruns with the settings of the bundle.

The client passes the settings as environment variables, and the directories as arguments. A setting that the user left
empty is an empty text, or the name of the setting as in the manifest.
"""

import os
import sys

from tfruns.cli import main

_SETTINGS = ("TFE_ADDRESS", "TFE_TOKEN", "TF_CLOUD_ORGANIZATION")


def _is_set(value: str) -> bool:
    return bool(value.strip()) and not value.startswith("${user_config.")


is_local = os.environ.pop("TFRUNS_BUNDLE_LOCAL", "").lower() == "true"
for name in _SETTINGS:
    if is_local or not _is_set(os.environ.get(name, "")):
        os.environ.pop(name, None)
directories = [word for directory in sys.argv[1:] if _is_set(directory) for word in ("--allow-dir", directory)]
sys.argv = ["tfruns", "mcp", *["--local"] * is_local, *directories]
main()
