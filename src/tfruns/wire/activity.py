"""Comments, run events, users and teams. Sources: HCP Terraform API, "Comments", "Account", "Users"."""

from typing import ClassVar

from tfruns.wire.base import Resource, ToOne, WireTime


class Comment(Resource):
    """A comment on a run."""

    wire_type: ClassVar[str] = "comments"

    body: str | None = None

    run_event: ToOne = None


class RunEvent(Resource):
    """An event of a run: its action (`queued`, `applied`, `commented`, ...) and its actor."""

    wire_type: ClassVar[str] = "run-events"

    action: str | None = None
    description: str | None = None
    created_at: WireTime | None = None

    actor: ToOne = None
    comment: ToOne = None
    run: ToOne = None


class Team(Resource):
    """A team of an organization."""

    wire_type: ClassVar[str] = "teams"

    name: str | None = None


class User(Resource):
    """A user, or the synthetic user of a team's or an organization's token."""

    wire_type: ClassVar[str] = "users"

    username: str | None = None
    email: str | None = None
    is_service_account: bool | None = None

    authenticated_resource: ToOne = None
