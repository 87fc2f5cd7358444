"""Which API a command asks. The one place that decides it.

The local backend with --local; else `TFE_ADDRESS`; else where Terraform itself would go from this directory: the
hostname of its `cloud` block, or, where the block names none, `TF_CLOUD_HOSTNAME`; else HCP Terraform. `TFE_TOKEN` is
never sent to a host that only a directory names: without `TFE_ADDRESS` it is for HCP Terraform.
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
    return LocalConnection(options.data_dir) if options.local else RemoteConnection(chosen_address())


def address_of(host: str | None) -> Address:
    """The address of a host that a command names; by default, the one that commands ask.

    Raises:
        InvalidInput: an address that cannot be, or plain HTTP to another machine.
    """
    return load_settings(host or chosen_address()).address


def chosen_address() -> str | None:
    """The address that this directory chooses; None where the environment does, or nobody."""
    if any(os.environ.get(name, "").strip() for name in ("TFE_ADDRESS", "TFC_ADDRESS")):
        return None
    block = read_cloud_block(Path.cwd())
    hostname = block.hostname or (os.environ.get("TF_CLOUD_HOSTNAME") if block.is_there else None)
    return f"https://{hostname}" if hostname else None
