"""The local backend: the HCP Terraform run API on one machine, with the real `terraform`.

import tfruns.local

async with tfruns.local.client() as client:
    ...
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tfruns.local.cannot_start import check_platform

if TYPE_CHECKING:
    from tfruns.local.embedded import client
    from tfruns.local.startup import BackendOptions

DEFAULT_ORGANIZATION = "default"  # created at the first start

__all__ = ["BackendOptions", "client"]

_MODULES = {"BackendOptions": "tfruns.local.startup", "client": "tfruns.local.embedded"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'tfruns.local' has no attribute {name!r}")
    check_platform()
    return getattr(import_module(_MODULES[name]), name)
