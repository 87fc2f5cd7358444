"""Selection of the API that a command uses.

The first of these: the local backend, with --local; the profile that --profile or `TFRUNS_PROFILE` names; the local
backend, with `TFRUNS_LOCAL`; `TFE_ADDRESS`; the profile of `tfruns profile use` if it is local; the hostname in the
`cloud` block of the current directory, as for Terraform, or `TF_CLOUD_HOSTNAME` if the block has no hostname; the
profile of `tfruns profile use`; HCP Terraform.

A directory can select a host, but never where a token is sent: `TFE_TOKEN` is for the host of `TFE_ADDRESS`, or HCP
Terraform, and `tfruns login` ignores the directory. For the host of a `cloud` block or a profile, only a token stored
for that host is used. A profile is in a file of the user, never in the directory.
"""

import os
from pathlib import Path

from tfruns.cli.cloud_block import read_cloud_block
from tfruns.cli.options import CommonOptions
from tfruns.cli.profiles import Profile, is_local_by_environment
from tfruns.client.address import Address
from tfruns.client.settings import load_settings
from tfruns.mcp.connection import Connection, LocalConnection, RemoteConnection


def select_connection(options: CommonOptions, profile: Profile) -> Connection:
    """The connection for a command, which is opened by its first use."""
    if options.local or is_local_selected(profile):
        return LocalConnection(options.data_dir or profile.data_path, options.idle_exit)
    return RemoteConnection(address_of(profile) or _address_of_directory(profile))


def is_local_selected(profile: Profile) -> bool:
    """Whether the profile or the environment selects the local backend."""
    if not profile.is_default and (profile.local or profile.address):
        return bool(profile.local)
    return is_local_by_environment() or (bool(profile.local) and not _is_address_in_environment())


def connection_outside_of_directories(profile: Profile) -> RemoteConnection:
    """The connection of a server for an assistant: the current directory selects only the organization."""
    # The address of a profile, unless the environment has one that takes precedence.
    address = None if profile.is_default and _is_address_in_environment() else profile.address
    return _with_organization(address, profile)


def directory_connection(profile: Profile) -> RemoteConnection:
    """The connection to the API of this directory, with its organization."""
    return _with_organization(address_of(profile) or _address_of_directory(profile), profile)


def _with_organization(address: str | None, profile: Profile) -> RemoteConnection:
    def organization_at(address: Address) -> str | None:
        return profile.named("organization") or organization_of_directory(address) or profile.organization

    return RemoteConnection(address, organization_at)


def address_of(profile: Profile) -> str | None:
    """The address of a profile that the command or the environment names."""
    return None if profile.is_default else profile.address


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


def _is_address_in_environment() -> bool:
    return any(os.environ.get(name, "").strip() for name in ("TFE_ADDRESS", "TFC_ADDRESS"))


def _address_of_directory(profile: Profile) -> str | None:
    """The address of this directory, else of the default profile; None if the environment takes precedence."""
    if _is_address_in_environment():
        return None
    block = read_cloud_block(Path.cwd())
    if not block.exists:
        return profile.address
    hostname = block.hostname or os.environ.get("TF_CLOUD_HOSTNAME")
    return f"https://{hostname}" if hostname else None


def directory_address(profile: Profile) -> Address:
    """The address of the API of this directory.

    Raises:
        InvalidInput: the address is invalid.
    """
    return load_settings(address_of(profile) or _address_of_directory(profile)).address
