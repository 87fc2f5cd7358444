"""Selection of the API that a command uses.

The first of these: the local backend, with --local; `TFE_ADDRESS`; the hostname in the `cloud` block of the current
directory, as for Terraform, or `TF_CLOUD_HOSTNAME` if the block has no hostname; HCP Terraform.

A directory can select a host, but never where a token is sent: `TFE_TOKEN` is for the host of `TFE_ADDRESS`, or HCP
Terraform, and `tfruns login` ignores the directory. For the host of a `cloud` block, only a token stored for that host
is used.
"""

import os
from pathlib import Path

from tfruns.cli.cloud_block import read_cloud_block
from tfruns.cli.options import CommonOptions
from tfruns.client.address import Address
from tfruns.client.settings import load_settings
from tfruns.mcp.connection import Connection, LocalConnection, RemoteConnection


def select_connection(options: CommonOptions) -> Connection:
    """The connection for a command, which is opened by its first use."""
    if options.local:
        return LocalConnection(options.data_dir, options.idle_exit)
    return RemoteConnection(_address_of_directory())


def organization_of_directory(address: Address) -> str | None:
    """The organization that the `cloud` block of this directory names for the API at an address."""
    block = read_cloud_block(Path.cwd())
    hostname = block.hostname or os.environ.get("TF_CLOUD_HOSTNAME") or address.hostname
    return block.organization if hostname.lower() == address.hostname else None


def login_address(host: str | None) -> Address:
    """The address of the given host; by default that of `TFE_ADDRESS`, or HCP Terraform.

    Raises:
        InvalidInput: the address is invalid, or is plain HTTP to another machine.
    """
    return load_settings(host).address


def _address_of_directory() -> str | None:
    """The address that this directory selects; None if it selects none, or if the environment takes precedence."""
    if any(os.environ.get(name, "").strip() for name in ("TFE_ADDRESS", "TFC_ADDRESS")):
        return None
    block = read_cloud_block(Path.cwd())
    hostname = block.hostname or (os.environ.get("TF_CLOUD_HOSTNAME") if block.exists else None)
    return f"https://{hostname}" if hostname else None
