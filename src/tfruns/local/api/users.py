"""Users, the account of the caller, and `ping`."""

from collections.abc import Mapping

from tfruns.jsonapi import JSON
from tfruns.local.api.request import Call
from tfruns.local.api.response import Reply, resource_reply
from tfruns.local.service.find import find
from tfruns.local.store.schema import UserRow
from tfruns.wire.activity import User
from tfruns.wire.base import Related

USER: Mapping[str, JSON] = {
    "auth-method": "tfc",
    "avatar-url": "https://www.gravatar.com/avatar/00000000000000000000000000000000?s=100&d=mm",  # of nobody
    "enterprise-support": False,
    "has-git-hub-app-token": False,
    "has-linked-hcp": False,
    "is-admin": True,
    "is-confirmed": True,
    "is-service-account": False,
    "is-site-admin": True,
    "is-sso-login": False,
    "is-sudo": False,
    "is-unified": False,
    "password": None,
    "permissions": {
        "can-change-email": False,
        "can-change-username": False,
        "can-create-organizations": True,
        "can-manage-user-tokens": False,
        "can-view2fa-settings": False,
        "can-manage-hcp-account": False,
    },
    "two-factor": {"enabled": False, "verified": False},
    "v2-only": False,
}


def read_user(call: Call) -> Reply:
    """GET /users/:id -> 200."""
    with call.backend.database.read() as session:
        return resource_reply(user_resource(find(session, UserRow, UserRow.id == call.path["id"])))


def read_account(call: Call) -> Reply:
    """GET /account/details -> 200."""
    with call.backend.database.read() as session:
        return resource_reply(account_resource(find(session, UserRow, UserRow.id == call.user_id)))


def ping(_: Call) -> Reply:
    """GET /ping -> 204."""
    return Reply(204)


def user_resource(row: UserRow) -> User:
    """A user as others see it, without an email address. Source: HCP Terraform API, "Users"."""
    return User.model_validate({**USER, "id": row.id, "username": row.username})


def account_resource(row: UserRow) -> User:
    """A user as they see themselves. Source: HCP Terraform API, "Account".

    HCP Terraform shows an email address here. A user of this backend has none, so it is empty.
    """
    own = {"email": "", "unconfirmed-email": None, "authenticated-resource": Related(type="users", id=row.id)}
    return User.model_validate({**USER, **own, "id": row.id, "username": row.username})
