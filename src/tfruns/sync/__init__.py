"""The client without `async`: the same resources, methods and results.

    import tfruns
    from tfruns.sync import Client

    with Client() as client:
        run = client.runs.create("my-organization/my-workspace", tfruns.RunParams(plan_only=True))
        run = client.runs.wait(run.id, on_log=print)

The modules of this package that mirror those of `tfruns.client` are generated from them by `scripts/generate_docs.py`.
"""

from tfruns.sync.blocking import Listing
from tfruns.sync.client import Client

__all__ = ["Client", "Listing"]
