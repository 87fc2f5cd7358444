"""Actions of a workspace's configuration. Source: HCP Terraform API, "Terraform actions"."""

from typing import ClassVar

from tfruns.wire.base import Resource, ToOne, WireTime


class TerraformAction(Resource):
    """An action that runs of a workspace can invoke."""

    wire_type: ClassVar[str] = "actions"

    address: str
    module_address: str | None = None
    provider: str | None = None
    documentation_url: str | None = None
    created_at: WireTime | None = None
    updated_at: WireTime | None = None
    invocation_count: int | None = None
    instance_type: str | None = None
    count_value: int | None = None
    for_each_values: list[str] | None = None

    workspace: ToOne = None
    last_invocation: ToOne = None
