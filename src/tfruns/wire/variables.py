"""Variables of workspaces. Source: HCP Terraform API, "Workspace Variables"."""

from typing import ClassVar

from tfruns.wire.base import Resource, Secret, ToOne, WireTime


class Variable(Resource):
    """A variable. A sensitive value is never returned."""

    wire_type: ClassVar[str] = "vars"

    key: str
    value: Secret = None
    description: str | None = None
    category: str | None = None
    hcl: bool | None = None
    sensitive: bool | None = None
    created_at: WireTime | None = None
    version_id: str | None = None

    configurable: ToOne = None
    workspace: ToOne = None
    varset: ToOne = None
