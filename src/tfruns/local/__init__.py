"""The embedded backend: the HCP Terraform run API on one machine, with the real `terraform` underneath.

import tfruns.local

async with tfruns.local.client() as client:
    ...
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tfruns.local.cannot_start import check_platform

if TYPE_CHECKING:
    from tfruns.local.embedded import client
    from tfruns.local.running import BackendOptions

__all__ = ["BackendOptions", "client"]

_HOMES = {"BackendOptions": "tfruns.local.running", "client": "tfruns.local.embedded"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tfruns.local' has no attribute {name!r}")
    check_platform()
    return getattr(import_module(_HOMES[name]), name)
