"""Which API a command asks. The one place that decides it.

The local backend with --local; else `TFE_ADDRESS`; else where Terraform itself would go from this directory: the
hostname of its `cloud` block, or, where the block names none, `TF_CLOUD_HOSTNAME`; else HCP Terraform.

A directory chooses among hosts for which the user stored a token. It never decides where a token goes: `TFE_TOKEN` is
for the host of `TFE_ADDRESS`, or HCP Terraform, and `tfruns login` does not look at the directory.
"""

import os
from pathlib import Path

from tfruns.cli.cloud_block import read_cloud_block
from tfruns.cli.options import Options
from tfruns.client.address import Address
from tfruns.client.settings import load_settings
from tfruns.mcp.connection import Connection, LocalConnection, RemoteConnection


def connection_of(options: Options) -> Connection:
    """The connection for a command; nothing is connected yet."""
    if options.local:
        return LocalConnection(options.data_dir, options.idle_exit)
    return RemoteConnection(_chosen_address())


def login_address(host: str | None) -> Address:
    """The address of a host that the user names; by default that of `TFE_ADDRESS`, or HCP Terraform.

    Raises:
        InvalidInput: an address that cannot be, or plain HTTP to another machine.
    """
    return load_settings(host).address


def _chosen_address() -> str | None:
    """The address that this directory chooses; None where the environment does, or nobody."""
    if any(os.environ.get(name, "").strip() for name in ("TFE_ADDRESS", "TFC_ADDRESS")):
        return None
    block = read_cloud_block(Path.cwd())
    hostname = block.hostname or (os.environ.get("TF_CLOUD_HOSTNAME") if block.is_there else None)
    return f"https://{hostname}" if hostname else None
