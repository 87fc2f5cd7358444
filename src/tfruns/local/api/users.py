"""Users, the caller's account, and ping. Source: HCP Terraform API, "Users", "Account"."""

from collections.abc import Mapping

from tfruns.jsonapi import JSON
from tfruns.local.api.request import ApiRequest
from tfruns.local.api.response import ApiResponse, resource_response
from tfruns.local.service.find import find
from tfruns.local.store.schema import UserRow
from tfruns.wire.activity import User
from tfruns.wire.base import Related

_CONSTANTS: Mapping[str, JSON] = {
    "auth-method": "tfc",
    "avatar-url": "https://www.gravatar.com/avatar/00000000000000000000000000000000?s=100&d=mm",  # a placeholder image
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


def read_user(request: ApiRequest) -> ApiResponse:
    """GET /users/:id -> 200."""
    with request.backend.database.read() as session:
        return resource_response(user_resource(find(session, UserRow, id=request.path["id"])))


def read_account(request: ApiRequest) -> ApiResponse:
    """GET /account/details -> 200."""
    with request.backend.database.read() as session:
        return resource_response(account_resource(find(session, UserRow, id=request.user_id)))


def read_ping(_: ApiRequest) -> ApiResponse:
    """GET /ping -> 204."""
    return ApiResponse(204)


def user_resource(row: UserRow) -> User:
    """A user as seen by others: without an email address."""
    return User.model_validate({**_CONSTANTS, "id": row.id, "username": row.username})


def account_resource(row: UserRow) -> User:
    """A user as seen by themselves. HCP Terraform returns an email address here; users of this backend have none."""
    own = {"email": "", "unconfirmed-email": None, "authenticated-resource": Related(type="users", id=row.id)}
    return User.model_validate({**_CONSTANTS, **own, "id": row.id, "username": row.username})
