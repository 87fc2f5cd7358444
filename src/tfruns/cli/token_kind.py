"""The kind of an API token."""

from tfruns.wire.activity import User

_KINDS = {"users": "user", "teams": "team", "organizations": "organization"}
_SYNTHETIC = {"api-org-": "organization", "api-team_": "team"}  # prefixes of the names of synthetic users


def kind_of_token(user: User) -> str:
    """The owner of a token: `user`, `team` or `organization`.

    Source: HCP Terraform API, "Account". A token of a team or an organization has a synthetic user. Older versions of
    Terraform Enterprise omit the authenticated resource, and only the name of that user shows the kind.
    """
    if user.authenticated_resource is not None:
        return _KINDS.get(user.authenticated_resource.type, user.authenticated_resource.type)
    name = user.username or ""
    return next((kind for start, kind in _SYNTHETIC.items() if name.startswith(start)), "user")
